"""What waits for one peer: counted exactly, so that only who is really slow is closed."""

import asyncio
from typing import Any

import pytest
from aiohttp import web

from wellio.realtime import RealtimeSettings
from wellio.realtime.socket_writer import SocketWriter
from wellio.realtime.write_buffer import WriteBuffer

SETTINGS = RealtimeSettings(max_waiting_frames=4, max_waiting_bytes=100)


class Pipe(asyncio.Transport):
    """A transport whose peer takes as many bytes as the test says."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = b""
        self.taken = b""
        self.calls = 0
        self.takes_all = False
        self.error: OSError | None = None

    def get_write_buffer_size(self) -> int:
        return len(self.waiting)

    def is_closing(self) -> bool:
        return False

    def write(self, data: Any) -> None:
        if self.error is not None:
            raise self.error
        self.calls += 1
        self.waiting += data
        if self.takes_all:
            self.take(len(self.waiting))

    def abort(self) -> None:
        """Do nothing: nobody is there."""

    def take(self, count: int) -> None:
        self.taken += self.waiting[:count]
        self.waiting = self.waiting[count:]


class Unconnected(web.WebSocketResponse):
    """A WebSocket that has nobody to say goodbye to."""

    async def close(self, **_: Any) -> bool:
        return True


class Peer:
    """One end of a pipe, with the writer that writes to the other."""

    def __init__(self, settings: RealtimeSettings = SETTINGS) -> None:
        self.pipe = Pipe()
        self.overflows = 0
        self.writer = SocketWriter(Unconnected(), self.pipe, settings, WriteBuffer())
        self.writer.on_overflow(self._overflow)

    def _overflow(self) -> None:
        self.overflows += 1

    async def is_slow(self) -> bool:
        """Tell after the turns of the loop in which frames leave and an overflow is reported."""
        for _ in range(3):
            await asyncio.sleep(0)
        return self.overflows > 0


async def test_who_keeps_up_is_not_slow_although_something_always_waits() -> None:
    peer = Peer()
    for _ in range(1_000):
        peer.writer.write(b"four")
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
        peer.writer.write(b"x")
    assert not await peer.is_slow()
    peer.writer.write(b"x")
    assert await peer.is_slow()


async def test_too_many_frames_of_one_turn() -> None:
    peer = Peer()
    for _ in range(6):
        peer.writer.write(b"x")
    assert await peer.is_slow()


async def test_too_many_bytes() -> None:
    peer = Peer()
    peer.writer.write(b"x" * 100)
    peer.writer.write(b"x")
    assert not await peer.is_slow()
    peer.writer.write(b"lost")
    assert await peer.is_slow()
    assert peer.pipe.waiting == b"x" * 101


async def test_a_burst_that_leaves_in_the_same_turn_is_no_matter() -> None:
    peer = Peer()
    for _ in range(20):
        peer.writer.write(b"x")
    peer.pipe.takes_all = True
    assert not await peer.is_slow()
    assert peer.pipe.taken == b"x" * 20


async def test_what_is_written_in_a_turn_leaves_in_one_call_and_in_order() -> None:
    peers = [Peer(), Peer()]
    for frame in (b"one", b"two", b"three"):
        for peer in peers:
            peer.writer.write(frame)
    assert [peer.pipe.calls for peer in peers] == [0, 0]
    for peer in peers:
        assert not await peer.is_slow()
    assert [(peer.pipe.calls, peer.pipe.waiting) for peer in peers] == [(1, b"onetwothree")] * 2


async def test_a_broken_transport_keeps_nothing_from_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken, other = Peer(), Peer()
    broken.pipe.error = OSError("gone")
    for peer in (broken, other):
        peer.writer.write(b"one")
    assert not await other.is_slow()
    assert other.pipe.waiting == b"one"
    assert "could not be written to" in caplog.text
    caplog.clear()


async def test_much_is_not_held_back() -> None:
    settings = RealtimeSettings(max_waiting_bytes=1_000_000)
    peer = Peer(settings)
    peer.writer.write(b"x" * 65_537)
    assert peer.pipe.calls == 1
    peer.writer.write(b"y")
    assert not await peer.is_slow()
    assert peer.pipe.waiting == b"x" * 65_537 + b"y"


async def test_what_is_held_goes_before_the_close() -> None:
    peer = Peer()
    peer.writer.write(b"last words")
    peer.writer.close()
    peer.writer.write(b"too late")
    assert peer.pipe.waiting == b"last words"
    await peer.writer.closed()
