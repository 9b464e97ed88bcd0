"""Times that peers have, without what our own loop took from them.

When the loop was blocked, a timer runs before what arrived meanwhile is read: a peer that answered
long ago would be given up for a stall of ours.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

_SHORTEST_S = 0.1


def stalled_s(loop: asyncio.AbstractEventLoop, planned: float, time_s: float) -> float:
    """Return how long the loop must have been blocked; 0.0: it was not.

    Args:
        loop: The event loop.
        planned: When what runs now should have run, in the loop's time.
        time_s: The time that a peer has in all.
    """
    late_s = loop.time() - planned
    return late_s if late_s > stall_s(time_s) else 0.0


def stall_s(time_s: float) -> float:
    """Return how late a timer may be, of a time that a peer has: less is a busy machine."""
    return max(_SHORTEST_S, time_s / 10)


class Deadline:
    """Calls back once when a peer's time is up."""

    __slots__ = ("_expire", "_loop", "_planned", "_time_s", "_timer")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, time_s: float, expire: Callable[[], None]
    ) -> None:
        """Start.

        Args:
            loop: The event loop.
            time_s: The time that the peer has.
            expire: What happens then.
        """
        self._loop = loop
        self._time_s = time_s
        self._expire = expire
        self._planned = loop.time() + time_s
        self._timer = loop.call_at(self._planned, self._look)

    def stop(self) -> None:
        """Never call back."""
        self._timer.cancel()

    def _look(self) -> None:
        if late_s := stalled_s(self._loop, self._planned, self._time_s):
            self._planned = self._loop.time() + min(late_s, self._time_s)
            self._timer = self._loop.call_at(self._planned, self._look)
        else:
            self._expire()


@asynccontextmanager
async def patience(time_s: float) -> AsyncIterator[None]:
    """End a block that waits for a peer.

    Raises:
        TimeoutError: The peer's time was up.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(None) as limit:
        deadline = Deadline(loop, time_s, lambda: limit.reschedule(loop.time()))
        try:
            yield
        finally:
            deadline.stop()
