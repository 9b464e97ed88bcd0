"""The sending side of one WebSocket: bounded, and without a task of its own.

Frames wait for the end of the loop's turn (`write_buffer.py`) and then in the transport's buffer.
Who lets that grow past the limits is closed and catches up later, so a slow peer costs the others
nothing.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Callable
from typing import Final

from aiohttp import web

from .settings import RealtimeSettings
from .write_buffer import WriteBuffer

# So much is not held back any longer.
_BUFFERED_BYTES: Final = 65_536
# A close frame has room for so much after its code (RFC 6455 section 5.5).
_MAX_REASON_BYTES: Final = 123

# The loop holds tasks weakly; a writer may be forgotten before its closing handshake ends.
_closing: set[asyncio.Task[None]] = set()


class SocketWriter:
    """Writes frames to a WebSocket and closes it."""

    __slots__ = (
        "_closer",
        "_ends",
        "_has_lost",
        "_held",
        "_held_bytes",
        "_loop",
        "_on_overflow",
        "_settings",
        "_transport",
        "_write_buffer",
        "_written",
        "_ws",
        "is_closing",
    )

    def __init__(
        self,
        ws: web.WebSocketResponse,
        transport: asyncio.Transport,
        settings: RealtimeSettings,
        write_buffer: WriteBuffer,
    ) -> None:
        """Write to a prepared WebSocket.

        Args:
            ws: The response; the caller goes on reading from it.
            transport: Its transport.
            settings: The limits.
            write_buffer: Has the frames of a turn leave together.
        """
        self._ws = ws
        self._transport = transport
        self._settings = settings
        self._write_buffer = write_buffer
        self._loop = asyncio.get_running_loop()
        self._held: list[bytes] = []  # the frames of this turn
        self._held_bytes = 0
        self._written = 0
        self._ends: list[int] = []  # where the frames end that may still be waiting
        self._has_lost = False
        self._on_overflow: Callable[[], None] = self.close
        self._closer: asyncio.Task[None] | None = None
        self.is_closing = False

    @classmethod
    async def open(
        cls,
        request: web.Request,
        ws: web.WebSocketResponse,
        settings: RealtimeSettings,
        write_buffer: WriteBuffer,
    ) -> "SocketWriter":
        """Answer the WebSocket handshake of a request.

        Raises:
            web.HTTPBadRequest: It is no WebSocket handshake.
            ConnectionResetError: The peer has gone.
        """
        await ws.prepare(request)
        ws.headers.clear()  # they are sent; kept, they cost a tenth of an idle socket's memory
        transport = request.transport
        if transport is None:
            raise ConnectionResetError("Connection lost")
        return cls(ws, transport, settings, write_buffer)

    def on_overflow(self, callback: Callable[[], None]) -> None:
        """Call this, from the event loop, when the peer is too slow."""
        self._on_overflow = callback

    def write(self, frame: bytes) -> None:
        """Send a whole frame; after the close it is dropped."""
        if self.is_closing or self._has_lost:
            return
        waiting = self._transport.get_write_buffer_size() + self._held_bytes
        if waiting > self._settings.max_waiting_bytes:
            self._has_lost = True
            self._loop.call_soon(self._check_overflow)
            return
        if not self._held:
            self._write_buffer.hold(self)
        self._held.append(frame)
        self._held_bytes += len(frame)
        if self._held_bytes > _BUFFERED_BYTES:
            self.flush()

    def flush(self) -> None:
        """Hand what is held to the transport."""
        held, transport = self._held, self._transport
        if not held:
            return
        self._held, self._held_bytes = [], 0
        if transport.is_closing():
            return
        if not transport.get_write_buffer_size():
            self._ends.clear()
        for frame in held:
            self._written += len(frame)
            self._ends.append(self._written)
        transport.write(held[0] if len(held) == 1 else b"".join(held))
        if self._has_too_many(transport.get_write_buffer_size()):
            # Later, so that closing one peer never runs inside a broadcast; and because uvloop
            # sends at the end of a turn, what still waits then is what the peer leaves there.
            self._loop.call_soon(self._check_overflow)

    def _has_too_many(self, waiting: int) -> bool:
        """Tell whether too many frames are in the transport behind the one on its way."""
        most = self._settings.max_waiting_frames
        if len(self._ends) - 1 > most:
            del self._ends[: bisect_right(self._ends, self._written - waiting)]
        return len(self._ends) - 1 > most

    def _check_overflow(self) -> None:
        if self.is_closing:
            return
        waiting = self._transport.get_write_buffer_size()
        is_full = self._has_too_many(waiting) or waiting > self._settings.max_waiting_bytes
        if self._has_lost or (waiting and is_full):
            self._on_overflow()

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Begin the closing handshake; what is left in the buffer has a while to be sent."""
        if self.is_closing:
            return
        self.flush()
        self.is_closing = True
        self._closer = self._loop.create_task(self._close(code, reason))
        _closing.add(self._closer)
        self._closer.add_done_callback(_closing.discard)

    async def closed(self) -> None:
        """Close it, unless it is closing, and wait until the closing handshake has ended.

        A request's handler ends with this: when it returns, aiohttp closes with a code of its own.
        """
        self.close()
        if self._closer is not None:
            await asyncio.wait((self._closer,))

    @staticmethod
    async def all_closed(timeout_s: float) -> None:
        """Wait until the closing handshakes that are under way have ended, or for this long."""
        if _closing:
            await asyncio.wait(_closing, timeout=timeout_s)

    async def _close(self, code: int, reason: str) -> None:
        self._loop.call_later(self._settings.close_timeout_s, self._transport.abort)
        message = reason.encode()[:_MAX_REASON_BYTES].decode(errors="ignore").encode()
        await self._ws.close(code=code, message=message, drain=False)
