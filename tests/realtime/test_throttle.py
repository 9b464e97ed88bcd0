"""How fast a peer is heard that sends and sends."""

import asyncio
import time
from typing import Any

import pytest

from tests.realtime.conftest import Serve
from tests.realtime.peers import SOCKET, Peer
from tests.realtime.practice_app import create_app
from tests.realtime.test_plain_websocket import ask, enter
from wellio.access.limits import Limits, Rate
from wellio.realtime import Admission
from wellio.realtime.throttle import UNIT, Throttle

# A peer may send 5 packets at once and then 50 a second.
COUNT = 15
SLOWEST_S = 0.19  # 10 packets at 50 a second; the loop's clock counts milliseconds


@pytest.fixture
async def peer(serve: Serve) -> Peer:
    packets = Limits().budget("packets", Rate(5, 50))
    return await serve(create_app(admission=Admission(packets=packets)))


async def test_over_websocket(peer: Peer) -> None:
    ws = await peer.websocket(SOCKET)
    await ws.send('40{"token":"alice"}')
    assert (await ws.packet()).startswith("40{")
    started = time.monotonic()
    await ws.send(*(f'42{n}["nothing"]' for n in range(COUNT)))
    answers = [await ws.packet() for _ in range(COUNT)]
    assert [a[: a.index("[")] for a in answers] == [f"43{n}" for n in range(COUNT)]
    assert time.monotonic() - started > SLOWEST_S


@pytest.mark.parametrize("packet", ["3", "6", '43999["nobody asked"]', "40/nowhere,"])
async def test_packets_that_no_handler_sees(serve: Serve, packet: str) -> None:
    taken: list[str] = []

    class Counting:
        def take(self, key: str) -> float:
            taken.append(key)
            return 0.0

    peer = await serve(create_app(admission=Admission(packets=Counting())))
    sid = await peer.open(SOCKET)
    await peer.push(sid, '40{"token":"alice"}\x1e42["nothing","' + "x" * 2 * UNIT + '"]', SOCKET)
    assert len(taken) == 4  # two packets, and 8 KiB
    taken.clear()
    ws = await peer.websocket(SOCKET)
    await ws.send('40{"token":"alice"}')
    assert (await ws.packet()).startswith("40{")
    await ws.send(packet, packet)
    await ws.ws.ping()
    await ws.send('421["nothing"]')
    while not (await ws.packet()).startswith("431["):
        pass
    assert len(taken) == 5
    assert len(set(taken)) == 1


async def test_over_polling(peer: Peer) -> None:
    sid = await peer.open(SOCKET)
    await peer.push(sid, '40{"token":"alice"}', SOCKET)
    started = time.monotonic()
    body = "\x1e".join(f'42{n}["nothing"]' for n in range(COUNT))
    assert (await peer.push(sid, body, SOCKET)).status == 200
    assert time.monotonic() - started > SLOWEST_S


async def test_over_plain_websocket(peer: Peer) -> None:
    ws = await enter(peer, "alice")
    started = time.monotonic()
    for _ in range(COUNT):
        await ws.ws.ping()
    assert (await ask(ws, "nothing"))["ok"] is False
    assert time.monotonic() - started > SLOWEST_S


async def test_the_others_have_their_turn() -> None:
    class Endless:
        def take(self, key: str) -> float:
            return 0.0

    throttle = Throttle(Endless(), "x")
    turns: list[int] = []
    held = []
    for n in range(200):
        held.append(throttle.holds())
        if held[-1]:
            asyncio.get_running_loop().call_soon(turns.append, n)
            await throttle.released()
    assert turns == [63, 127, 191]
    assert held.count(True) == len(turns)


async def test_it_waits_as_long_as_it_is_told() -> None:
    waits: list[Any] = [0.01, 0.01, 0.0]

    class Slow:
        def take(self, key: str) -> float:
            return float(waits.pop(0))

    throttle = Throttle(Slow(), "x")
    assert throttle.holds()
    await throttle.released()
    assert waits == []
