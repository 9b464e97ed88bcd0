"""WebSocket frames as a server sends them (RFC 6455 section 5.2): whole and unmasked.

An unmasked frame is the same for every recipient, so a broadcast builds it once.
"""

import struct
from typing import Final

TEXT: Final = 0x1
BINARY: Final = 0x2
PING: Final = 0x9
PONG: Final = 0xA

_FINAL: Final = 0x80
_SHORT = struct.Struct("!BB").pack
_MEDIUM = struct.Struct("!BBH").pack
_LONG = struct.Struct("!BBQ").pack


def frame(opcode: int, payload: bytes) -> bytes:
    """Return the bytes of one frame."""
    size = len(payload)
    if size < 126:
        return _SHORT(_FINAL | opcode, size) + payload
    if size < 65_536:
        return _MEDIUM(_FINAL | opcode, 126, size) + payload
    return _LONG(_FINAL | opcode, 127, size) + payload
