"""An event for clients: encoded once, and framed once for each protocol that somebody speaks."""

from functools import cached_property
from typing import Any

import orjson

from .frame import TEXT, frame


class Message:
    """One event with its data.

    Attributes:
        event: Its name.
        data: Its data as JSON text (UTF-8).
    """

    def __init__(self, event: str, data: bytes) -> None:
        self.event = event
        self.data = data

    @classmethod
    def of(cls, event: str, data: Any) -> "Message":
        """Encode an event; `data` is anything that orjson takes."""
        return cls(event, orjson.dumps(data))

    @cached_property
    def packet(self) -> bytes:
        """The Engine.IO packet of a Socket.IO event in the main namespace."""
        return b"42[%b,%b]" % (orjson.dumps(self.event), self.data)

    @cached_property
    def packet_frame(self) -> bytes:
        """The same as a WebSocket frame."""
        return frame(TEXT, self.packet)

    @cached_property
    def plain_frame(self) -> bytes:
        """The WebSocket frame of a client of `/ws`."""
        return frame(TEXT, b'{"event":%b,"data":%b}' % (orjson.dumps(self.event), self.data))
