"""What an event is: a fact in ids, its name, and what it is about."""

import re
from types import EllipsisType
from typing import Any, ClassVar, NamedTuple, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field

from wellio.db.base import Row
from wellio.errors import PluginError
from wellio.ids import new_id

About = tuple[str, str]
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*\.[a-z][a-z0-9]*(_[a-z0-9]+)*")
_KIND = re.compile(r"[a-z][a-z0-9_]*")
_ENVELOPE = ("id", "at", "actor_id", "cause_id", "client_id")


class EventRow(NamedTuple):
    """An event as a row of the log."""

    id: str
    name: str
    at: int
    actor_id: str | None
    cause_id: str | None
    client_id: str | None
    payload: str


Fact = tuple[Any, ...]
"""An event as `publish_many` takes it: `at`, `actor_id`, `client_id`, then its own fields."""


class Event(BaseModel):
    """Something that happened, told in ids, never in contents.

        class ClientAssigned(Event, name="client.assigned", about=("client", "client_id")):
            '''A coach looks after a client from now on.'''
            client_id: str
            coach_id: str

    `about` names the object of the act, a kind and the field with its id: publishing the event
    writes its row in the audit log. `about=None` says that this is none of the acts that are
    audited, or that its rows are written by hand. A field that is added later needs a default, so
    that old rows can still be read. A class without a name is a base of others and cannot be
    published.

    Attributes:
        id: The event's own id; what a handler does is idempotent on it.
        at: When it happened, in milliseconds UTC; the bus fills it in when it is 0.
        actor_id: The user who did it, or None for the machine.
        cause_id: The event that led to this one.
        client_id: The client record that it is about, if any; a class about clients makes it a
            `str`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ClassVar[str] = ""
    about: ClassVar[About | None] = None
    own_fields: ClassVar[tuple[str, ...]] = ()

    id: str = Field(default_factory=new_id)
    at: int = 0
    actor_id: str | None = None
    cause_id: str | None = None
    client_id: str | None = None

    def __init_subclass__(
        cls, *, name: str = "", about: About | EllipsisType | None = ..., **kwargs: Any
    ) -> None:
        super().__init_subclass__(**kwargs)
        cls.name = name
        cls.about = None if about is ... else about
        if not name:
            if about is not ...:
                raise PluginError(f"{cls.__qualname__}: about= is for a class with a name=")
            return
        if not _NAME.fullmatch(name):
            raise PluginError(f"{cls.__qualname__}: {name!r} is no name like 'noun.past_tense'")
        if not cls.__dict__.get("__doc__"):
            raise PluginError(f"event {name} has no docstring; it is the event's documentation")
        if about is ...:
            raise PluginError(
                f"event {name} ({cls.__qualname__}) does not name its object: say "
                'about=("kind", "field"), or about=None when it is not audited'
            )
        if about is not None and not _is_about(about):
            raise PluginError(
                f"event {name} ({cls.__qualname__}): about={about!r} is neither "
                '("kind", "field") nor None'
            )

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        if cls.about is not None and cls.about[1] not in cls.model_fields:
            raise PluginError(
                f"event {cls.name} ({cls.__qualname__}) is about {cls.about[1]!r}, "
                "which is none of its fields"
            )
        cls.own_fields = tuple(f for f in cls.model_fields if f not in Event.model_fields)

    def to_row(self) -> EventRow:
        """Return the event as a row of the log; what its own class adds is in its payload."""
        values = self.__dict__
        payload = {field: values[field] for field in self.own_fields}
        return EventRow(
            values["id"],
            self.name,
            values["at"],
            values["actor_id"],
            values["cause_id"],
            values["client_id"],
            orjson.dumps(payload).decode(),
        )

    @classmethod
    def row(cls, fact: Fact) -> EventRow:
        """Return a fact as a row of the log, with an id of its own."""
        at, actor_id, client_id, *own = fact
        payload = orjson.dumps(dict(zip(cls.own_fields, own, strict=True))).decode()
        return EventRow(new_id(), cls.name, at, actor_id, None, client_id, payload)

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """Read an event back, also one that an older or newer version of its class wrote."""
        return cls._of({field: row[field] for field in _ENVELOPE}, row["payload"])

    @classmethod
    def of_row(cls, row: EventRow) -> Self:
        """Return the event of a row that was not stored yet."""
        return cls._of({field: getattr(row, field) for field in _ENVELOPE}, row.payload)

    @classmethod
    def _of(cls, values: dict[str, Any], payload: str) -> Self:
        stored = orjson.loads(payload)
        values |= {field: stored[field] for field in cls.own_fields if field in stored}
        return cls.model_validate(values)


def _is_about(about: object) -> bool:
    """Tell whether this is a kind and a field's name."""
    match about:
        case (str(kind), str()):
            return isinstance(about, tuple) and bool(_KIND.fullmatch(kind))
    return False
