"""The receiving side of a WebSocket, where frames and bytes count as they arrive.

aiohttp hands over whole messages. The fragments of one that never ends, or bytes that trickle in,
would cost its parser's time and the loop's before anybody had counted them; and it takes frames
without a mask and lengths written too long, which RFC 6455 forbids (sections 5.1 and 5.2). So this
reads the heads of frames first, and lets through to the parser what the peer's allowance has room
for. The rest waits here, and the transport is not read meanwhile: TCP holds the peer back.
"""

import asyncio
from typing import Final, cast

from aiohttp import WebSocketError, WSCloseCode, web
from aiohttp._websocket.reader import WebSocketDataQueue, WebSocketReader
from aiohttp._websocket.writer import WebSocketWriter
from aiohttp.web_request import BaseRequest

from .settings import RealtimeSettings
from .throttle import UNIT, Throttle

_MASKED: Final = 0x80
_SHORTEST_HEAD: Final = 6  # two bytes and the mask


class CountedWebSocket(web.WebSocketResponse):
    """A WebSocket that is read as fast as its peer may send."""

    def __init__(self, settings: RealtimeSettings, throttle: Throttle) -> None:
        """Describe one that is not prepared yet.

        Args:
            settings: The limits.
            throttle: How fast the peer is heard.
        """
        super().__init__(
            autoclose=False,  # what waits for the end of a turn goes before the close
            autoping=False,  # a ping is answered where it is counted, and a pong heard
            compress=False,
            max_msg_size=settings.max_payload + 1,  # aiohttp refuses what reaches it
            timeout=settings.close_timeout_s,
        )
        self._throttle = throttle

    def _post_start(
        self, request: BaseRequest, protocol: str | None, writer: WebSocketWriter
    ) -> None:
        """Stand between the connection and its parser; aiohttp offers no place for that."""
        connection = request.protocol
        early, connection._message_tail = connection._message_tail, b""  # noqa: SLF001 - as above
        super()._post_start(request, protocol, writer)
        parser = cast(WebSocketReader, self._parser)
        messages = cast(WebSocketDataQueue, self._reader)
        gate = _Gate(connection, parser, messages, self._throttle)
        connection._payload_parser = gate  # noqa: SLF001 - as above
        connection.data_received(early)


class _Gate:
    """What aiohttp takes for the parser."""

    __slots__ = (
        "_bytes",
        "_connection",
        "_left",
        "_messages",
        "_parser",
        "_refused",
        "_throttle",
        "_timer",
        "_waiting",
    )

    def __init__(
        self,
        connection: web.RequestHandler,
        parser: WebSocketReader,
        messages: WebSocketDataQueue,
        throttle: Throttle,
    ) -> None:
        self._connection = connection
        self._parser = parser
        self._messages = messages
        self._throttle = throttle
        self._waiting = b""  # from the head of a frame on, or in the middle of a payload
        self._left = 0  # bytes of a payload that are still to come
        self._bytes = 0  # that no unit was counted for yet
        self._timer: asyncio.TimerHandle | None = None  # nothing passes meanwhile
        self._refused = False

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Take what has arrived, as a parser does."""
        if not self._refused:
            units, self._bytes = divmod(self._bytes + len(data), UNIT)
            pieces = units + bool(self._waiting or self._left)  # of a frame that has begun
            self._waiting += data
            is_held = self._throttle.holds(pieces) if pieces else False
            if self._timer is None:
                self._hold() if is_held else self._pass_on()
        return False, b""

    def feed_eof(self) -> None:
        """Take the end, as a parser does."""
        if self._timer is not None:
            self._timer.cancel()
        self._refused = True
        self._parser.feed_eof()

    def _pass_on(self) -> None:
        """Let through whole heads, and of payloads what is there, as long as there is room."""
        data = self._waiting
        end, is_held = min(self._left, len(data)), False
        self._left -= end
        while not is_held and len(data) - end >= 2:
            try:
                size = _size(data, end)
            except WebSocketError as error:
                self._parser.feed_data(data[:end])
                self._refuse(error)
                return
            if size is None:
                break
            beyond = end + size
            end = min(beyond, len(data))
            self._left = beyond - end
            is_held = self._throttle.holds()
        self._waiting = data[end:]
        if end:
            self._parser.feed_data(data[:end])
        if is_held:
            self._hold()

    def _refuse(self, error: WebSocketError) -> None:
        self._refused, self._waiting = True, b""
        self._messages.set_exception(error)

    def _hold(self) -> None:
        self._connection._pause_reading_for_buffer()  # noqa: SLF001 - the flag for just that
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._throttle.wait_s, self._release)

    def _release(self) -> None:
        if wait_s := self._throttle.resume():
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._release)
            return
        self._timer = None
        self._pass_on()
        if self._timer is None:
            self._connection._resume_reading_for_buffer()  # noqa: SLF001 - as above


def _size(data: bytes, start: int) -> int | None:
    """Return how many bytes a masked frame has, head and payload; None: too little of it is there.

    The head is whole before anything of it goes on, so that its mask and size are known.

    Raises:
        WebSocketError: It has no mask, or its length takes more bytes than it needs.
    """
    if not data[start + 1] & _MASKED:
        raise WebSocketError(WSCloseCode.PROTOCOL_ERROR, "A frame of a client has no mask")
    length = data[start + 1] & ~_MASKED
    extra = {126: 2, 127: 8}.get(length, 0)
    if len(data) - start < _SHORTEST_HEAD + extra:
        return None
    if extra:
        length = int.from_bytes(data[start + 2 : start + 2 + extra])
        if length < (126 if extra == 2 else 1 << 16):
            raise WebSocketError(WSCloseCode.PROTOCOL_ERROR, "A frame's length is written too long")
    return _SHORTEST_HEAD + extra + length
