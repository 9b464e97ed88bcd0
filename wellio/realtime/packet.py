"""Socket.IO v5 packets: text with numbered placeholders, then the binary attachments.

    <type>[<attachments>-][<namespace>,][<acknowledgement id>][JSON]

Source: docs/socket.io-protocol/v5-current.md of socketio/socket.io.
"""

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from enum import IntEnum
from typing import Any, Final, NamedTuple

import orjson

from wellio.strict.misfits import has_long_number, read_exactly

from .faults import ProtocolError


class PacketType(IntEnum):
    """The first digit of a packet."""

    CONNECT = 0
    DISCONNECT = 1
    EVENT = 2
    ACK = 3
    CONNECT_ERROR = 4
    BINARY_EVENT = 5
    BINARY_ACK = 6


class Packet(NamedTuple):
    """One packet; `data` still holds placeholders while attachments are missing."""

    type: PacketType
    namespace: str
    id: int | None
    data: Any
    attachments: int = 0


# The names of the clients' and servers' own events: a peer may not send them.
RESERVED: Final = frozenset(
    ("connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener")
)
_TYPES: Final = {str(int(kind)): kind for kind in PacketType}
_BINARY: Final = (PacketType.BINARY_EVENT, PacketType.BINARY_ACK)
_ATTACHMENTS: Final = re.compile(r"([0-9]{1,4})-")
# A namespace ends at the first comma, or with the packet. 15 digits stay exact in JavaScript.
_HEADER: Final = re.compile(r"(?:(/[^,]*)(?:,|$))?([0-9]{0,15})")
# The head of nearly every packet: an event of the main namespace.
_EVENT: Final = re.compile(r"2([0-9]{0,15})(?=\[)")
_MAX_DEPTH: Final = 64


def decode(text: str) -> Packet:
    """Read the text of a packet.

    Raises:
        ProtocolError: It is not one that a client may send.
    """
    if event := _EVENT.match(text):
        number = int(event[1]) if event[1] else None
        return _checked(Packet(PacketType.EVENT, "/", number, parse_json(text[event.end() :])))
    kind = _TYPES.get(text[:1])
    if kind is None or kind is PacketType.CONNECT_ERROR:
        raise ProtocolError("unknown packet type")
    position, attachments = 1, 0
    if kind in _BINARY:
        counted = _ATTACHMENTS.match(text, 1)
        if counted is None:
            raise ProtocolError("a binary packet without a number of attachments")
        position, attachments = counted.end(), int(counted[1])
    header = _HEADER.match(text, position)
    if header is None:  # cannot be: every part is optional
        raise ProtocolError("invalid packet header")
    body = text[header.end() :]
    data = parse_json(body) if body else None
    number = int(header[2]) if header[2] else None
    return _checked(Packet(kind, header[1] or "/", number, data, attachments))


def _checked(packet: Packet) -> Packet:
    kind, _, number, data, _ = packet
    if kind in (PacketType.EVENT, PacketType.BINARY_EVENT):
        if not (isinstance(data, list) and data and isinstance(data[0], str)):
            raise ProtocolError("an event is an array that begins with its name")
        if data[0] in RESERVED:
            raise ProtocolError("reserved event name")
    elif kind in (PacketType.ACK, PacketType.BINARY_ACK):
        if not isinstance(data, list) or number is None:
            raise ProtocolError("an acknowledgement is an array with an id")
    elif kind is PacketType.CONNECT:
        if not (data is None or isinstance(data, dict)):
            raise ProtocolError("the payload of CONNECT is an object")
    elif data is not None:
        raise ProtocolError("DISCONNECT has no payload")
    return packet


def encode(
    kind: PacketType, namespace: str = "/", number: int | None = None, data: Any = None
) -> bytes:
    """Return the text of a packet without attachments."""
    head = f"{kind:d}" if namespace == "/" else f"{kind:d}{namespace},"
    if number is not None:
        head += str(number)
    return head.encode() if data is None else head.encode() + write_json(data)


def encode_message(
    kind: PacketType, namespace: str, number: int | None, data: Sequence[Any]
) -> tuple[bytes, list[bytes]]:
    """Return an EVENT or ACK as text and attachments; with attachments it is a BINARY one."""
    attachments: list[bytes] = []
    try:
        return encode(kind, namespace, number, data), attachments
    except TypeError:  # bytes are no JSON
        plain = _extract(data, attachments)
        if not attachments:
            raise
    binary = PacketType.BINARY_EVENT if kind is PacketType.EVENT else PacketType.BINARY_ACK
    text = encode(binary, namespace, number, plain)
    return b"%d%d-%b" % (binary, len(attachments), text[1:]), attachments


def _extract(value: Any, attachments: list[bytes]) -> Any:
    if isinstance(value, bytes | bytearray | memoryview):
        attachments.append(bytes(value))
        return {"_placeholder": True, "num": len(attachments) - 1}
    if isinstance(value, dict):
        return {key: _extract(item, attachments) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_extract(item, attachments) for item in value]
    return value


def insert(value: Any, attachments: Sequence[bytes]) -> Any:
    """Return the data with its placeholders replaced by the attachments they number."""
    if isinstance(value, dict):
        if value.get("_placeholder") is True:
            number = value.get("num")
            if type(number) is not int or not 0 <= number < len(attachments):
                raise ProtocolError("a placeholder without its attachment")
            return attachments[number]
        return {key: insert(item, attachments) for key, item in value.items()}
    if isinstance(value, list):
        return [insert(item, attachments) for item in value]
    return value


def parse_json(text: str) -> Any:
    """Read JSON, with all that it may say: half a character, an integer of any length.

    A person's half emoji must get a 422, not cost the connection.

    Raises:
        ProtocolError: It is none, or is nested so deeply that nobody could walk through it.
    """
    value = _read(text)
    # Few texts have so many brackets; what these hold is looked at.
    if text.count("[") + text.count("{") > _MAX_DEPTH and _is_deep(value):
        raise ProtocolError("JSON is nested too deeply")
    return value


def _read(text: str) -> Any:
    # orjson would round the integers of more than 64 bits that are in there.
    if not has_long_number(text.encode(errors="replace")):
        with suppress(orjson.JSONDecodeError):
            return orjson.loads(text)
    try:
        return read_exactly(text)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("invalid JSON") from error


def _is_deep(value: Any) -> bool:
    level: list[Any] = [[value]]
    for _ in range(_MAX_DEPTH + 1):
        level = [
            item
            for outer in level
            for item in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(item, dict | list)
        ]
        if not level:
            return False
    return True


def write_json(value: Any) -> bytes:
    """Write what `parse_json` reads.

    Raises:
        TypeError: It is no JSON, such as bytes.
    """
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":")).encode()
