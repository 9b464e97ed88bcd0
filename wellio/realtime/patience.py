"""Times that peers have, without what our own loop took from them.

When the loop was blocked, a timer runs before what arrived meanwhile is read: a peer that answered
long ago would be given up for a stall of ours.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

_SHORTEST_S = 0.1


def is_late(loop: asyncio.AbstractEventLoop, timer: asyncio.TimerHandle, time_s: float) -> bool:
    """Tell whether a timer that runs now is so late that the loop must have been blocked.

    Args:
        loop: The event loop.
        timer: The timer.
        time_s: The time that a peer has in all.
    """
    return loop.time() - timer.when() > stall_s(time_s)


def stall_s(time_s: float) -> float:
    """Return how late a timer may be, of a time that a peer has: less is a busy machine."""
    return max(_SHORTEST_S, time_s / 10)


class Deadline:
    """Calls back once when a peer's time is up."""

    __slots__ = ("_expire", "_loop", "_time_s", "_timer")

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
        self._timer = loop.call_later(time_s, self._look)

    def stop(self) -> None:
        """Never call back."""
        self._timer.cancel()

    def _look(self) -> None:
        if is_late(self._loop, self._timer, self._time_s):
            given_back_s = min(self._loop.time() - self._timer.when(), self._time_s)
            self._timer = self._loop.call_later(given_back_s, self._look)
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
