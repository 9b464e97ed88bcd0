"""An Engine.IO v4 server for aiohttp: handshake, long-polling, WebSocket, upgrade, error codes.

Source: docs/engine.io-protocol/v4-current.md of socketio/socket.io. What it leaves open is done as
the reference implementation does it.
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from enum import Enum
from urllib.parse import parse_qsl

from aiohttp import WSMsgType, web

from . import payload, polling
from .admission import Admission, Guest
from .faults import ProtocolError
from .frame import PONG, TEXT, frame
from .gate import CountedWebSocket
from .patience import patience
from .session import Receiver, Session
from .settings import RealtimeSettings
from .socket_writer import SocketWriter
from .throttle import Throttle
from .write_buffer import WriteBuffer

_TRANSPORTS = ("polling", "websocket")

# A session and the WebSocket that it speaks on from now on.
Connected = tuple[web.WebSocketResponse, Session]


class Refusal(Enum):
    """Why a request is refused: HTTP status, code and message of the reference implementation."""

    UNKNOWN_TRANSPORT = (400, 0, "Transport unknown")
    UNKNOWN_SID = (400, 1, "Session ID unknown")
    BAD_HANDSHAKE_METHOD = (400, 2, "Bad handshake method")
    BAD_REQUEST = (400, 3, "Bad request")
    FORBIDDEN = (403, 4, "Forbidden")
    UNSUPPORTED_VERSION = (400, 5, "Unsupported protocol version")
    TOO_LARGE = (413, 3, "Payload too large")
    CLOSING = (503, 4, "Server is shutting down")

    def response(self) -> web.Response:
        """Return the refusal as a response."""
        status, code, message = self.value
        return web.json_response({"code": code, "message": message}, status=status)


class EngineServer:
    """All sessions under one path of one process."""

    def __init__(
        self,
        accept: Callable[[Session], Receiver],
        settings: RealtimeSettings,
        admission: Admission | None = None,
    ) -> None:
        """Serve sessions.

        Args:
            accept: Makes what stands on top of a new session; it may send at once.
            settings: Times and limits.
            admission: Says who may connect; by default whoever comes from no page.
        """
        self._accept = accept
        self._settings = settings
        self._admission = admission or Admission()
        self._sessions: dict[str, Session] = {}
        self._write_buffer = WriteBuffer()
        self._is_closing = False

    def routes(self, path: str) -> list[web.RouteDef]:
        """Return the routes that serve the protocol at a path such as `/engine.io/`."""
        return [web.route("*", path, self.handle)]

    def close(self, reason: str = "server shutdown", code: int = 1012) -> None:
        """Take no more sessions and close those that are open."""
        self._is_closing = True
        for session in list(self._sessions.values()):
            session.close(reason, code=code)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one HTTP request of the protocol."""
        served = await self._serve(request)
        if isinstance(served, tuple):  # from here: no frame of the handshake lives that long
            return await self._pump(*served)
        response = served.response() if isinstance(served, Refusal) else served
        if not response.prepared:
            response.headers["Cache-Control"] = "no-store"
        return response

    async def _serve(self, request: web.Request) -> web.StreamResponse | Refusal | Connected:
        query = dict(parse_qsl(request.rel_url.raw_query_string))  # what yarl parses, it keeps
        is_websocket = request.headers.get("Upgrade", "").lower() == "websocket"
        if refusal := self._refusal(request, query, is_websocket):
            return refusal
        if request.method == "OPTIONS":
            return web.Response(status=204)
        sid = query.get("sid")
        if sid is None:
            return await self._open(request, is_websocket)
        session = self._find(sid)
        if session is None:
            return Refusal.UNKNOWN_SID
        if is_websocket:
            return await self._upgrade(request, session)
        return await self._exchange(request, session)

    def _refusal(
        self, request: web.Request, query: Mapping[str, str], is_websocket: bool
    ) -> Refusal | None:
        if not self._admission.may_connect(request):
            return Refusal.FORBIDDEN
        if request.method == "OPTIONS":  # it asks for nothing
            return None
        transport = query.get("transport")
        if transport not in _TRANSPORTS:
            return Refusal.UNKNOWN_TRANSPORT
        if query.get("EIO") != "4":
            return Refusal.UNSUPPORTED_VERSION
        if is_websocket != (transport == "websocket"):
            return Refusal.BAD_REQUEST
        return None

    def _find(self, sid: str) -> Session | None:
        session = self._sessions.get(sid)
        if session is not None and session.is_overdue():
            session.expire()
            return None
        return session

    async def _open(
        self, request: web.Request, is_websocket: bool
    ) -> web.Response | Refusal | Connected:
        if self._is_closing:
            return Refusal.CLOSING
        if request.method != "GET":
            return Refusal.BAD_HANDSHAKE_METHOD
        sid = f"{self._settings.node}-{secrets.token_urlsafe(15)}"
        throttle = self._admission.throttle(sid)
        guest = self._admission.enter(request)
        try:
            if not is_websocket:
                return polling.answer(self._start(sid, guest, throttle, None).drain())
            ws = CountedWebSocket(self._settings, throttle)
            writer = await SocketWriter.open(request, ws, self._settings, self._write_buffer)
            return ws, self._start(sid, guest, throttle, writer)
        except BaseException:
            guest.leave()
            raise

    def _start(
        self, sid: str, guest: Guest, throttle: Throttle, writer: SocketWriter | None
    ) -> Session:
        session = Session(sid, self._settings, self._forget, guest, throttle, writer)
        self._sessions[sid] = session
        try:
            session.receiver = self._accept(session)
        except BaseException:
            self._forget(sid)
            session.abandon()
            raise
        return session

    def _forget(self, sid: str) -> None:
        self._sessions.pop(sid, None)

    async def _exchange(self, request: web.Request, session: Session) -> web.Response | Refusal:
        if session.writer is not None:
            return Refusal.BAD_REQUEST
        if session.is_closed:
            return await self._last_poll(request, session)
        if request.method == "GET":
            return await polling.poll(request, session) or Refusal.BAD_REQUEST
        if request.method != "POST":
            return Refusal.BAD_REQUEST
        try:
            return await polling.push(request, session, self._settings) or Refusal.BAD_REQUEST
        except polling.BodyTooLarge:
            return Refusal.TOO_LARGE

    async def _last_poll(self, request: web.Request, session: Session) -> web.Response | Refusal:
        if request.method != "GET":
            return Refusal.UNKNOWN_SID
        if not session.has_waiting():
            self._forget(session.sid)
        return polling.answer(session.drain())

    async def _upgrade(
        self, request: web.Request, session: Session
    ) -> web.WebSocketResponse | Connected:
        ws = CountedWebSocket(self._settings, session.throttle)
        writer = await SocketWriter.open(request, ws, self._settings, self._write_buffer)
        if session.writer or session.candidate or session.is_closed:
            await writer.closed()  # a session has one WebSocket; this one's handshake was answered
            return ws
        session.candidate = writer
        is_proven = False
        try:
            async with patience(self._settings.upgrade_timeout_s):
                is_proven = await self._probe(ws, writer, session)
        except TimeoutError:
            pass  # it is not proven
        finally:
            if not is_proven:  # the session stays on polling
                session.candidate = None
                session.is_probed = False
        if is_proven:
            session.upgrade(writer)
            return ws, session
        await writer.closed()
        return ws

    async def _probe(
        self, ws: web.WebSocketResponse, writer: SocketWriter, session: Session
    ) -> bool:
        if await _next_text(ws, writer) != "2probe":
            return False
        session.is_probed = True
        writer.write(frame(TEXT, payload.PROBE_ANSWER))
        session.wake()
        return await _next_text(ws, writer) == "5" and not session.is_closed

    async def _pump(self, ws: web.WebSocketResponse, session: Session) -> web.WebSocketResponse:
        reason = "transport closed"
        try:
            while not session.is_closed:
                message = await ws.receive()
                if session.is_closed:
                    break  # it came when nothing more was to be heard
                if message.type is WSMsgType.TEXT:
                    session.take(message.data)
                elif message.type is WSMsgType.BINARY:
                    session.receiver.on_binary(message.data)
                elif message.type is WSMsgType.PING and session.writer is not None:
                    session.writer.write(frame(PONG, bytes(message.data)))
                elif message.type is not WSMsgType.PONG:
                    break
                del message  # the next one may be a long time coming
                if session.receiver.busy is not None:
                    await asyncio.wait((session.receiver.busy,))
        except ProtocolError:
            reason = "parse error"
        finally:
            session.close(reason)
            if session.writer is not None:
                await session.writer.closed()
        return ws


async def _next_text(ws: web.WebSocketResponse, writer: SocketWriter) -> str | None:
    """Return the next message of a WebSocket, if it is text."""
    while (message := await ws.receive()).type in (WSMsgType.PING, WSMsgType.PONG):
        if message.type is WSMsgType.PING:
            writer.write(frame(PONG, bytes(message.data)))
    return message.data if message.type is WSMsgType.TEXT else None
