"""Who may do what, as a table: a line or more for every endpoint and every socket event.

`World` is two halves of a practice that must not know of each other. A rule speaks of a thing of
Carl's half; for Dana's, everybody has a mirror image. Who is not named gets what they would get for
a thing that does not exist, and so does everybody for one that is gone. An API key gets what its
maker gets, where the table's `scopes` open the door to it. `Matrix` tries every rule as everybody
with everybody's things.
"""

import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .world import World

STAFF: Final = "owner carl dana"
ALL_STAFF: Final = f"{STAFF} assistant"
CHATTING: Final = f"{STAFF} mia max noah nora"
EVERYBODY: Final = f"{CHATTING} assistant"
_KIND: Final = re.compile(r"\{(?!new\}|half\})(\w+)\}")


@dataclass(frozen=True)
class Rule:
    """What an endpoint or a socket event answers to whom.

    Attributes:
        call: The method and path as OpenAPI has them, or the event's name.
        yes: Who succeeds.
        status: How; several where the first time differs from the next.
        seen: Who may see the thing but not do this with it: 403.
        role: Who holds the permission; to everybody else it is a 403, whatever the thing.
        ids: The kind of thing that each path parameter names.
        body: The body; kinds in braces.
        missing: What a thing that does not exist is answered.
        but: Exceptions, by `own NAME`, `random NAME` and `deleted NAME`.
        uses_up: What is gone when it succeeds; `me` is the caller's own session.
        scope: What an API key must hold beyond what the table's `scopes` say.
        never: What it is not tried with, such as `deleted`.
    """

    call: str
    yes: str
    status: int | tuple[int, ...] = 200
    seen: str = ""
    role: str = EVERYBODY
    ids: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    missing: int = 404
    but: Mapping[str, int] = field(default_factory=dict)
    uses_up: str = ""
    scope: str = "*"
    never: str = ""

    @property
    def kinds(self) -> set[str]:
        """Return the kinds of things that it is about."""
        return {*self.ids.values(), *self.in_body}

    @property
    def in_body(self) -> set[str]:
        """Return the kinds of things that its body names."""
        return set(_KIND.findall(str(self.body)))

    @property
    def good(self) -> tuple[int, ...]:
        """Return the statuses of who succeeds."""
        return self.status if isinstance(self.status, tuple) else (self.status,)

    @property
    def method(self) -> str:
        """Return the HTTP method."""
        return self.call.partition(" ")[0]

    @property
    def path(self) -> str:
        """Return the path with the kinds of things in the place of its parameters."""
        path = self.call.partition(" ")[2]
        for name, kind in self.ids.items():
            path = path.replace(f"{{{name}}}", f"{{{kind}}}")
        return "/" + path if not path.startswith("/api/v1") else path.removeprefix("/api/v1")


@dataclass(frozen=True)
class PublicRule:
    """An endpoint that asks nobody who they are: a bad credential changes nothing.

    Attributes:
        call: The method and path as OpenAPI has them.
        path: What is asked for, as for `Api.request`.
        status: What everybody gets.
        body: The body.
    """

    call: str
    path: str
    status: int
    body: Any = None

    @property
    def method(self) -> str:
        """Return the HTTP method."""
        return self.call.partition(" ")[0]


@dataclass(frozen=True)
class Thing:
    """A kind of thing that rules name in braces, and how a half comes by one.

    Attributes:
        path: Where it is made, by POST; kinds in braces.
        body: With what; kinds in braces. `{new}` is another word every time, `{half}` the half's
            name: what bears it can be told from the other half's.
        gone: Under which path it is deleted; empty where it cannot be.
        stays: Whether one that was deleted can still be seen.
        by: Who makes and deletes it: the half's `coach` or its `client`.
        make: What makes it instead of a POST; gets the world and the half, returns the id.
    """

    path: str = ""
    body: Any = None
    gone: str = ""
    stays: bool = False
    by: str = "coach"
    make: "Callable[[World, str], Awaitable[str]] | None" = None


@dataclass(frozen=True)
class Rules:
    """What a plugin answers to whom, and what `Matrix` needs to try it.

    Attributes:
        plugin: The plugin's name; `core` for Wellio itself.
        rules: Of its endpoints.
        public: Of those that nobody signs in for.
        events: Of its socket events.
        scopes: What an API key must hold for a call, `*` for nothing in particular; all else is
            closed to keys.
        things: The kinds of things that it brings.
        secrets: Words in its things, and who alone may read them, wherever they turn up.
        shown: Members of answers, and who alone may be shown them.
        needs: Members of answers, and words in things, and the scope without which no API key is
            shown them.
        once: Members that only one call answers with: what they hold is told once.
    """

    plugin: str
    rules: tuple[Rule, ...] = ()
    public: tuple[PublicRule, ...] = ()
    events: tuple[Rule, ...] = ()
    scopes: Mapping[str, str] = field(default_factory=dict)
    things: Mapping[str, Thing] = field(default_factory=dict)
    secrets: Mapping[str, Collection[str]] = field(default_factory=dict)
    shown: Mapping[str, Collection[str]] = field(default_factory=dict)
    needs: Mapping[str, str] = field(default_factory=dict)
    once: Mapping[str, str] = field(default_factory=dict)
