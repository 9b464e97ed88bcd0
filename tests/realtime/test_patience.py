"""A stall of ours is not the peer's fault: what it sent meanwhile is read before it is given up."""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import uvloop

from wellio.realtime.heartbeat import Heartbeat
from wellio.realtime.patience import Deadline, patience
from wellio.realtime.settings import RealtimeSettings
from wellio.testing import DEADLINE_S

SETTINGS = RealtimeSettings(ping_interval_ms=50, ping_timeout_ms=100)
STALL_S = 0.4
HOPS = 3  # turns of the loop from the arrival of bytes to who waits for them


class Line:
    """What a peer sends, which lies in the kernel until the loop gets round to it."""

    def __init__(self) -> None:
        self._ours, self._theirs = socket.socketpair()
        self.take: Callable[[], None] = lambda: None
        asyncio.get_running_loop().add_reader(self._ours, self._arrived, HOPS)

    def send(self) -> None:
        self._theirs.send(b".")

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._ours)
        self._ours.close()
        self._theirs.close()

    def _arrived(self, hops: int) -> None:
        if hops == HOPS:
            self._ours.recv(1)
        if hops:
            asyncio.get_running_loop().call_soon(self._arrived, hops - 1)
        else:
            self.take()


@pytest.fixture
async def line() -> Any:
    line = Line()
    yield line
    line.close()


class Pinged:
    """Who has a heartbeat: what a ping leads to, and how often."""

    is_heard = True

    def __init__(self, *then: Callable[[], None]) -> None:
        self._then: Iterator[Callable[[], None]] = iter(then)
        self.pings = 0
        self.reached = asyncio.Event()
        self.expired = asyncio.Event()

    def ping(self) -> None:
        self.pings += 1
        next(self._then, self.reached.set)()

    def expire(self) -> None:
        self.expired.set()


async def until(event: asyncio.Event) -> None:
    async with asyncio.timeout(DEADLINE_S):
        await event.wait()


def stall() -> None:
    time.sleep(STALL_S)


async def test_who_answered_during_a_stall_stays(line: Line) -> None:
    def answer_in_a_stall() -> None:
        line.send()
        stall()

    listener = Pinged(answer_in_a_stall, answer_in_a_stall)
    heartbeat = Heartbeat(asyncio.get_running_loop(), SETTINGS, listener)
    line.take = heartbeat.pong
    await until(listener.reached)
    heartbeat.stop()
    assert (listener.pings, listener.expired.is_set()) == (3, False)


async def test_who_was_pinged_late_has_the_whole_time(line: Line) -> None:
    def answer_later() -> None:
        asyncio.get_running_loop().call_later(0.15, line.send)

    listener = Pinged(answer_later)
    settings = replace(SETTINGS, ping_timeout_ms=250)
    heartbeat = Heartbeat(asyncio.get_running_loop(), settings, listener)
    line.take = heartbeat.pong
    stall()  # the first ping is late
    await until(listener.reached)
    heartbeat.stop()
    assert not listener.expired.is_set()


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_who_is_silent_is_given_up_all_the_same(
    new_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def be_silent() -> None:
        listener = Pinged(stall)
        heartbeat = Heartbeat(asyncio.get_running_loop(), SETTINGS, listener)
        await until(listener.expired)
        heartbeat.stop()
        assert listener.pings == 1
        with pytest.raises(TimeoutError):
            async with patience(0.05):
                await asyncio.Event().wait()

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(be_silent())


async def test_whose_handlers_have_no_room_is_not_given_up() -> None:
    listener = Pinged(lambda: None)
    listener.is_heard = False
    heartbeat = Heartbeat(asyncio.get_running_loop(), SETTINGS, listener)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await listener.expired.wait()
    listener.is_heard = True
    await until(listener.expired)
    heartbeat.stop()


async def test_what_arrived_during_a_stall_is_in_time(line: Line) -> None:
    loop = asyncio.get_running_loop()
    arrived, expired = asyncio.Event(), asyncio.Event()
    deadline = Deadline(loop, 0.05, expired.set)
    line.take = arrived.set
    line.send()
    stall()
    await until(arrived)
    deadline.stop()
    assert not expired.is_set()
    line.send()
    async with patience(0.05):
        stall()
        arrived.clear()
        await arrived.wait()
    with pytest.raises(TimeoutError):
        async with patience(0.05):
            await asyncio.Event().wait()
