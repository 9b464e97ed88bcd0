"""Packets that no client should send: made from good ones by breaking them, and from nothing.

Everything comes from a `random.Random`, so a run is repeated with its seed.
"""

import json
import random
import struct
from collections.abc import Callable, Sequence
from typing import Any, Final

MORE: Final = 0x0
TEXT: Final = 0x1
BINARY: Final = 0x2
PING: Final = 0x9
PONG: Final = 0xA
CLOSE: Final = 0x8
_ID: Final = "0190a000-0000-7000-8000-000000000001"

_ENGINE: Final = ("0", "0{}", "1", "2", "2probe", "3", "3probe", "4", "5", "6", "b", "bAQID", "9")
_HEADS: Final = (
    "42",
    "421",
    "42/,1",
    "40",
    "41",
    "43",
    "431",
    "44",
    "451-",
    "452-7",
    "461-1",
    "47",
)
_NAMESPACES: Final = ("", "/,", "/admin,", "/admin", "/a/b,c,", "/" + "n" * 300 + ",")
_EVENTS: Final = (
    "send_message",
    "typing",
    "mark_read",
    "mark_delivered",
    "sync",
    "connect",
    "disconnecting",
    "__class__",
    "",
    "x" * 500,
)
_NUMBERS: Final = ("", "0", "-1", "1", "999999999999999", "9" * 40, "²", "1e3")
_ODD_JSON: Final = (
    "NaN",
    "[1e999]",
    "1" * 5_000,
    '"\\ud800"',
    '"\\u0000"',
    '"\u0000"',
    "'x'",
    "{,}",
    "[" * 2_000,
    '{"a":' * 500 + "1" + "}" * 500,
    "[" + "{}," * 3_000 + "{}]",
    '{"_placeholder":true,"num":0}',
    '{"_placeholder":true,"num":99}',
    '[{"_placeholder":true}]',
    "\ufeff[]",
    '{"a":1,"a":2}',
)


def frame(
    opcode: int,
    payload: bytes,
    *,
    fin: bool = True,
    rsv: int = 0,
    mask: bool = True,
    length: int | None = None,
) -> bytes:
    """Return a WebSocket frame; `length` is what it says of itself, if that is not the truth."""
    size = len(payload) if length is None else length
    flag = 0x80 if mask else 0
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    if size < 126:
        head = struct.pack("!BB", first, flag | size)
    elif size < 65_536:
        head = struct.pack("!BBH", first, flag | 126, size)
    else:
        head = struct.pack("!BBQ", first, flag | 127, size)
    return head + (b"\0\0\0\0" if mask else b"") + payload  # a mask of zeros changes nothing


def _value(rng: random.Random, depth: int = 0) -> Any:
    """Return something that JSON can say, of any type."""
    kind = rng.randrange(9 if depth < 4 else 6)
    if kind < 6:
        return (None, rng.random() < 0.5, rng.randrange(-5, 10**20), rng.random(), _ID, "x" * 9)[
            kind
        ]
    if kind == 6:
        return [_value(rng, depth + 1) for _ in range(rng.randrange(4))]
    names = ("conversationId", "content", "localId", "isTyping", "after", "messageId", "type", "é")
    return {rng.choice(names): _value(rng, depth + 1) for _ in range(rng.randrange(4))}


def _json(rng: random.Random) -> str:
    return rng.choice(_ODD_JSON) if rng.random() < 0.3 else json.dumps(_value(rng))


def _socketio(rng: random.Random) -> str:
    head = rng.choice(_HEADS) + rng.choice(_NAMESPACES) + rng.choice(_NUMBERS)
    if rng.random() < 0.6:
        return f"{head}[{json.dumps(rng.choice(_EVENTS))},{_json(rng)}]"
    return head + _json(rng)


def _plain(rng: random.Random) -> str:
    if rng.random() < 0.2:
        return _json(rng)
    event, number = json.dumps(rng.choice((*_EVENTS, "auth", "ack"))), _json(rng)
    return f'{{"event":{event},"data":{_json(rng)},"id":{number}}}'


def broken(rng: random.Random, text: str) -> str:
    """Return a text with a few characters taken away, put in, doubled or changed."""
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(text) + 1)
        odd = rng.choice('0123456789-,/[]{}":\\\x00\x1e é\ud800')
        cut = rng.randrange(4)
        text = rng.choice((text[:at], text[:at] + odd + text[at + cut :], text + text[at:]))[:9_000]
    return text


def text_packet(rng: random.Random, *, plain: bool) -> bytes:
    """Return one packet of Socket.IO (or of `/ws`) as bytes; now and then they are no UTF-8."""
    text = _plain(rng) if plain else _socketio(rng)
    if not plain and rng.random() < 0.2:
        text = rng.choice(_ENGINE)
    if rng.random() < 0.4:
        text = broken(rng, text)
    return text.encode("utf-8", "surrogatepass")


def _reserved(rng: random.Random) -> bytes:
    return frame(rng.choice((3, 4, 5, 6, 7, 11, 12, 13, 14, 15)), b"x")


def _reserved_bits(rng: random.Random) -> bytes:
    return frame(TEXT, b"42[]", rsv=rng.randrange(1, 8))


def _lies(rng: random.Random) -> bytes:
    return frame(TEXT, b"4" * 200, length=rng.choice((10**6, 2**31, 2**63 - 1, 2**64 - 1, 199)))


def _control(rng: random.Random) -> bytes:
    opcode = rng.choice((CLOSE, PING, PONG))
    return frame(opcode, b"x" * rng.choice((0, 1, 125, 126, 300)), fin=rng.random() < 0.5)


def _close(rng: random.Random) -> bytes:
    code = struct.pack("!H", rng.choice((0, 999, 1004, 1005, 1006, 1016, 2999, 5000, 65_535)))
    return frame(CLOSE, code + rng.choice((b"", b"bye", b"\xff\xfe")))


def _fragments(rng: random.Random) -> bytes:
    parts = [frame(TEXT, b"4", fin=False)] * rng.randrange(3)
    parts += [frame(0, b"2[", fin=False), frame(TEXT, b'"x"]'), frame(0, b"")] * rng.randrange(3)
    rng.shuffle(parts)
    return b"".join(parts)


def _unmasked(rng: random.Random) -> bytes:
    return frame(TEXT, text_packet(rng, plain=False), mask=False)


def _noise(rng: random.Random) -> bytes:
    return rng.randbytes(rng.randrange(1, 300))


_FRAMES: Final[Sequence[Callable[[random.Random], bytes]]] = (
    _reserved,
    _reserved_bits,
    _lies,
    _control,
    _close,
    _fragments,
    _unmasked,
    _noise,
)


def packet(rng: random.Random, *, plain: bool) -> bytes:
    """Return the bytes of one packet on a WebSocket: mostly good frames around bad packets."""
    kind = rng.random()
    if kind < 0.75:
        return frame(TEXT, text_packet(rng, plain=plain))
    if kind < 0.85:
        return frame(BINARY, rng.randbytes(rng.randrange(50)))
    return rng.choice(_FRAMES)(rng)


def body(rng: random.Random) -> bytes:
    """Return the body of a polling request with a few packets."""
    packets = [text_packet(rng, plain=False) for _ in range(rng.randrange(1, 5))]
    if rng.random() < 0.2:
        packets.append(b"b" + rng.choice((b"*", b"AQID=", b"====", b"AQI", b"\xff")))
    return rng.choice((b"\x1e", b"\x1e\x1e", b"")).join(packets)


def query(rng: random.Random) -> str:
    """Return the query of a handshake."""
    names = ("EIO", "transport", "sid", "t", "b64", "%00", "EIO")
    values = ("4", "3", "polling", "websocket", "", "x" * 200, "%ff", "__proto__", "4&EIO=3")
    return "&".join(f"{rng.choice(names)}={rng.choice(values)}" for _ in range(rng.randrange(6)))
