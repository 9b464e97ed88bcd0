"""One Engine.IO session: its heartbeat, what waits for a poll, and its change to WebSocket."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

import orjson

from . import payload
from .admission import Guest
from .faults import ProtocolError
from .frame import BINARY, TEXT, frame
from .heartbeat import Heartbeat
from .settings import RealtimeSettings
from .socket_writer import SocketWriter
from .throttle import Throttle


class Receiver(Protocol):
    """What stands on top of a session; taking a message may raise ProtocolError."""

    @property
    def busy(self) -> asyncio.Future[None] | None:
        """Nothing more is read from the peer before this is done."""

    def on_text(self, data: str) -> None:
        """Take a text message."""

    def on_binary(self, data: bytes) -> None:
        """Take a binary message."""

    def on_close(self, reason: str) -> None:
        """Learn that the session is over; called once."""


class Session:
    """A connection that begins on polling or WebSocket and may change from the first to the second.

    Attributes:
        sid: Its id on the wire.
        guest: What it counts as until the receiver knows who it is.
        throttle: How fast its packets are taken.
        receiver: What stands on top; set right after the session was made.
        writer: The WebSocket, or None on polling.
        candidate: The WebSocket of a change that is under way.
        is_probed: That change has got so far that polls end at once.
        poll: Wakes the pending polling GET.
        is_posting: A polling POST is being read.
        is_closed: It is over; a last poll may still fetch what waits.
    """

    __slots__ = (
        "_bytes",
        "_emptied",
        "_forget",
        "_heartbeat",
        "_last",
        "_loop",
        "_queue",
        "_settings",
        "candidate",
        "guest",
        "is_closed",
        "is_posting",
        "is_probed",
        "poll",
        "receiver",
        "sid",
        "throttle",
        "writer",
    )

    receiver: Receiver

    def __init__(
        self,
        sid: str,
        settings: RealtimeSettings,
        forget: Callable[[str], object],
        guest: Guest,
        throttle: Throttle,
        writer: SocketWriter | None = None,
    ) -> None:
        """Open a session and queue its open packet.

        Args:
            sid: Its id.
            settings: Times and limits.
            forget: Called with the sid once no request can reach the session any more.
            guest: What it counts as at first.
            throttle: How fast its packets are taken.
            writer: The WebSocket of a session that begins on one.
        """
        self.sid = sid
        self.guest = guest
        self.throttle = throttle
        self.writer: SocketWriter | None = None
        self.candidate: SocketWriter | None = None
        self.poll: asyncio.Future[None] | None = None
        self.is_posting = False
        self.is_probed = False
        self.is_closed = False
        self._settings = settings
        self._forget = forget
        self._loop = asyncio.get_running_loop()
        self._queue: list[bytes] = []
        self._bytes = 0
        self._last = payload.NOOP
        self._emptied: asyncio.Future[None] | None = None
        if writer is not None:
            self._adopt(writer)
        self.send_packet(payload.OPEN + self._handshake())
        self._heartbeat = Heartbeat(self._loop, settings, self)

    def _handshake(self) -> bytes:
        return orjson.dumps(
            {
                "sid": self.sid,
                "upgrades": [] if self.writer else ["websocket"],
                "pingInterval": self._settings.ping_interval_ms,
                "pingTimeout": self._settings.ping_timeout_ms,
                "maxPayload": self._settings.max_payload,
            }
        )

    # -- receiving ------------------------------------------------------------------------------

    def take(self, packet: str) -> None:
        """Handle one text packet of the peer.

        Raises:
            ProtocolError: The session must be closed.
        """
        kind = packet[:1]
        if kind == "4":
            self.receiver.on_text(packet[1:])
        elif packet == "3":
            self._heartbeat.pong()
        elif packet == "1":
            self.close("client closed", farewell=payload.NOOP)
        elif kind == "b" and self.writer is None:
            self.receiver.on_binary(payload.decode_binary(packet))
        elif packet not in ("5", "6"):  # a late upgrade or a noop asks for nothing
            raise ProtocolError("invalid packet")

    def ping(self) -> None:
        """Ask the peer whether it is still there."""
        self.send_packet(payload.PING)

    @property
    def is_heard(self) -> bool:
        """Tell whether what the peer sends is being read."""
        return self.receiver.busy is None

    async def answers(self, timeout_s: float) -> bool:
        """Ask the peer whether it is still there, and tell whether it says so in time."""
        return await self._heartbeat.answers(timeout_s)

    def expire(self) -> None:
        """Give the peer up."""
        self.close("ping timeout", is_reachable=False)

    def is_overdue(self) -> bool:
        """Tell whether the peer failed to answer a ping in time."""
        return self._heartbeat.is_overdue()

    # -- sending --------------------------------------------------------------------------------

    def send_text(self, data: bytes) -> None:
        """Send a text message (UTF-8)."""
        self.send_packet(payload.MESSAGE + data)

    def send_binary(self, data: bytes) -> None:
        """Send a binary message."""
        if self.writer is None:
            self._wait(payload.encode_binary(data))
        else:
            self.writer.write(frame(BINARY, data))

    def send_packet(self, packet: bytes) -> None:
        """Send a whole text packet, its type included."""
        if self.writer is None:
            self._wait(packet)
        else:
            self.writer.write(frame(TEXT, packet))

    def drain(self) -> bytes:
        """Take everything that waits, as a polling body; a noop when nothing does.

        The last packet comes by itself: the JavaScript client deals with it before the messages
        that stand in one body with it, so nobody would hear them.
        """
        return payload.join_payload(self._empty() or [self._last])

    async def has_room(self) -> None:
        """Wait until polls have fetched so much that there is room for answers to more packets."""
        while len(self._queue) > self._settings.max_waiting_frames // 2 and not self.is_closed:
            if self._emptied is None:
                self._emptied = self._loop.create_future()
            await asyncio.wait((self._emptied,))

    def has_waiting(self) -> bool:
        """Tell whether a poll would be answered at once."""
        return bool(self._queue)

    def wake(self) -> None:
        """Answer the pending poll, if there is one, with what waits."""
        if self.poll is not None and not self.poll.done():
            self.poll.set_result(None)

    def _wait(self, packet: bytes) -> None:
        if self.is_closed:
            return
        self._queue.append(packet)
        self._bytes += len(packet)
        self.wake()
        if self._is_full():
            self._loop.call_soon(self._overflow)

    def _empty(self) -> list[bytes]:
        packets, self._queue, self._bytes = self._queue, [], 0
        self._report_room()
        return packets

    def _report_room(self) -> None:
        if self._emptied is not None:
            self._emptied.set_result(None)
            self._emptied = None

    def _is_full(self) -> bool:
        settings = self._settings
        return (
            len(self._queue) > settings.max_waiting_frames
            or self._bytes > settings.max_waiting_bytes
        )

    # -- life -----------------------------------------------------------------------------------

    def upgrade(self, writer: SocketWriter) -> None:
        """Go on over this WebSocket: what waited for a poll follows there.

        No poll is pending: since the probe each one is answered at once.
        """
        packets = self._empty()
        self.candidate = None
        self._adopt(writer)
        _write(writer, packets)

    def close(
        self,
        reason: str,
        *,
        code: int = 1000,
        farewell: bytes = payload.CLOSE,
        is_reachable: bool = True,
    ) -> None:
        """End the session; a second call does nothing.

        Args:
            reason: For the receiver.
            code: WebSocket close code.
            farewell: The last packet on polling.
            is_reachable: The peer may still poll, to fetch what waits for it and the last packet.
        """
        if self.is_closed:
            return
        self._last = farewell
        self.wake()
        self.is_closed = True
        self.guest.leave()
        self._report_room()
        self._heartbeat.stop()
        if self.candidate is not None and self.is_probed:  # who listens there polls no more
            _write(self.candidate, self._queue)
        for writer in (self.writer, self.candidate):
            if writer is not None:
                writer.close(code, reason)
        if is_reachable and self.writer is None and (self.poll is None or self.has_waiting()):
            self._loop.call_later(self._settings.ping_timeout_ms / 1000, self._forget, self.sid)
        else:
            self._forget(self.sid)
        self.receiver.on_close(reason)

    def abandon(self) -> None:
        """Stop before anything stands on top of it."""
        self.is_closed = True
        self._heartbeat.stop()
        if self.writer is not None:
            self.writer.close(1011)

    def _adopt(self, writer: SocketWriter) -> None:
        self.writer = writer
        writer.on_overflow(self._overflow)

    def _overflow(self) -> None:
        if not self.is_closed and (self.writer is not None or self._is_full()):
            self._empty()
            self.close("slow consumer", code=4008)


def _write(writer: SocketWriter, packets: Sequence[bytes]) -> None:
    """Send packets of polling over a WebSocket."""
    for packet in packets:
        if packet.startswith(b"b"):
            writer.write(frame(BINARY, payload.decode_binary(packet.decode())))
        else:
            writer.write(frame(TEXT, packet))
