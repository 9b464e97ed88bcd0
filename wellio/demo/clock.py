"""The clock of a life that is lived in a hurry: each line of events has its own hands."""

import time
from contextvars import ContextVar

_NOW: ContextVar[int] = ContextVar("wellio_demo_now")


class DemoClock:
    """A clock that is set to the instant of whatever happens now.

    What happens to different people on one day happens side by side, each in a task of its own.
    So the instant belongs to the task, and goes along into the bodies of its writes.
    """

    def __init__(self, start_ms: int) -> None:
        self._start_ms = start_ms

    def now_ms(self) -> int:
        """Return the instant that this task is at, in milliseconds UTC."""
        return _NOW.get(self._start_ms)

    def monotonic(self) -> float:
        """Return real seconds: waiting takes as long as ever."""
        return time.monotonic()

    def go(self, at_ms: int) -> None:
        """Go on to an instant, in this task and those that it starts from now on.

        Raises:
            ValueError: It lies in the past.
        """
        if at_ms < self.now_ms():
            raise ValueError("the clock of a demo only goes forward")
        _NOW.set(at_ms)
