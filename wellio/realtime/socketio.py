"""A Socket.IO v5 server on top of `engineio.py`: namespaces, events, acknowledgements, binary.

It knows nothing of Wellio: a `Namespace` says who may connect and what events do.
"""

import asyncio
import logging
import secrets
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from aiohttp import web

from .admission import Admission
from .engineio import EngineServer
from .faults import TRY_AGAIN, Disconnected, ProtocolError, Refused
from .handlers import ConnectionHandlers, Handlers
from .packet import (
    RESERVED,
    Packet,
    PacketType,
    decode,
    encode,
    encode_message,
    insert,
)
from .patience import Deadline
from .session import Session
from .settings import RealtimeSettings

_log = logging.getLogger("wellio.realtime")


class Namespace(Protocol):
    """What an application does with the sockets of one namespace."""

    async def connect(self, socket: "Socket", auth: Mapping[str, Any]) -> None:
        """Let a socket in, before it is told; raise Refused to refuse it.

        What is not final closes the whole connection, so that the peer tries again by itself.
        """

    def connected(self, socket: "Socket") -> None:
        """Learn that the socket was told that it is in: events may be sent to it."""

    async def event(self, socket: "Socket", name: str, args: list[Any]) -> Sequence[Any]:
        """Handle an event; the result is sent if the peer asked for an acknowledgement.

        Events of one socket begin in the order in which they arrived, and each runs undisturbed up
        to its first await.
        """

    def disconnected(self, socket: "Socket", reason: str) -> None:
        """Learn that a socket that was let in has left; called once."""


class Socket:
    """One peer in one namespace.

    Attributes:
        id: Its id on the wire.
        namespace: The namespace's name.
        session: The Engine.IO session below.
        data: Whatever the application keeps with it.
        is_connected: It was let in and has not left.
    """

    __slots__ = (
        "_acks",
        "_connection",
        "_next_ack",
        "data",
        "id",
        "is_connected",
        "namespace",
        "session",
    )

    def __init__(self, namespace: str, connection: "Connection") -> None:
        self.id = secrets.token_urlsafe(15)
        self.namespace = namespace
        self.session = connection.session
        self._connection = connection
        self.data: Any = None
        self.is_connected = False
        self._acks: dict[int, asyncio.Future[list[Any]]] | None = None
        self._next_ack = 0

    def emit(self, event: str, *args: Any) -> None:
        """Send an event; arguments are JSON or bytes.

        Raises:
            ValueError: The name is the protocol's own.
        """
        self._send(PacketType.EVENT, None, [_named(event), *args])

    async def call(self, event: str, *args: Any, timeout_s: float = 10.0) -> list[Any]:
        """Send an event and wait for its acknowledgement.

        Returns:
            The arguments of the acknowledgement.

        Raises:
            TimeoutError: None came in time.
            Disconnected: The peer left first.
        """
        if not self.is_connected:
            raise Disconnected
        number, self._next_ack = self._next_ack, self._next_ack + 1
        self._acks = self._acks if self._acks is not None else {}
        answer: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._acks[number] = answer
        self._send(PacketType.EVENT, number, [_named(event), *args])
        try:
            async with asyncio.timeout(timeout_s):
                return await answer
        finally:
            self._acks.pop(number, None)

    def disconnect(self) -> None:
        """Leave the namespace; a client that obeys the protocol does not come back by itself."""
        self._connection.disconnect(self)

    def acknowledge(self, number: int, args: Sequence[Any]) -> None:
        """Answer an event of the peer."""
        self._send(PacketType.ACK, number, args)

    def answered(self, number: int, args: list[Any]) -> None:
        """Take the peer's answer to `call`; one that nobody waits for is dropped."""
        answer = self._acks.get(number) if self._acks else None
        if answer is not None and not answer.done():
            answer.set_result(args)

    def left(self) -> None:
        """Note that the peer is gone."""
        self.is_connected = False
        for answer in (self._acks or {}).values():
            if not answer.done():
                answer.set_exception(Disconnected())

    def _send(self, kind: PacketType, number: int | None, data: Sequence[Any]) -> None:
        if not self.is_connected:
            return
        text, attachments = encode_message(kind, self.namespace, number, data)
        self.session.send_text(text)
        for attachment in attachments:
            self.session.send_binary(attachment)


def _named(event: str) -> str:
    if event in RESERVED:
        raise ValueError(f"{event} is an event of the protocol itself")
    return event


class Connection:
    """What one session carries: a socket for each namespace, and a packet that is not complete."""

    __slots__ = (
        "_deadline",
        "_partial",
        "_refusals",
        "_server",
        "_sockets",
        "running",
        "session",
    )

    def __init__(self, server: "SocketServer", session: Session) -> None:
        self._server = server
        self.session = session
        self._sockets: dict[str, Socket] = {}  # those that are not let in yet, too
        self._refusals = 0
        self._partial: tuple[Packet, list[bytes]] | None = None
        self.running: ConnectionHandlers = server.handlers.running(server.settings.max_in_flight)
        self._deadline: Deadline | None = None
        self._start_deadline()

    @property
    def busy(self) -> asyncio.Future[None] | None:
        """Reading waits while too many events are being handled."""
        return self.running.busy

    def on_text(self, data: str) -> None:
        """Take the text of a packet."""
        if self._partial is not None:
            raise ProtocolError("an attachment is missing")
        packet = decode(data)
        if packet.attachments > self._server.settings.max_attachments:
            raise ProtocolError("too many attachments")
        if packet.attachments:
            self._partial = packet, []
        else:
            self._take(packet)

    def on_binary(self, data: bytes) -> None:
        """Take an attachment; the last one completes its packet."""
        if self._partial is None:
            raise ProtocolError("an attachment without a packet")
        packet, attachments = self._partial
        attachments.append(data)
        if len(attachments) == packet.attachments:
            self._partial = None
            self._take(packet._replace(data=insert(packet.data, attachments)))

    def on_close(self, reason: str) -> None:
        """Tell every namespace that its socket left."""
        self._stop_deadline()
        for socket in list(self._sockets.values()):
            if socket.is_connected:
                self._leave(socket, reason)

    def disconnect(self, socket: Socket) -> None:
        """End one socket from our side; the peer does not reconnect by itself."""
        if socket.is_connected:
            self.session.send_text(encode(PacketType.DISCONNECT, socket.namespace))
            self._leave(socket, "server disconnect")

    def _take(self, packet: Packet) -> None:
        if packet.type is PacketType.CONNECT:
            self._connect(packet.namespace, packet.data or {})
            return
        socket = self._sockets.get(packet.namespace)
        if socket is None or not socket.is_connected:
            raise ProtocolError("not connected to this namespace")
        if packet.type in (PacketType.EVENT, PacketType.BINARY_EVENT):
            self.running.start(self._handle(socket, packet.id, packet.data))
        elif packet.type is PacketType.DISCONNECT:
            self._leave(socket, "client disconnect")
        elif packet.id is not None:
            socket.answered(packet.id, packet.data)

    def _connect(self, name: str, auth: dict[str, Any]) -> None:
        namespace = self._server.namespaces.get(name)
        if namespace is None:
            self._refuse(name, Refused("Invalid namespace"))
        elif name in self._sockets:
            raise ProtocolError("connected to this namespace already")
        else:
            socket = self._sockets[name] = Socket(name, self)
            self.running.start(self._admit(namespace, socket, auth))

    async def _admit(self, namespace: Namespace, socket: Socket, auth: dict[str, Any]) -> None:
        try:
            await namespace.connect(socket, auth)
            if self.session.is_closed:
                namespace.disconnected(socket, "transport closed")
            else:
                self._let_in(namespace, socket)
        except Refused as refused:
            self._refuse(socket.namespace, refused)
        except Exception:  # noqa: BLE001 - the application's bug is not the peer's fault
            _log.exception("A handshake failed", extra={"namespace": socket.namespace})
            self._refuse(socket.namespace, Refused("Internal error", is_final=False))

    def _let_in(self, namespace: Namespace, socket: Socket) -> None:
        self._stop_deadline()
        self.session.guest.leave()
        socket.is_connected = True
        connected = encode(PacketType.CONNECT, socket.namespace, data={"sid": socket.id})
        self.session.send_text(connected)
        namespace.connected(socket)

    def _refuse(self, name: str, refused: Refused) -> None:
        if not refused.is_final:  # after a CONNECT_ERROR, no client would try again
            _log.info("a socket is refused for now", extra={"reason": refused.code})
            self.session.close(refused.code, code=TRY_AGAIN)
            return
        data: dict[str, Any] = {"message": refused.message}
        if refused.data is not None:
            data["data"] = refused.data
        self.session.send_text(encode(PacketType.CONNECT_ERROR, name, data=data))
        self._remove(name)
        self._refusals += 1
        if self._refusals >= self._server.settings.max_refusals:
            self.session.close("refused")

    async def _handle(self, socket: Socket, number: int | None, data: list[Any]) -> None:
        name, *args = data
        try:
            result = await self._server.namespaces[socket.namespace].event(socket, name, args)
            if number is not None:
                socket.acknowledge(number, result)
        except Exception:  # noqa: BLE001 - the application's bug must not cost the connection
            _log.exception("An event failed", extra={"namespace": socket.namespace})

    def _leave(self, socket: Socket, reason: str) -> None:
        self._remove(socket.namespace)
        socket.left()
        self._server.namespaces[socket.namespace].disconnected(socket, reason)

    def _remove(self, name: str) -> None:
        self._sockets.pop(name, None)
        if not self._sockets and self._deadline is None and not self.session.is_closed:
            self.session.guest.come_back()
            self._start_deadline()

    def _start_deadline(self) -> None:
        self._deadline = Deadline(
            asyncio.get_running_loop(),
            self._server.settings.connect_timeout_s,
            partial(self.session.close, "connect timeout"),
        )

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.stop()
            self._deadline = None


class SocketServer:
    """The namespaces of one process and the Engine.IO server below them."""

    def __init__(
        self,
        namespaces: Mapping[str, Namespace],
        settings: RealtimeSettings,
        *,
        admission: Admission | None = None,
        handlers: Handlers | None = None,
    ) -> None:
        """Serve these namespaces and refuse all others.

        Args:
            namespaces: By name; `/` is the main one.
            settings: Times and limits.
            admission: See EngineServer.
            handlers: Where handlers run; its own by default.
        """
        self.namespaces = namespaces
        self.settings = settings
        self.handlers = handlers or Handlers()
        self.engine = EngineServer(self._accept, settings, admission)

    def routes(self, path: str = "/socket.io/") -> list[web.RouteDef]:
        """Return the routes that serve the protocol."""
        return self.engine.routes(path)

    def _accept(self, session: Session) -> Connection:
        return Connection(self, session)
