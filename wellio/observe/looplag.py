"""How late the event loop is, and where it stood when something blocked it.

Everything runs on one loop: a handler that computes, sleeps or reads a file there makes everybody
wait. A timer that comes too late shows it, as a metric and in `/health`; a thread beside the loop
sees where it stands while it stands still, and writes that to the log.
"""

import asyncio
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from .log import get_logger

INTERVAL_S: Final = 0.1
"""How often the timer looks."""

_SPAN_S: Final = 60.0  # what `worst_s` speaks of
_NOTABLE_S: Final = 0.01  # so little is not worth remembering
_FRAMES: Final = 8
_log = get_logger(__name__)


class LoopWatch:
    """Watches the loop that it is started on."""

    def __init__(self, observe: Callable[[float], None], *, alarm_s: float = 1.0) -> None:
        """Prepare to watch.

        Args:
            observe: Told how late each look was, in seconds.
            alarm_s: When the loop stands still for so long, the log says where.
        """
        self._observe = observe
        self._alarm_s = alarm_s
        self._late: deque[tuple[float, float]] = deque()  # when, and by how much
        self._due = 0.0
        self._is_over = threading.Event()
        self._thread_id = 0
        self._timer: asyncio.TimerHandle | None = None

    def worst_s(self) -> float:
        """Return by how much the loop was late at worst within the last minute."""
        self._forget(time.monotonic() - _SPAN_S)
        return max((late for _, late in self._late), default=0.0)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Watch the running loop."""
        self._thread_id = threading.get_ident()
        self._due = time.monotonic()
        watcher = threading.Thread(target=self._watch, name="wellio-loop-watch", daemon=True)
        self._look()
        watcher.start()
        try:
            yield
        finally:
            if self._timer is not None:
                self._timer.cancel()
            self._is_over.set()
            watcher.join()

    def _look(self) -> None:
        now = time.monotonic()
        late = max(0.0, now - self._due)
        self._observe(late)
        if late > _NOTABLE_S:
            self._late.append((now, late))
            self._forget(now - _SPAN_S)
        self._due = now + INTERVAL_S
        self._timer = asyncio.get_running_loop().call_later(INTERVAL_S, self._look)

    def _forget(self, before: float) -> None:
        while self._late and self._late[0][0] < before:
            self._late.popleft()

    def _watch(self) -> None:
        """Look from beside, and report each time that the loop stands still once."""
        reported = 0.0
        while not self._is_over.wait(INTERVAL_S):
            due = self._due
            late = time.monotonic() - due
            frame = sys._current_frames().get(self._thread_id)  # noqa: SLF001 - Python's only way to ask
            if late < self._alarm_s or due == reported or frame is None:
                continue
            reported = due
            _log.warning("event_loop_blocked", seconds=round(late, 2), where=_where(frame))


def _where(frame: FrameType | None) -> list[str]:
    """Return the innermost frames: names and lines, no values."""
    stack: list[str] = []
    while frame is not None and len(stack) < _FRAMES:
        module = frame.f_globals.get("__name__", "?")
        stack.append(f"{module}:{frame.f_code.co_qualname}:{frame.f_lineno}")
        frame = frame.f_back
    return stack
