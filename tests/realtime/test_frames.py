"""What RFC 6455 asks of a server's frames, by the cases of the Autobahn test suite (its numbers).

One thing is not as that suite wants it: aiohttp takes a close with 1006, which no peer may send.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator

import pytest_asyncio

from tests.attack.packets import BINARY, CLOSE, MORE, PING, PONG, TEXT, frame
from tests.realtime.conftest import PATIENT, Serve
from tests.realtime.peers import Peer
from tests.realtime.reference_server import create_app
from tests.realtime.test_gate import close_code, frames, raw

PATH = "/engine.io/?EIO=4&transport=websocket"
#: Sent last where nothing may be wrong: who hears it has heard all before it.
GOODBYE = frame(CLOSE, (1000).to_bytes(2))
LIMIT = PATIENT.max_payload
HALF = "Hello-µ@ßöäüàá-UTF-8!!".encode()


def closing(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, code.to_bytes(2) + reason)


def long_head(opcode: int, size: int, bytes_of_size: int) -> bytes:
    """Return a masked head whose length takes so many bytes, whatever it is; the mask is zero."""
    kind = {2: 126, 8: 127}[bytes_of_size]
    return bytes((0x80 | opcode, 0x80 | kind)) + size.to_bytes(bytes_of_size) + bytes(4)


#: What is sent, and what comes back.
ECHOES: dict[str, tuple[bytes, list[tuple[int, bytes]]]] = {
    f"1.1 text of {size}": (frame(TEXT, b"4" + b"*" * size), [(TEXT, b"4" + b"*" * size)])
    for size in (0, 1, 124, 125, 126, 127, 65_533, 65_534, 65_535, LIMIT - 1)
} | {
    "1.2 binary": (frame(BINARY, bytes(range(256))), [(BINARY, bytes(range(256)))]),
    "1.2 empty binary": (frame(BINARY, b""), [(BINARY, b"")]),
    "2.1 empty ping": (frame(PING, b""), [(PONG, b"")]),
    "2.2 ping": (frame(PING, b"hello"), [(PONG, b"hello")]),
    "2.3 ping of bytes": (frame(PING, b"\0\xff\xfe\xfd"), [(PONG, b"\0\xff\xfe\xfd")]),
    "2.4 ping of 125": (frame(PING, b"\xfe" * 125), [(PONG, b"\xfe" * 125)]),
    "2.7 pong that nobody asked for": (frame(PONG, b"x") + frame(PING, b"y"), [(PONG, b"y")]),
    "2.10 ten pings": (b"".join(frame(PING, b"%d" % n) for n in range(10)),
                       [(PONG, b"%d" % n) for n in range(10)]),
    "5.3 two fragments": (frame(TEXT, b"4a", fin=False) + frame(MORE, b"b"), [(TEXT, b"4ab")]),
    "5.6 a ping between": (
        frame(TEXT, b"4a", fin=False) + frame(PING, b"p") + frame(MORE, b"b"),
        [(PONG, b"p"), (TEXT, b"4ab")],
    ),
    "5.19 pings between many": (
        frame(TEXT, b"41", fin=False)
        + (frame(MORE, b"2", fin=False) + frame(PING, b"p")) * 4
        + frame(MORE, b"3"),
        [(PONG, b"p")] * 4 + [(TEXT, b"4122223")],
    ),
    "6.1 empty fragments": (
        frame(TEXT, b"4", fin=False) + frame(MORE, b"", fin=False) + frame(MORE, b""),
        [(TEXT, b"4")],
    ),
    "6.2 text of many bytes a character": (frame(TEXT, b"4" + HALF), [(TEXT, b"4" + HALF)]),
    "6.2.3 a byte a fragment": (
        frame(TEXT, b"4", fin=False)
        + b"".join(frame(MORE, HALF[n : n + 1], fin=n == len(HALF) - 1) for n in range(len(HALF))),
        [(TEXT, b"4" + HALF)],
    ),
    "6.7 the last of the first plane": (frame(TEXT, b"4\xef\xbf\xbf\xf4\x8f\xbf\xbf"),
                                        [(TEXT, b"4\xef\xbf\xbf\xf4\x8f\xbf\xbf")]),
    "a mask of zero": (long_head(TEXT, 126, 2) + b"4" * 126, [(TEXT, b"4" * 126)]),
}  # fmt: skip
#: What is sent, and the code that the connection is closed with.
CLOSES: dict[str, tuple[bytes, int]] = {
    "2.5 ping of 126": (long_head(PING, 126, 2) + bytes(126), 1002),
    **{f"3 reserved bits {bits}": (bytes((0x81 | bits << 4, 0x80, 0, 0, 0, 0)), 1002)
       for bits in range(1, 8)},
    **{f"4 opcode {opcode}": (frame(opcode, b""), 1002)
       for opcode in (*range(3, 8), *range(11, 16))},
    "5.1 ping in fragments": (frame(PING, b"a", fin=False) + frame(MORE, b"b"), 1002),
    "5.2 pong in fragments": (frame(PONG, b"a", fin=False) + frame(MORE, b"b"), 1002),
    "close in fragments": (frame(CLOSE, b"", fin=False), 1002),
    "5.9 nothing to go on with": (frame(MORE, b"a"), 1002),
    "5.11 the same, unfinished": (frame(MORE, b"a", fin=False) + frame(TEXT, b"4"), 1002),
    "5.18 a text in a text": (frame(TEXT, b"4a", fin=False) + frame(TEXT, b"4b"), 1002),
    "binary in a text": (frame(TEXT, b"4a", fin=False) + frame(BINARY, b"b"), 1002),
    "6.3 no UTF-8": (frame(TEXT, b"4\xce\xba\xe1\xbd\xb9\xed\xa0\x80edited"), 1007),
    "6.3 no UTF-8 in fragments": (
        frame(TEXT, b"4\xce", fin=False) + frame(MORE, b"\xba\xed\xa0", fin=False)
        + frame(MORE, b"\x80x"), 1007),
    "6.5 cut off": (frame(TEXT, b"4\xe2\x82"), 1007),
    "6.6 beyond all planes": (frame(TEXT, b"4\xf4\x90\x80\x80"), 1007),
    "6.12 written too long": (frame(TEXT, b"4\xc0\xaf"), 1007),
    "7.1 after the close": (closing(1000) + frame(TEXT, b"4late") + frame(PING, b""), 1000),
    "7.3.1 empty close": (frame(CLOSE, b""), 1000),
    "7.3.2 close of one byte": (frame(CLOSE, b"x"), 1002),
    "7.3.6 close of 126": (long_head(CLOSE, 126, 2) + bytes(126), 1002),
    "7.5 close with no UTF-8": (closing(1000, b"\xce\xba\xe1\xbd\xb9\xed\xa0\x80"), 1007),
    **{f"7.9 code {code}": (closing(code), 1002)
       for code in (0, 999, 1004, 1005, 1016, 1100, 2000, 2999)},
    "9 one byte too many": (long_head(TEXT, LIMIT + 1, 8), 1009),
    "9 one byte too many in fragments": (
        frame(TEXT, b"4" * 10, fin=False) + long_head(MORE, LIMIT - 9, 8), 1009),
    "the largest length": (long_head(BINARY, (1 << 63) - 1, 8), 1009),
    "a length with the top bit": (long_head(BINARY, 1 << 63, 8), 1009),
    "two bytes where one will do": (long_head(TEXT, 125, 2), 1002),
    "eight bytes where two will do": (long_head(TEXT, 65_535, 8), 1002),
}  # fmt: skip
#: After these, the connection is closed with 1000 or with the same code.
FINE_CODES = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)


@pytest_asyncio.fixture
async def echo(serve: Serve) -> Peer:
    return await serve(create_app(PATIENT))


async def answers(reader: asyncio.StreamReader) -> AsyncIterator[tuple[int, bytes]]:
    """Yield what a server sends after its first packet."""
    received = frames(reader)
    assert (await anext(received))[1].startswith(b"0{")
    async for item in received:
        yield item


async def test_what_is_right_is_answered(echo: Peer) -> None:
    for name, (sent, expected) in ECHOES.items():
        async with raw(echo, PATH) as (reader, writer):
            writer.write(sent + GOODBYE)
            got = [item async for item in answers(reader)]
            assert got[:-1] == expected, name
            assert got[-1][1].startswith(b"\x03\xe8"), name


async def test_what_is_wrong_closes_the_connection(echo: Peer) -> None:
    for name, (sent, code) in CLOSES.items():
        async with raw(echo, PATH) as (reader, writer):
            writer.write(sent)
            assert await close_code(reader) == code, name


async def test_every_good_code_is_taken(echo: Peer) -> None:
    for code in FINE_CODES:
        async with raw(echo, PATH) as (reader, writer):
            writer.write(closing(code, "µ".encode() * 61))
            assert await close_code(reader) in (1000, code)


async def test_it_is_the_same_however_the_bytes_arrive(echo: Peer) -> None:
    cases = [ECHOES[name] for name in ("5.19 pings between many", "6.2.3 a byte a fragment")]
    sent = b"".join(case[0] for case in cases)
    expected = list(itertools.chain(*(case[1] for case in cases)))
    for cut in range(1, len(sent)):
        async with raw(echo, PATH) as (reader, writer):
            writer.write(sent[:cut])
            await asyncio.sleep(0)
            writer.write(sent[cut:] + GOODBYE)
            got = [item async for item in answers(reader)]
            assert got[:-1] == expected, cut
