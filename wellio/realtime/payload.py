"""Engine.IO v4 packets: one a WebSocket frame, or several in the body of a polling request.

Text packets are `<type><data>`. Binary data is a frame of its own on a WebSocket and `b<base64>` in
a polling body. Source: docs/engine.io-protocol/v4-current.md of socketio/socket.io.
"""

import base64
import binascii
from typing import Final

from .faults import ProtocolError

OPEN: Final = b"0"
CLOSE: Final = b"1"
PING: Final = b"2"
MESSAGE: Final = b"4"
NOOP: Final = b"6"
PROBE_ANSWER: Final = b"3probe"

_SEPARATOR: Final = "\x1e"


def split_payload(body: bytes) -> list[str]:
    """Split a polling body into its packets; an empty body has one empty packet."""
    try:
        return body.decode().split(_SEPARATOR)
    except UnicodeDecodeError as error:
        raise ProtocolError("the payload is not UTF-8") from error


def join_payload(packets: list[bytes]) -> bytes:
    """Return a polling body with these packets."""
    return _SEPARATOR.encode().join(packets)


def encode_binary(data: bytes) -> bytes:
    """Return binary data as a packet of a polling body."""
    return b"b" + base64.b64encode(data)


def decode_binary(packet: str) -> bytes:
    """Return the data of a `b<base64>` packet."""
    try:
        return base64.b64decode(packet[1:], validate=True)
    except (binascii.Error, ValueError) as error:
        raise ProtocolError("a binary packet is not base64") from error
