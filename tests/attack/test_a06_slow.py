"""A6: sockets that never read while their rooms are busy.

Each is closed soon, holds little until then, and slows nobody; its person comes back and catches
up, and has missed nothing.
"""

import asyncio
import itertools
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from tests.attack.crowd import Crowd, gathered
from tests.fault.clients import catch_up
from tests.fault.sockets import PlainSocket, Socket, SocketIo
from wellio.testing.engines import ENGINES
from wellio.testing.plugin import StartApp

_PER_PERSON: Final = 10
_KINDS: Final[tuple[type[Socket], ...]] = (SocketIo, PlainSocket)
_CLOSED_S: Final = 5.0
_TEXT: Final = "x" * 2_000


@dataclass(frozen=True, slots=True)
class Profile:
    """How large a run is.

    Attributes:
        slow: Sockets that never read.
        rate: Messages a second, in both rooms together.
        seconds: How long they go on.
        growth_mib: The most memory that the server may need for it.
    """

    slow: int
    rate: float
    seconds: float
    growth_mib: float


SHORT = Profile(slow=20, rate=300, seconds=4, growth_mib=60)
FULL = Profile(slow=200, rate=500, seconds=10, growth_mib=300)


class Slow:
    """A device that signs in, and then reads nothing any more."""

    def __init__(self, socket: Socket) -> None:
        connection = socket._ws._response.connection  # noqa: SLF001 - what stops it from reading
        assert connection is not None
        assert isinstance(connection.transport, asyncio.Transport)
        self.socket, self._transport = socket, connection.transport
        self._transport.pause_reading()

    async def closed(self) -> None:
        """Read what there is, to the end that the server made."""
        self._transport.resume_reading()
        async with asyncio.timeout(30):
            await asyncio.wait((self.socket.reading,))


class Ear:
    """Somebody who keeps up: what they heard, and how late."""

    def __init__(self) -> None:
        self.seqs: list[int] = []
        self.delays_s: list[float] = []

    def hear(self, event: str, data: Any) -> None:
        if event == "new_message":
            self.seqs.append(data["seq"])
            self.delays_s.append(time.monotonic() - float(data["content"].partition(" ")[0]))


async def connected_sockets(http: aiohttp.ClientSession, url: str) -> int:
    """Return how many sockets the server says that it has."""
    async with http.get(f"{url}/metrics") as reply:
        lines = (await reply.text()).splitlines()
    [line] = [line for line in lines if line.startswith("wellio_sockets ")]
    return int(float(line.partition(" ")[2]))


async def until_closed(http: aiohttp.ClientSession, crowd: Crowd, left: int) -> float:
    """Wait until only so many sockets are left, and return how long that took."""
    started = time.monotonic()
    async with asyncio.timeout(60):
        while await connected_sockets(http, crowd.url) > left:  # noqa: ASYNC110 - it is elsewhere
            await asyncio.sleep(0.1)
    return time.monotonic() - started


async def load(sockets: list[Socket], crowd: Crowd, profile: Profile) -> None:
    """Send at the rate; a sender is a member of the room that it sends to."""
    started = time.monotonic()
    sends: list[asyncio.Task[None]] = []

    async def send(socket: Socket, group: str) -> None:
        data = {"conversationId": group, "content": f"{time.monotonic()} {_TEXT}"}
        assert (await socket.call("send_message", data))["ok"]

    for number in range(int(profile.rate * profile.seconds)):
        await asyncio.sleep(max(0.0, started + number / profile.rate - time.monotonic()))
        which = number % len(sockets)
        sends.append(asyncio.create_task(send(sockets[which], crowd.group_of(which))))
    await asyncio.gather(*sends)


async def missed(http: aiohttp.ClientSession, crowd: Crowd, sent: int) -> int:
    """Let everybody come back and catch up; return how many messages they do not know."""
    count = 0
    for number, person in enumerate(crowd.people):
        kind = _KINDS[number % 2]
        socket = await kind.open(http, crowd.url, person.token, lambda event, data: None)
        seqs: list[int] = []
        async for page in catch_up(socket, None):
            seqs += [i["data"]["seq"] for i in page["items"] if i["event"] == "new_message"]
        await socket.close()
        expected = list(range(1, sent // len(crowd.groups) + 1))
        assert len(seqs) == len(set(seqs)), "a message came twice"
        count += len(set(expected) - set(seqs))
    return count


async def run(start: StartApp, folder: Path, profile: Profile) -> None:
    people = profile.slow // _PER_PERSON + 4
    env = {
        "WELLIO_LIMITS__PER_ADDRESS": "100000+100000/s",
        "WELLIO_LIMITS__PER_ACCOUNT": "100000+10000/s",
        "WELLIO_LIMITS__SOCKETS_PER_ACCOUNT": str(_PER_PERSON),
        "WELLIO_LIMITS__PACKETS_PER_SOCKET": "100000+10000/s",
        "WELLIO_PLUGINS__CHAT__MESSAGES": "100000+10000/s",
    }
    connector = aiohttp.TCPConnector(limit=0)
    async with (
        gathered(start, folder, people=people, groups=2, env=env) as crowd,
        aiohttp.ClientSession(connector=connector) as http,
    ):
        ears = [Ear() for _ in range(4)]  # in each room one talks and one only listens
        awake = [
            await _KINDS[n // 2].open(http, crowd.url, crowd.people[n].token, ears[n].hear)
            for n in range(4)
        ]
        slow = [
            Slow(await _KINDS[n % 2].open(http, crowd.url, person.token, lambda event, data: None))
            for person, n in itertools.product(crowd.people[4:], range(_PER_PERSON))
        ]
        before, peak = crowd.rss_kib(), 0
        closing = asyncio.create_task(until_closed(http, crowd, len(awake)))
        loading = asyncio.create_task(load(awake[:2], crowd, profile))
        while not loading.done():
            peak = max(peak, crowd.rss_kib())
            await asyncio.wait((loading,), timeout=0.1)
        await loading
        closed_s, grown = await closing, (peak - before) / 1024
        for device in slow:
            await device.closed()
        sent = int(profile.rate * profile.seconds)
        lost = await missed(http, crowd, sent)
        delays = sorted(delay for ear in ears for delay in ear.delays_s)
        p99 = delays[int(len(delays) * 0.99)]
        print(
            f"A6: {len(slow)} slow sockets, {sent} messages in {profile.seconds:g} s, the last was "
            f"closed after {closed_s:.1f} s, RSS {grown:+.0f} MiB, {lost} missed after catching "
            f"up, p99 of who reads {p99 * 1000:.0f} ms"
        )
        for socket in awake:
            await socket.close()
        assert [ear.seqs for ear in ears[2:]] == [list(range(1, sent // 2 + 1))] * 2
        assert closed_s <= _CLOSED_S
        assert grown <= profile.growth_mib
        assert lost == 0
        assert crowd.complaints() == []


@pytest.mark.sqlite("what waits for a slow socket lies in memory; `make prove` has both")
async def test_slow_sockets(wellio_app: StartApp, tmp_path: Path) -> None:
    await run(wellio_app, tmp_path, SHORT)


@pytest.mark.prove
@pytest.mark.timeout(900)
@pytest.mark.parametrize("engine", ENGINES, indirect=True)
async def test_two_hundred_slow_sockets(wellio_app: StartApp, tmp_path: Path) -> None:
    await run(wellio_app, tmp_path, FULL)
