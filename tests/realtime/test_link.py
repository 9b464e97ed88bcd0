"""What waits for one peer: counted exactly, so that only who is really slow is closed."""

import asyncio
from typing import Any

from aiohttp import web

from wellio.realtime import RealtimeSettings
from wellio.realtime.link import Link

SETTINGS = RealtimeSettings(max_waiting_frames=4, max_waiting_bytes=100)


class Pipe(asyncio.Transport):
    """A transport whose peer takes as many bytes as the test says."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = b""
        self.taken = b""

    def get_write_buffer_size(self) -> int:
        return len(self.waiting)

    def is_closing(self) -> bool:
        return False

    def write(self, data: Any) -> None:
        self.waiting += data

    def take(self, count: int) -> None:
        self.taken += self.waiting[:count]
        self.waiting = self.waiting[count:]


class Peer:
    """One end of a pipe, with the link that writes to the other."""

    def __init__(self) -> None:
        self.pipe = Pipe()
        self.overflows = 0
        self.link = Link(web.WebSocketResponse(), self.pipe, SETTINGS)
        self.link.on_overflow(self._overflow)

    def _overflow(self) -> None:
        self.overflows += 1

    async def is_slow(self) -> bool:
        """Tell after a turn of the loop, in which an overflow is reported."""
        await asyncio.sleep(0)
        return self.overflows > 0


async def test_who_keeps_up_is_not_slow_although_something_always_waits() -> None:
    peer = Peer()
    for _ in range(1_000):
        peer.link.write(b"four")
        if len(peer.pipe.waiting) > 12:
            peer.pipe.take(5)  # never all of it, and never just a frame
        assert not await peer.is_slow()
        peer.pipe.take(4 if len(peer.pipe.waiting) > 8 else 3)
    assert peer.pipe.waiting
    peer.pipe.take(1_000)
    assert peer.pipe.taken == b"four" * 1_000


async def test_too_many_frames() -> None:
    peer = Peer()
    for _ in range(5):  # the first is on its way, four wait
        peer.link.write(b"x")
    assert not await peer.is_slow()
    peer.link.write(b"x")
    assert await peer.is_slow()


async def test_too_many_bytes() -> None:
    peer = Peer()
    peer.link.write(b"x" * 100)
    peer.link.write(b"x")
    assert not await peer.is_slow()
    peer.link.write(b"lost")
    assert await peer.is_slow()
    assert peer.pipe.waiting == b"x" * 101


async def test_a_burst_that_leaves_in_the_same_turn_is_no_matter() -> None:
    peer = Peer()
    for _ in range(20):
        peer.link.write(b"x")
    peer.pipe.take(20)
    assert not await peer.is_slow()
