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
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, TypeVar

import orjson
import pydantic

from wellio.access.actor import Actor
from wellio.errors import (
    EndedProcess,
    FieldError,
    InternalError,
    Invalid,
    PluginError,
    Problem,
    UnknownEvent,
)
from wellio.field_errors import invalid_from_pydantic
from wellio.ids import new_id
from wellio.observe.slow import Slow
from wellio.strict.misfits import has_long_number, misfits
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
        permission: What the sender must hold at the moment of sending.
        errors: Problems that it refuses with beyond those of every event.
        signed_in: Instead of a permission: whoever signed in may send it, but no API key.
    """

    name: str
    summary: str
    body: type[pydantic.BaseModel] | None
    ack: type[Ack]
    permission: str | None
    errors: tuple[type[Problem], ...] = ()
    signed_in: bool = False

    def read(self, data: Any) -> Any:
        """Read what came with the event.

        Raises:
            Invalid: It names every wrong field.
        """
        adapter = _adapter(self.body)
        try:
            text = orjson.dumps(data)
            is_odd = has_long_number(text)
        except TypeError:  # bytes, or what nothing can hold
            text, is_odd = b"", True
        wrong = list(misfits(data)) if is_odd else []
        try:
            if text and not wrong:
                return read_json(adapter, text)
            adapter.validate_python(data)  # most types say what else is wrong
        except pydantic.ValidationError as error:
            named = {item.pointer for item in wrong}
            wrong += [it for it in invalid_from_pydantic(error).errors if it.pointer not in named]
        raise Invalid(
            "Some fields are wrong.",
            errors=wrong or [FieldError("", "wrong_type", "must be JSON")],
        )


def socket_event(
    name: str,
    *,
    body: type[pydantic.BaseModel] | None = None,
    ack: type[Ack] = Ack,
    permission: str | None = None,
    errors: tuple[type[Problem], ...] = (),
    signed_in: bool = False,
) -> Callable[[F], F]:
    """Mark a method as the handler of an event that clients send.

    The handler gets the `Client` and, if there is a model, the validated body; it returns what
    joins `ok` in the acknowledgement and raises a `Problem` to refuse.

    Args:
        name: The event's name on the wire.
        body: The model of its data; without one the data is ignored.
        ack: The model of the acknowledgement: documented, and checked in tests but not at run time.
        permission: What the sender must hold. It or `signed_in` stands at every event, so that
            none is open by oversight.
        errors: Problems beyond those of every event, for the documentation.
        signed_in: Whoever signed in may send it, clients as well as staff, but no API key.
    """

    def mark(handler: F) -> F:
        summary = (inspect.getdoc(handler) or "").partition("\n")[0]
        event = SocketEvent(name, summary, body, ack, permission, errors, signed_in)
        setattr(handler, _MARK, event)
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
        permissions: Collection[str] | None = None,
        slow: Slow | None = None,
    ) -> None:
        """Collect handlers.

        Args:
            objects: Objects with methods that `socket_event` marked, of classes that `emits` did.
            observe: Called after each event with its name (`unknown` for unknown ones), its outcome
                (`ok` or the problem's code) and the seconds it took.
            admit: Called before each event with its sender; it may raise a Problem.
            permissions: Every permission that an event may ask for; None: any.
            slow: Which handlers are reported; None: none.
        """
        self._handlers: dict[str, tuple[SocketEvent, Handler]] = {}
        self._emitted: dict[str, ServerEvent] = {}
        self._observe = observe
        self._admit = admit
        self._permissions = permissions
        self._slow = slow or Slow()
        self.add(*objects)

    @property
    def events(self) -> list[SocketEvent]:
        """All events, by name."""
        return [self._handlers[name][0] for name in sorted(self._handlers)]

    @property
    def emitted(self) -> list[ServerEvent]:
        """All events that the server sends, by name."""
        return [self._emitted[name] for name in sorted(self._emitted)]

    def add(self, *objects: object) -> None:
        """Take the handlers of objects, and what their classes declare to send.

        Raises:
            PluginError: One has neither, nobody said who may send an event, or it has a handler
                already or two forms.
        """
        for item in objects:
            sent, marked = [*emitted_by(type(item))], [*_marked(item)]
            if not sent and not marked:
                raise PluginError(f"{type(item).__name__} has no method with @socket_event")
            for emitted in sent:
                if self._emitted.setdefault(emitted.name, emitted) != emitted:
                    raise PluginError(
                        f"The event {emitted.name} is declared twice, as different things."
                    )
            for event, handler in marked:
                self._check(event, handler)
                if event.name in self._handlers:
                    raise PluginError(f"The socket event {event.name} has two handlers.")
                self._handlers[event.name] = (event, handler)

    def _check(self, event: SocketEvent, handler: Handler) -> None:
        what = f"socket event {event.name} ({handler.__qualname__})"
        if event.permission is None and not event.signed_in:
            raise PluginError(
                f"{what}: who may send it? It needs a permission, or says signed_in=True for"
                " whoever signed in"
            )
        if event.permission is not None and event.signed_in:
            raise PluginError(f"{what}: is for whoever signed in, or it is not")
        known = self._permissions
        if event.permission is not None and known is not None and event.permission not in known:
            raise PluginError(f"{what}: nobody registered the permission {event.permission}")
        if not inspect.iscoroutinefunction(handler):
            raise PluginError(f"{what}: is no coroutine function")

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
        seconds = time.perf_counter() - started
        if self._observe is not None:
            self._observe(event.name if event else "unknown", outcome, seconds)
        if seconds > self._slow.limit_s and event is not None:
            self._slow.report(handler, seconds, socket_event=event.name)
        return ack


def _marked(item: object) -> Iterator[tuple[SocketEvent, Handler]]:
    """Find an object's handlers."""
    for attribute in dir(type(item)):
        event = getattr(inspect.getattr_static(type(item), attribute), _MARK, None)
        if isinstance(event, SocketEvent):
            yield event, getattr(item, attribute)


async def _run(
    event: SocketEvent, handler: Handler, client: Client, data: Any
) -> Mapping[str, Any] | None:
    client.actor.require(event.permission)
    try:
        if event.body is None:
            return await handler(client)
        return await handler(client, event.read(data))
    except SystemExit as error:
        raise EndedProcess from error


@lru_cache
def _adapter(model: Any) -> pydantic.TypeAdapter[Any]:
    return pydantic.TypeAdapter(model)


def _refusal(problem: Problem) -> dict[str, Any]:
    return {"ok": False, "error": problem.to_dict(new_id())}
