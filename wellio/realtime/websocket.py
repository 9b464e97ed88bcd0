"""`/ws`: the socket events in plain JSON frames, for clients without a Socket.IO library.

Frames are `{"event", "data", "id"?}`; one with an id is answered, in both directions, by
`{"event": "ack", "id", "data"}`. The first is `{"event": "auth", "data": {"token"}}`; it is always
answered.

Close codes: 4400 malformed frame, 4401 not authenticated or no longer. After all others, come back:
4408 no `auth` in time, 4429 too many connections, 4008 too slow to receive (catch up), 1012 the
server restarts, 1013 not now, or with other rights: the reason says why.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from aiohttp import WSMessage, WSMsgType, web

from wellio.errors import TooManyRequests

from .admission import Admission, Guest
from .faults import TRY_AGAIN, Disconnected, ProtocolError, Refused
from .frame import PING, PONG, TEXT, frame
from .gate import CountedWebSocket
from .handlers import ConnectionHandlers, Handlers
from .heartbeat import Heartbeat
from .hub import Client, Hub
from .message import Message
from .packet import parse_json, write_json
from .patience import patience
from .settings import RealtimeSettings
from .socket_writer import SocketWriter
from .write_buffer import WriteBuffer

if TYPE_CHECKING:
    from wellio.access.actor import Actor

MALFORMED = 4400
UNAUTHENTICATED = 4401
TOO_LATE = 4408
TOO_MANY = 4429
TOO_SLOW = 4008
GONE = 1001

_PING_FRAME = frame(PING, b"")
_log = logging.getLogger("wellio.realtime")


class Application(Protocol):
    """What the clients of either protocol talk to."""

    async def admit(self, auth: Mapping[str, Any]) -> "Actor":
        """Return who presents this; raise Refused with a problem as its data."""

    def dispatch(self, client: Client, name: str, data: Any) -> Awaitable[dict[str, Any]]:
        """Handle an event and return its acknowledgement; never raises."""


class Frame(NamedTuple):
    """One JSON frame."""

    event: str
    data: Any
    id: Any


def parse_frame(text: str) -> Frame:
    """Read a frame.

    Raises:
        ProtocolError: It is not one.
    """
    value = parse_json(text)
    if not isinstance(value, dict):
        raise ProtocolError("a frame is an object")
    event, number = value.get("event"), value.get("id")
    if not isinstance(event, str) or not (number is None or isinstance(number, int | str)):
        raise ProtocolError("a frame has an event and may have an id")
    return Frame(event, value.get("data"), number)


class PlainClient(Client):
    """A device on `/ws`.

    Attributes:
        running: Its handlers.
        heartbeat: Its pings, once it is served.
    """

    __slots__ = ("_calls", "_next_call", "_writer", "heartbeat", "running")

    def __init__(self, actor: "Actor", writer: SocketWriter, running: ConnectionHandlers) -> None:
        super().__init__(secrets.token_urlsafe(15), actor)
        self._writer = writer
        self.running = running
        self.heartbeat: Heartbeat | None = None
        self._calls: dict[int, asyncio.Future[Any]] | None = None
        self._next_call = 0

    def deliver(self, message: Message) -> None:
        """Send an event that may be on its way to others too."""
        self._writer.write(message.plain_frame)

    async def call(self, event: str, data: Any, *, timeout_s: float = 10.0) -> Any:
        """Send an event and wait for the device's acknowledgement."""
        number, self._next_call = self._next_call, self._next_call + 1
        self._calls = self._calls if self._calls is not None else {}
        answer = self._calls[number] = asyncio.get_running_loop().create_future()
        self._writer.write(_text({"event": event, "data": data, "id": number}))
        try:
            async with asyncio.timeout(timeout_s):
                return await answer
        finally:
            self._calls.pop(number, None)

    def answered(self, received: Frame) -> None:
        """Take the device's answer to `call`."""
        answer = self._calls.get(received.id) if self._calls else None
        if answer is not None and not answer.done():
            answer.set_result(received.data)

    def left(self) -> None:
        """Note that the device is gone."""
        if self.heartbeat is not None:
            self.heartbeat.stop()
        for answer in (self._calls or {}).values():
            if not answer.done():
                answer.set_exception(Disconnected())

    @property
    def is_heard(self) -> bool:
        """Tell whether what the device sends is being read."""
        return self.running.busy is None

    def ping(self) -> None:
        """Send a ping."""
        self._writer.write(_PING_FRAME)

    def expire(self) -> None:
        """Give the device up."""
        self._writer.close(GONE, "ping timeout")

    def close(self, reason: str) -> None:
        """End the connection for good."""
        self._writer.close(UNAUTHENTICATED, reason)

    def drop(self, reason: str) -> None:
        """End the connection; the device comes back by itself."""
        self._writer.close(TRY_AGAIN, reason)

    async def answers(self, timeout_s: float) -> bool:
        """Ask the device whether it is still there, and tell whether it says so in time."""
        return self.heartbeat is not None and await self.heartbeat.answers(timeout_s)


class PlainServer:
    """Serves `/ws`."""

    def __init__(
        self,
        hub: Hub,
        application: Application,
        handlers: Handlers,
        settings: RealtimeSettings,
        admission: Admission | None = None,
    ) -> None:
        """Serve clients.

        Args:
            hub: Where they join.
            application: What they talk to.
            handlers: Where handlers run.
            settings: Times and limits.
            admission: Says who may connect; by default whoever comes from no page.
        """
        self._hub = hub
        self._application = application
        self._handlers = handlers
        self._settings = settings
        self._admission = admission or Admission()
        self._writers: set[SocketWriter] = set()
        self._write_buffer = WriteBuffer()
        self._is_closing = False

    def close(self, reason: str = "server shutdown", code: int = 1012) -> None:
        """Take no more clients and close those that are connected."""
        self._is_closing = True
        for writer in list(self._writers):
            writer.close(code, reason)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection from its handshake to its end."""
        if not self._admission.may_connect(request):
            raise web.HTTPForbidden
        if self._is_closing:
            raise web.HTTPServiceUnavailable
        guest = self._admission.enter(request)
        try:
            return await self._receive(request, guest)
        finally:
            guest.leave()

    async def _receive(self, request: web.Request, guest: Guest) -> web.StreamResponse:
        throttle = self._admission.throttle(secrets.token_urlsafe(15))
        ws = CountedWebSocket(self._settings, throttle)
        writer = await SocketWriter.open(request, ws, self._settings, self._write_buffer)
        writer.on_overflow(lambda: writer.close(TOO_SLOW, "slow consumer"))
        intake = _Intake(ws, writer)
        self._writers.add(writer)
        try:
            client = await self._admit(intake, writer)
            if client is not None and not writer.is_closing:
                guest.leave()
                await self._serve(intake, writer, client)
        except ProtocolError:
            writer.close(MALFORMED, "malformed frame")
        finally:
            self._writers.discard(writer)
            await writer.closed()
        return ws

    async def _admit(self, intake: "_Intake", writer: SocketWriter) -> PlainClient | None:
        try:
            async with patience(self._settings.connect_timeout_s):
                first = await intake.next()
                return await self._authenticate(first, writer) if first is not None else None
        except TimeoutError:
            writer.close(TOO_LATE, "no auth in time")
            return None

    async def _authenticate(self, first: Frame, writer: SocketWriter) -> PlainClient | None:
        if first.event != "auth" or not isinstance(first.data, dict):
            writer.close(UNAUTHENTICATED, "auth comes first")
            return None
        try:
            actor = await self._application.admit(first.data)
        except Refused as refused:
            writer.write(_ack(first.id, {"ok": False, "error": refused.data}))
            writer.close(_code_of(refused), refused.code)
            return None
        writer.write(_ack(first.id, {"ok": True}))
        return PlainClient(actor, writer, self._handlers.running(self._settings.max_in_flight))

    async def _serve(self, intake: "_Intake", writer: SocketWriter, client: PlainClient) -> None:
        try:
            client.heartbeat = Heartbeat(asyncio.get_running_loop(), self._settings, client)
            intake.heartbeat = client.heartbeat
            self._hub.add(client)
            while (received := await intake.next()) is not None:
                if received.event == "ack":
                    client.answered(received)
                else:
                    client.running.start(self._handle(received, client, writer))
                if client.running.busy is not None:
                    await asyncio.wait((client.running.busy,))
        finally:
            self._hub.remove(client)
            client.left()

    async def _handle(self, received: Frame, client: PlainClient, writer: SocketWriter) -> None:
        ack = await self._application.dispatch(client, received.event, received.data)
        if received.id is not None:
            try:
                writer.write(_ack(received.id, ack))
            except TypeError:
                _log.exception("An acknowledgement is not JSON", extra={"event": received.event})


class _Intake:
    """The receiving side of one connection.

    Attributes:
        heartbeat: Hears of pongs, once there is one.
    """

    __slots__ = ("_writer", "_ws", "heartbeat")

    def __init__(self, ws: web.WebSocketResponse, writer: SocketWriter) -> None:
        self._ws, self._writer = ws, writer
        self.heartbeat: Heartbeat | None = None

    async def next(self) -> Frame | None:
        """Return the next JSON frame, or None when the connection is over.

        Raises:
            ProtocolError: Something else came.
        """
        while not self._writer.is_closing:
            message: WSMessage = await self._ws.receive()
            if self._writer.is_closing:
                break  # it came when nothing more was to be heard
            if message.type is WSMsgType.TEXT:
                return parse_frame(message.data)
            if message.type is WSMsgType.PING:
                self._writer.write(frame(PONG, bytes(message.data)))
            elif message.type is WSMsgType.PONG:
                if self.heartbeat is not None:
                    self.heartbeat.pong()
            elif message.type is WSMsgType.BINARY:
                raise ProtocolError("frames are text")
            else:
                break
        return None


def _code_of(refused: Refused) -> int:
    """Return the close code of a refusal."""
    if refused.is_final:
        return UNAUTHENTICATED
    _log.info("a socket is refused for now", extra={"reason": refused.code})
    is_too_many = (refused.data or {}).get("status") == TooManyRequests.status
    return TOO_MANY if is_too_many else TRY_AGAIN


def _ack(number: Any, data: Any) -> bytes:
    return _text({"event": "ack", "id": number, "data": data})


def _text(value: Any) -> bytes:
    return frame(TEXT, write_json(value))
