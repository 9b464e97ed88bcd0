"""Socket events as plugins write them, and what answers them.

    class ChatSockets:
        @socket_event("send_message", body=SendMessage, ack=SendAck, permission="chat.send")
        async def send_message(self, client: Client, body: SendMessage) -> dict[str, Any]: ...

The acknowledgement is `{"ok": true, **result}` or `{"ok": false, "error": problem}`, whichever
protocol the client speaks. What the server sends by itself is declared by `emits`.
"""

import inspect
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, TypeVar

import orjson
import pydantic

from wellio.access.actor import Actor
from wellio.errors import InternalError, PluginError, Problem, UnknownEvent, invalid
from wellio.field_errors import invalid_from_pydantic
from wellio.ids import new_id
from wellio.wire import Wire, read_json

from .emits import ServerEvent, emitted_by
from .hub import Client

_log = logging.getLogger("wellio.realtime")

_MARK = "__socket_event__"

Handler = Callable[..., Awaitable[Mapping[str, Any] | None]]
F = TypeVar("F", bound=Handler)
EventObserver = Callable[[str, str, float], None]


class Ack(Wire):
    """The acknowledgement of an event that was carried out."""

    ok: Literal[True]


@dataclass(frozen=True, slots=True)
class SocketEvent:
    """What an event asks for.

    Attributes:
        name: Its name on the wire.
        summary: What it is for, in a line.
        body: The model of its data, or None for an event without any.
        ack: The model of its acknowledgement.
        permission: What the sender must hold at the moment of sending; an event without one is
            closed to API keys.
        errors: Problems that it refuses with beyond those of every event.
    """

    name: str
    summary: str
    body: type[pydantic.BaseModel] | None
    ack: type[Ack]
    permission: str | None
    errors: tuple[type[Problem], ...] = ()

    def read(self, data: Any) -> Any:
        """Read what came with the event.

        Raises:
            Invalid: It names every wrong field.
        """
        adapter = _adapter(self.body)
        try:
            try:
                text = orjson.dumps(data)
            except TypeError:  # bytes, or half of a character: most types say where
                adapter.validate_python(data)
                raise invalid("", "wrong_type", "must be JSON") from None
            return read_json(adapter, text)
        except pydantic.ValidationError as error:
            raise invalid_from_pydantic(error) from None


def socket_event(
    name: str,
    *,
    body: type[pydantic.BaseModel] | None = None,
    ack: type[Ack] = Ack,
    permission: str | None = None,
    errors: tuple[type[Problem], ...] = (),
) -> Callable[[F], F]:
    """Mark a method as the handler of an event that clients send.

    The handler gets the `Client` and, if there is a model, the validated body; it returns what
    joins `ok` in the acknowledgement and raises a `Problem` to refuse.

    Args:
        name: The event's name on the wire.
        body: The model of its data; without one the data is ignored.
        ack: The model of the acknowledgement: documented, and checked in tests but not at run time.
        permission: What the sender must hold.
        errors: Problems beyond those of every event, for the documentation.
    """

    def mark(handler: F) -> F:
        summary = (inspect.getdoc(handler) or "").partition("\n")[0]
        setattr(handler, _MARK, SocketEvent(name, summary, body, ack, permission, errors))
        return handler

    return mark


class EventRouter:
    """Finds the handler of an event and turns what it does into an acknowledgement."""

    def __init__(
        self,
        objects: Iterable[object] = (),
        *,
        observe: EventObserver | None = None,
        admit: Callable[[Actor], None] | None = None,
    ) -> None:
        """Collect handlers.

        Args:
            objects: Objects with methods that `socket_event` marked, of classes that `emits` did.
            observe: Called after each event with its name (`unknown` for unknown ones), its outcome
                (`ok` or the problem's code) and the seconds it took.
            admit: Called before each event with its sender; it may raise a Problem.
        """
        self._handlers: dict[str, tuple[SocketEvent, Handler]] = {}
        self._emitted: dict[str, ServerEvent] = {}
        self._observe = observe
        self._admit = admit
        for item in objects:
            self.add(item)

    @property
    def events(self) -> list[SocketEvent]:
        """All events, by name."""
        return [self._handlers[name][0] for name in sorted(self._handlers)]

    @property
    def emitted(self) -> list[ServerEvent]:
        """All events that the server sends, by name."""
        return [self._emitted[name] for name in sorted(self._emitted)]

    def add(self, item: object) -> None:
        """Take the handlers of an object, and what its class declares to send.

        Raises:
            PluginError: An event has a handler already, or two forms.
        """
        for sent in emitted_by(type(item)):
            if self._emitted.setdefault(sent.name, sent) != sent:
                raise PluginError(f"The event {sent.name} is declared twice, as different things.")
        for attribute in dir(type(item)):
            event = getattr(getattr(type(item), attribute), _MARK, None)
            if event is None:
                continue
            if event.name in self._handlers:
                raise PluginError(f"The socket event {event.name} has two handlers.")
            self._handlers[event.name] = (event, getattr(item, attribute))

    async def dispatch(self, client: Client, name: str, data: Any) -> dict[str, Any]:
        """Handle an event and return its acknowledgement; never raises."""
        started = time.perf_counter()
        event, handler = self._handlers.get(name, (None, None))
        try:
            if self._admit is not None:
                self._admit(client.actor)
            if event is None or handler is None:
                raise UnknownEvent
            result = await _run(event, handler, client, data)
            ack = {"ok": True, **(result or {})}
            outcome = "ok"
        except Problem as problem:
            ack, outcome = _refusal(problem), problem.code
        except Exception:  # noqa: BLE001 - a plugin's bug must not cost the sender its connection
            ack, outcome = _refusal(InternalError()), InternalError.default_code
            request_id = ack["error"]["requestId"]
            _log.exception("A socket event failed", extra={"event": name, "requestId": request_id})
        if self._observe is not None:
            self._observe(
                event.name if event else "unknown", outcome, time.perf_counter() - started
            )
        return ack


async def _run(
    event: SocketEvent, handler: Handler, client: Client, data: Any
) -> Mapping[str, Any] | None:
    client.actor.require(event.permission)
    if event.body is None:
        return await handler(client)
    return await handler(client, event.read(data))


@lru_cache
def _adapter(model: Any) -> pydantic.TypeAdapter[Any]:
    return pydantic.TypeAdapter(model)


def _refusal(problem: Problem) -> dict[str, Any]:
    return {"ok": False, "error": problem.to_dict(new_id())}
