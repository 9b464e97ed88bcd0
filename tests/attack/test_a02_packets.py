"""A2: malformed packets of Engine.IO, Socket.IO and `/ws`, frames that are none, and floods.

Whatever is sent, the server stays alive and answers the others, calls nothing of it its own error,
closes or answers at once, and keeps no memory of it.
"""

import asyncio
import contextlib
import itertools
import json
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp
import pytest

from tests.attack import packets
from tests.attack.crowd import SEED, Crowd, gathered
from tests.attack.others import Answers, p99_ms, talking
from wellio.testing.plugin import StartApp

_PATIENCE_S: Final = 5.0
_KINDS: Final = ("socketio", "plain", "polling", "handshake")
_GROWTH_KIB: Final = 20 * 1024
_IO: Final = "/socket.io/?EIO=4&transport=websocket"


@pytest.fixture
def engine() -> str:
    """One is enough: what gets as far as a database is somebody else's test."""
    return "sqlite"


@dataclass
class Attack:
    """Sends packets until there were enough.

    Attributes:
        count: How many to send.
        outcomes: How often connections ended how, by kind.
        hangs: What was neither answered nor closed in time.
    """

    crowd: Crowd
    rng: random.Random
    count: int
    sent: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    hangs: list[str] = field(default_factory=list)

    async def run(self, workers: int) -> None:
        await asyncio.gather(*(self._work() for _ in range(workers)))

    async def _work(self) -> None:
        async with aiohttp.ClientSession() as http:
            while self.sent < self.count:
                kind = self.rng.choice(_KINDS)
                try:
                    async with asyncio.timeout(_PATIENCE_S):
                        outcome = await self._strike(kind, http)
                except TimeoutError:
                    self.hangs.append(kind)
                except (ConnectionError, asyncio.IncompleteReadError, aiohttp.ClientError):
                    outcome = "closed"
                self.outcomes[f"{kind} {outcome}"] += 1

    async def _strike(self, kind: str, http: aiohttp.ClientSession) -> str:
        if kind == "polling":
            return await self._poll(http)
        if kind == "handshake":
            return await self._shake_hands()
        return await self._speak(plain=kind == "plain")

    async def _speak(self, *, plain: bool) -> str:
        """Sign in, or not, and send packets as long as each is taken."""
        async with connected(self.crowd.port, "/ws" if plain else _IO) as (reader, writer):
            if self.rng.random() < 0.8:
                auth = json.dumps({"token": self.rng.choice(self.crowd.people).token})
                first = f'{{"event":"auth","data":{auth}}}' if plain else f"40{auth}"
                writer.write(packets.frame(packets.TEXT, first.encode()))
                await _until(reader, b'"ok":true' if plain else b"40{")
            for _ in range(self.rng.randrange(1, 12)):
                self.sent += 1
                writer.write(packets.packet(self.rng, plain=plain))
                writer.write(packets.frame(packets.PING, b"are you there?"))
                if (code := await _until(reader, b"are you there?")) is not None:
                    return str(code)
            return "still open"

    async def _poll(self, http: aiohttp.ClientSession) -> str:
        """Open a session, send bodies, and end it."""
        url = f"{self.crowd.url}/socket.io/?EIO=4&transport=polling"
        async with http.get(url) as reply:
            url += f"&sid={json.loads((await reply.text())[1:])['sid']}"
        auth = json.dumps({"token": self.rng.choice(self.crowd.people).token})
        status = 200
        for data in (f"40{auth}".encode(), *(packets.body(self.rng) for _ in range(3)), b"1"):
            async with http.post(url, data=data) as reply:
                status = reply.status
                self.sent += data.count(b"\x1e") + 1
                assert status < 500, data
        return str(status)

    async def _shake_hands(self) -> str:
        method = self.rng.choice(("GET", "GET", "POST", "OPTIONS", "PUT", "HEAD"))
        path = self.rng.choice(("/socket.io/", "/ws", "/socket.io"))
        headers = self.rng.choice(("", _UPGRADE, _UPGRADE.replace("13", "12"), "Upgrade: x\r\n"))
        target = f"{path}?{packets.query(self.rng)}"
        async with dialled(self.crowd.port) as (reader, writer):
            writer.write(f"{method} {target} HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode())
            self.sent += 1
            status = (await reader.readuntil(b"\r\n"))[9:12].decode()
        assert status < "500", (method, target)
        return status


_UPGRADE: Final = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: a.secret.token\r\n"
)
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@contextlib.asynccontextmanager
async def dialled(port: int) -> AsyncIterator[Streams]:
    """Connect, and hang up at the end without another word."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


@contextlib.asynccontextmanager
async def connected(port: int, path: str) -> AsyncIterator[Streams]:
    """Open a WebSocket on which nothing is answered by itself."""
    async with dialled(port) as (reader, writer):
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{_UPGRADE}\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101"), head
        yield reader, writer


async def _until(reader: asyncio.StreamReader, sign: bytes) -> int | None:
    """Read frames until one holds a sign, or until the end: then return its code."""
    while True:
        first, second = await reader.readexactly(2)
        size = second & 0x7F
        if size > 125:
            size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8))
        payload = await reader.readexactly(size)
        if first & 0xF == packets.CLOSE:
            return int.from_bytes(payload[:2])
        if sign in payload:
            return None


async def fuzz(start: StartApp, folder: Path, count: int, warm_up: int) -> None:
    print(f"SEED={SEED}")
    env = {"WELLIO_LIMITS__ENABLED": "false"}  # an attack shall get as deep as it can
    async with gathered(start, folder, people=4, groups=1, env=env) as crowd:
        first = Attack(crowd, random.Random(SEED), warm_up)  # noqa: S311 - to be repeated
        await first.run(4)
        before = crowd.rss_kib()
        async with talking(crowd.url, crowd.groups[0], *_tokens(crowd)) as answers:
            await asyncio.sleep(count / 2_000)
            attack = Attack(crowd, random.Random(SEED + 1), count)  # noqa: S311 - the same
            began = time.monotonic()
            await attack.run(4)
            ended, talked = time.monotonic(), await answers()
        grown = crowd.rss_kib() - before
        print(
            f"A2: {attack.sent} packets in {ended - began:.1f} s, {len(attack.hangs)} hangs, "
            f"RSS {grown / 1024:+.1f} MiB, {_p99(talked, began, ended)}\n"
            f"    {dict(sorted(attack.outcomes.items()))}"
        )
        assert first.hangs + attack.hangs == []
        assert crowd.complaints() == []
        assert "secret" not in crowd.log.read_text()
        assert grown <= _GROWTH_KIB


def _tokens(crowd: Crowd) -> list[str]:
    return [person.token for person in crowd.people[:2]]


def _p99(talked: Answers, began: float, ended: float) -> str:
    quiet_ms, busy_ms = p99_ms(talked, 0, began), p99_ms(talked, began, ended)
    return f"p99 of others {quiet_ms:.1f} ms before and {busy_ms:.1f} ms meanwhile"


@pytest.mark.slow("it sends thousands of packets")
async def test_malformed_packets(wellio_app: StartApp, tmp_path: Path) -> None:
    await fuzz(wellio_app, tmp_path, count=800, warm_up=400)


@pytest.mark.prove
@pytest.mark.timeout(600)
async def test_ten_thousand_malformed_packets(wellio_app: StartApp, tmp_path: Path) -> None:
    await fuzz(wellio_app, tmp_path, count=10_000, warm_up=3_000)


def _text(packet: str) -> bytes:
    return packets.frame(packets.TEXT, packet.encode())


FLOODS: Final[dict[str, Callable[[int], bytes]]] = {
    "events": lambda n: _text(f'42{n}["nothing"]'),
    "wide JSON": lambda n: _text(f'42{n}["sync",{{"after":[{"{}," * 2_000}1]}}]'),
    "answers": lambda n: _text(f'43{n}["x"]'),
    "pongs": lambda n: _text("3"),
    "pings": lambda n: packets.frame(packets.PING, b""),
    "fragments": lambda n: packets.frame(packets.MORE if n else packets.TEXT, b"", fin=False),
}
_SOCKETS: Final = 3
_SECONDS: Final = 2.0
_PACKETS: Final = 500 + 100 * _SECONDS  # what one socket may send meanwhile
_EVENTS: Final = 500 + 50 * _SECONDS  # what an account may, however many sockets it has


class Flood:
    """One socket that sends frames of a kind as fast as it can, and reads what comes."""

    def __init__(self, kind: str) -> None:
        self._kind, self._frame = kind, FLOODS[kind]
        self.answers: Counter[str] = Counter()
        self.sent = 0

    async def run(self, crowd: Crowd, token: str) -> None:
        async with connected(crowd.port, _IO) as (reader, writer):
            writer.write(packets.frame(packets.TEXT, b'40{"token":"%b"}' % token.encode()))
            await _until(reader, b"40{")
            reading = asyncio.create_task(self._read(reader))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_SECONDS):
                    await self._send(writer)
            reading.cancel()
            await asyncio.wait((reading,))

    async def _send(self, writer: asyncio.StreamWriter) -> None:
        for number in itertools.count():
            writer.write(self._frame(number))
            self.sent += 1
            if number % 50 == 0:
                await writer.drain()
                await asyncio.sleep(0)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        sign = b"\x8a\0" if self._kind == "pings" else b'[{"ok":'
        while data := await reader.read(65_536):
            self.answers["taken"] += data.count(sign)
            self.answers["spent"] += data.count(b'"rate_limited"')


@pytest.mark.slow("it is a flood")
async def test_floods_are_heard_slowly(wellio_app: StartApp, tmp_path: Path) -> None:
    async with gathered(wellio_app, tmp_path, people=2 + len(FLOODS), groups=1) as crowd:
        floods = {kind: [Flood(kind) for _ in range(_SOCKETS)] for kind in FLOODS}
        attackers = zip(floods.values(), crowd.people[2:], strict=True)
        async with talking(crowd.url, crowd.groups[0], *_tokens(crowd)) as answers:
            await asyncio.sleep(1)
            began, cpu_s = time.monotonic(), crowd.cpu_s()
            await asyncio.gather(
                *(f.run(crowd, who.token) for some, who in attackers for f in some)
            )
            cores = (crowd.cpu_s() - cpu_s) / (time.monotonic() - began)
            talked = await answers()
        print(f"A2: floods took {cores:.2f} cores, {_p99(talked, began, began + _SECONDS)}")
        for kind, some in floods.items():
            taken, spent = (sum(f.answers[key] for f in some) for key in ("taken", "spent"))
            print(f"    {kind}: {sum(f.sent for f in some)} sent, {taken} taken, {spent} refused")
            assert taken <= _SOCKETS * _PACKETS * 1.1, kind
            assert kind == "pings" or taken - spent <= _EVENTS * 1.1, kind
        assert crowd.complaints() == []
