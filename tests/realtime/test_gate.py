"""Frames and bytes of a WebSocket count as they arrive, whatever comes of them; all are masked."""

import asyncio
import contextlib
import itertools
import json
import random
from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp.test_utils import TestServer

from tests.attack.packets import BINARY, CLOSE, MORE, PING, PONG, TEXT, frame
from tests.realtime.conftest import PATIENT, Serve
from tests.realtime.peers import Peer
from tests.realtime.practice_app import create_app
from tests.realtime.reference_server import create_app as create_echo
from wellio.realtime import Admission
from wellio.testing import DEADLINE_S

PATHS = {
    "plain": "/ws",
    "socketio": "/socket.io/?EIO=4&transport=websocket",
    "upgrade": "/socket.io/?EIO=4&transport=websocket&sid=",
}
HANDSHAKE = (
    "Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
BEGIN = frame(TEXT, b"4", fin=False)
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@contextlib.asynccontextmanager
async def raw(peer: Peer, path: str, early: bytes = b"") -> AsyncIterator[Streams]:
    """Open a WebSocket whose bytes are ours; the first ones come along with the handshake."""
    assert isinstance(peer.server, TestServer)
    if path.endswith("sid="):
        path += await peer.open("/socket.io/")
    reader, writer = await asyncio.open_connection("127.0.0.1", peer.server.port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\n{HANDSHAKE}".encode() + early)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101"), head
        yield reader, writer
    finally:
        writer.transport.abort()


async def frames(reader: asyncio.StreamReader) -> AsyncIterator[tuple[int, bytes]]:
    """Yield what a server sends, to the end."""
    async with asyncio.timeout(DEADLINE_S):
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                first, size = await reader.readexactly(2)
                if size > 125:
                    size = int.from_bytes(await reader.readexactly({126: 2, 127: 8}[size]))
                yield first & 0xF, await reader.readexactly(size)


async def close_code(reader: asyncio.StreamReader) -> int | None:
    """Read to the end of the connection, and return the code that it was closed with."""
    code = None
    async for opcode, payload in frames(reader):
        if opcode == CLOSE:
            code = int.from_bytes(payload[:2])
    return code


UNMASKED = {
    "text": frame(TEXT, b'{"event":"x"}', mask=False),
    "empty": frame(TEXT, b"", mask=False),
    "binary": frame(BINARY, b"x" * 300, mask=False),
    "ping": frame(PING, b"", mask=False),
    "pong": frame(PONG, b"", mask=False),
    "close": frame(CLOSE, b"", mask=False),
    "the rest of a message": BEGIN + frame(MORE, b"", mask=False),
    "after good ones": frame(PING, b"") * 3 + frame(PONG, b"x", mask=False) + frame(PING, b""),
    "a head alone": frame(TEXT, b"x" * 70_000, mask=False)[:2],
}


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
async def test_a_frame_without_a_mask_ends_the_connection(serve: Serve, path: str) -> None:
    peer = await serve(create_app())
    for kind, sent in UNMASKED.items():
        for early in (b"", sent):
            async with raw(peer, path, early) as (reader, writer):
                writer.write(sent)
                assert await close_code(reader) == 1002, kind


class Counting:
    """An allowance that is used up after a while, for long."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._changed = asyncio.Event()
        self.taken = 0

    def take(self, key: str) -> float:
        if self.taken >= self._limit:
            return 3600.0
        self.taken += 1
        self._changed.set()
        return 0.0

    async def reach(self, count: int) -> None:
        """Wait until so much was used."""
        async with asyncio.timeout(DEADLINE_S):
            while self.taken < count:
                self._changed.clear()
                await self._changed.wait()


BIG = frame(BINARY, b"x" * 60_000, fin=False)
FLOODS = {
    "empty continuations": (BEGIN, frame(MORE, b"", fin=False)),
    "small continuations": (BEGIN, frame(MORE, b"x", fin=False)),
    "empty texts": (b"", frame(TEXT, b"")),
    "pings": (b"", frame(PING, b"x" * 125)),
    "pongs": (b"", frame(PONG, b"")),
    "pings amid a message": (BEGIN, frame(PING, b"") + frame(MORE, b"", fin=False)),
    "the bytes of a frame": (BIG[:20], b"x" * 4096),
}
LIMIT = 200


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
async def test_every_shape_counts(serve: Serve, path: str) -> None:
    for kind, (begin, flood) in FLOODS.items():
        allowance = Counting(LIMIT)
        peer = await serve(create_app(admission=Admission(packets=allowance)))
        async with raw(peer, path) as (_, writer):
            count = (60_000 // 4096) if "bytes" in kind else 5 * LIMIT
            writer.write(begin + flood * count)
            await allowance.reach(min(count, LIMIT))


async def test_bytes_that_trickle_count(serve: Serve) -> None:
    allowance = Counting(LIMIT)
    peer = await serve(create_app(admission=Admission(packets=allowance)))
    async with raw(peer, "/ws") as (_, writer):
        writer.write(BIG[:8])  # the head
        for number in range(1, 40):
            await allowance.reach(number)
            writer.write(b"x")


async def test_who_is_over_the_limit_costs_the_others_nothing(serve: Serve) -> None:
    """What is not taken yet is not read, and no more than a read of it is kept."""
    allowance = Counting(LIMIT)
    peer = await serve(create_app(admission=Admission(packets=allowance)))
    async with raw(peer, "/ws") as (_, writer):
        writer.transport.set_write_buffer_limits(high=0)
        flood = FLOODS["empty continuations"][1] * 10_000
        writer.write(BEGIN)

        async def send_on() -> None:
            for _ in range(1_000):
                writer.write(flood)
                await writer.drain()

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(send_on(), 1)
        assert allowance.taken == LIMIT
        reply = await peer.request("GET", "/socket.io/", EIO="4", transport="polling")
        assert reply.status == 200


async def test_messages_are_what_they_were_however_they_are_cut(serve: Serve) -> None:
    peer = await serve(create_echo(PATIENT))
    rng = random.Random(7)  # noqa: S311 - to be repeated
    sizes = (0, 1, 124, 125, 126, 127, 4095, 4096, 65_534, 65_535, 65_536, 100_000)
    texts = ["4" + "x" * size for size in sizes]
    sent = b"".join(itertools.chain.from_iterable(_cut(text.encode(), rng) for text in texts))
    path = PATHS["socketio"].replace("socket.io", "engine.io")
    async with raw(peer, path, sent[:10]) as (reader, writer):
        at = 10
        while at < len(sent):
            size = rng.choice((1, 2, 5, 7, 50_000))
            writer.write(sent[at : at + size])
            at += size
            await asyncio.sleep(0)
        received = frames(reader)
        opened = json.loads((await anext(received))[1][1:])
        assert opened["upgrades"] == []
        texts_back = [(await anext(received))[1].decode() for _ in texts]
    assert texts_back == texts


def _cut(payload: bytes, rng: random.Random) -> Iterator[bytes]:
    """Return a message in one to three fragments, pings among them."""
    cuts = sorted(rng.randrange(len(payload) + 1) for _ in range(rng.randrange(3)))
    parts = [payload[a:b] for a, b in itertools.pairwise((0, *cuts, len(payload)))]
    for number, part in enumerate(parts):
        yield frame(MORE if number else TEXT, part, fin=number == len(parts) - 1)
        if number < len(parts) - 1:
            yield frame(PONG, b"")
