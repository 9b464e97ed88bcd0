"""A4: thousands of connections that send next to nothing, on a real server.

Some drip a head, some a body, some open a WebSocket and say nothing. Each is cut in its time, and
whoever wants something meanwhile hardly notices.
"""

import asyncio
import base64
import os
import random
import resource
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any, Final

import pytest

from tests.attack.target import Target, target
from wellio.testing import DEADLINE_S
from wellio.testing.engines import Databases, EngineName

GRACE_S: Final = 2.0
P99_MS: Final = 300.0
_APART_S: Final = 0.0015  # one comes after the other, all within the time that each has
_CLOSING_S: Final = 5.0  # a WebSocket's peer may take so long over the closing handshake
_DROP_EVERY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Kind:
    """One way of being slow.

    Attributes:
        name: What it is called.
        count: How many connections.
        limit_s: When the server should be fed up.
        start: What they begin with.
        drop: What they send each second; nothing for silent ones.
    """

    name: str
    count: int
    limit_s: float
    start: bytes
    drop: bytes


def kinds(count: int, head_s: float, body_s: float, hello_s: float) -> list[Kind]:
    """Return the three, in a proportion of 4, 2 and 1."""
    head = b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\n"
    body = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    key = base64.b64encode(os.urandom(16))
    socket = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    upgrade = b"GET /ws HTTP/1.1\r\nHost: x\r\n%bSec-WebSocket-Key: %b\r\n\r\n" % (socket, key)
    return [
        Kind("heads", count, head_s, head, b"A: b\r\n"),
        Kind("bodies", count // 2, body_s, body + b"Content-Length: 1000\r\n\r\n", b" "),
        Kind("sockets", count // 4, hello_s + _CLOSING_S, upgrade, b""),
    ]


@pytest.fixture
def engine() -> EngineName:
    """Run on one engine: nothing here gets as far as a database."""
    return "sqlite"


@pytest.fixture(autouse=True)
def many_files() -> None:
    """Let this process, and so the server that it starts, have as many connections as it may."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@pytest.mark.slow("a hundred connections, slowly")
async def test_a_hundred_slow_connections(
    wellio_databases: Callable[[EngineName, bool], Databases], engine: EngineName, tmp_path: Path
) -> None:
    settings = {"WELLIO_REALTIME__CONNECT_TIMEOUT_S": "1"}
    async with target(wellio_databases, engine, tmp_path, settings) as server:
        # How fast others are served is for `prove`: here, other tests have the machine too.
        await besiege(server, kinds(100, head_s=2, body_s=2, hello_s=1), p99_ms=float("inf"))


@pytest.mark.prove
@pytest.mark.timeout(300)
async def test_3500_slow_connections(
    wellio_databases: Callable[[EngineName, bool], Databases], engine: EngineName, tmp_path: Path
) -> None:
    as_shipped = {
        "WELLIO_SERVER__HEAD_TIMEOUT_S": "10",
        "WELLIO_SERVER__BODY_TIMEOUT_S": "15",
        "WELLIO_REALTIME__CONNECT_TIMEOUT_S": "5",
    }
    async with target(wellio_databases, engine, tmp_path, as_shipped) as server:
        await besiege(server, kinds(2000, head_s=10, body_s=15, hello_s=5), P99_MS)


async def besiege(server: Target, attackers: list[Kind], p99_ms: float) -> None:
    """Send them all, measure how everybody else fares, and when each of them is cut."""
    before_ms = await latencies(server, asyncio.create_task(asyncio.sleep(1.5)))
    turn, size_mb = asyncio.Lock(), server.rss_mb()
    slow = [kind for kind in attackers for _ in range(kind.count)]
    random.Random(0).shuffle(slow)  # noqa: S311 - only mixed
    attack = asyncio.gather(*(lag(server, kind, turn) for kind in slow))
    meanwhile_ms = await latencies(server, attack)
    late = {kind.name: 0.0 for kind in attackers}
    for name, seconds in await attack:
        late[name] = max(late[name], seconds)
    p99_before, p99 = p99_of(before_ms), p99_of(meanwhile_ms)
    cut = ", ".join(f"{kind.name} {late[kind.name]:.1f} s of {kind.limit_s}" for kind in attackers)
    print(
        f"\nA4 {sum(kind.count for kind in attackers)} slow connections,"
        f" growth {server.rss_mb() - size_mb:.0f} MB; others: {len(meanwhile_ms)} requests,"
        f" p99 {p99:.0f} ms ({p99_before:.0f} before); cut after at most {cut}"
    )
    # A machine that others use too may stand still: the slowest honest answer tells for how long.
    # And there, three times what it was is as good a sign.
    stood_still_s = max(meanwhile_ms) / 1000
    for kind in attackers:
        assert late[kind.name] <= kind.limit_s + GRACE_S + stood_still_s, kind.name
    assert p99 <= max(p99_ms, 3 * p99_before)


async def lag(server: Target, kind: Kind, turn: asyncio.Lock) -> tuple[str, float]:
    """Be slow; return the kind, and after how many seconds the server had enough."""
    async with turn:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        await asyncio.sleep(_APART_S)
    started = time.monotonic()
    writer.write(kind.start)
    reading = asyncio.create_task(to_the_end(reader))
    try:
        while not (await asyncio.wait((reading,), timeout=_DROP_EVERY_S))[0]:
            if kind.drop and not writer.is_closing():
                writer.write(kind.drop)
            assert time.monotonic() - started < 60, "it is never cut"
        return kind.name, await reading - started
    finally:
        reading.cancel()
        writer.transport.abort()


async def to_the_end(reader: asyncio.StreamReader) -> float:
    """Read until the server has enough, and return when that was."""
    with suppress(ConnectionError):
        while await reader.read(4096):
            pass
    return time.monotonic()


async def latencies(server: Target, until: "asyncio.Future[Any]") -> list[float]:
    """Ask for something, by turns on an old connection and a new one, until a task is done."""
    token = server.people["client"].token.encode()
    head = b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\n" % token
    taken = []
    lasting = await asyncio.open_connection("127.0.0.1", server.port)
    opened = [lasting[1]]
    try:
        async for is_new in turns(until):
            started = time.perf_counter()
            pair = await asyncio.open_connection("127.0.0.1", server.port) if is_new else lasting
            if is_new:
                opened.append(pair[1])
            pair[1].write(head + (b"Connection: close\r\n\r\n" if is_new else b"\r\n"))
            answer = await asyncio.wait_for(pair[0].readuntil(b"}"), DEADLINE_S)
            taken.append((time.perf_counter() - started) * 1000)
            assert answer.startswith(b"HTTP/1.1 200 "), answer
            if is_new:
                await closed(opened.pop())
    finally:
        for writer in opened:
            await closed(writer)
    return taken


async def closed(writer: asyncio.StreamWriter) -> None:
    """Close a connection and wait until it is: one that is left open is the next test's trouble."""
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def turns(until: "asyncio.Future[Any]") -> AsyncIterator[bool]:
    number = 0
    while not until.done():
        yield bool(number % 2)
        number += 1
        await asyncio.sleep(0.005)


def p99_of(values: list[float]) -> float:
    """Return the 99th percentile."""
    return quantiles(values, n=100)[98]
