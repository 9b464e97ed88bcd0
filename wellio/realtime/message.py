"""An event for clients: encoded once, and framed once for each protocol that somebody speaks."""

from typing import Any

import orjson

from .frame import TEXT, frame


class Message:
    """One event with its data.

    Attributes:
        event: Its name.
        data: Its data as JSON text (UTF-8).
        packet: The Engine.IO packet of a Socket.IO event in the main namespace.
        packet_frame: The same as a WebSocket frame, which is what nearly everybody gets.
    """

    __slots__ = ("_plain_frame", "data", "event", "packet", "packet_frame")

    def __init__(self, event: str, data: bytes) -> None:
        self.event = event
        self.data = data
        self.packet = b"42[%b,%b]" % (orjson.dumps(event), data)
        self.packet_frame = frame(TEXT, self.packet)
        self._plain_frame: bytes | None = None

    @classmethod
    def of(cls, event: str, data: Any) -> "Message":
        """Encode an event; `data` is anything that orjson takes."""
        return cls(event, orjson.dumps(data))

    @property
    def plain_frame(self) -> bytes:
        """The WebSocket frame of a client of `/ws`."""
        if self._plain_frame is None:
            name = orjson.dumps(self.event)
            self._plain_frame = frame(TEXT, b'{"event":%b,"data":%b}' % (name, self.data))
        return self._plain_frame
