"""The server's ping and the time that a peer has to answer it: one timer a socket.

A pong sets a flag and touches no timer, so an idle socket costs two callbacks an interval. Nobody
is given up for a stall of ours: who seems to be gone is looked at once more, after what arrived
meanwhile was read.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from .patience import stall_s, stalled_s
from .settings import RealtimeSettings


class Listener(Protocol):
    """Who has a heartbeat."""

    @property
    def is_heard(self) -> bool:
        """Tell whether what the peer sends is being read."""

    def ping(self) -> None:
        """Send a ping."""

    def expire(self) -> None:
        """Give the peer up, which did not answer in time; called once."""


class Heartbeat:
    """Sends pings at a steady pace and reports a peer that does not answer one in time."""

    __slots__ = (
        "_answered",
        "_asked",
        "_due",
        "_listener",
        "_loop",
        "_planned",
        "_settings",
        "_timer",
    )

    def __init__(
        self, loop: asyncio.AbstractEventLoop, settings: RealtimeSettings, listener: Listener
    ) -> None:
        """Start beating.

        Args:
            loop: The event loop.
            settings: Interval and timeout.
            listener: Who sends the pings and hears of a peer that is gone.
        """
        self._loop = loop
        self._settings = settings
        self._listener = listener
        self._answered = True
        self._asked: asyncio.Future[None] | None = None
        self._due = loop.time() + self._interval_s
        self._plan(self._due, self._send)

    def pong(self) -> None:
        """Note that the peer answered."""
        self._answered = True
        if self._asked is not None:
            self._asked.set_result(None)
            self._asked = None

    def stop(self) -> None:
        """Never ping or report again."""
        self._timer.cancel()
        if self._asked is not None:
            self._asked.cancel()
            self._asked = None

    async def answers(self, timeout_s: float) -> bool:
        """Ping out of turn, and tell whether the peer answers in time."""
        if self._asked is None:
            self._asked = self._loop.create_future()
            self._listener.ping()
        asked = self._asked
        await asyncio.wait((asked,), timeout=timeout_s)
        if self._asked is asked:
            self._asked = None
        return asked.done() and not asked.cancelled()

    def is_overdue(self) -> bool:
        """Tell whether an answer is missing now, exact between the timers' ticks."""
        return not self._answered and self._loop.time() >= self._due + self._timeout_s

    @property
    def _timeout_s(self) -> float:
        return self._settings.ping_timeout_ms / 1000

    @property
    def _interval_s(self) -> float:
        return self._settings.ping_interval_ms / 1000

    def _send(self) -> None:
        self._give_back()
        self._answered = False
        self._plan(self._due + min(self._timeout_s, self._interval_s), self._check)
        self._listener.ping()

    def _check(self) -> None:
        self._give_back()
        if self._answered:
            self._due = max(self._due + self._interval_s, self._loop.time())
            self._plan(self._due, self._send)
        elif self.is_overdue():
            self._plan(self._loop.time() + stall_s(self._timeout_s), self._look_again)
        else:
            self._plan(self._due + self._timeout_s, self._check)

    def _look_again(self) -> None:
        if self._answered:
            self._check()
        elif self._listener.is_heard:
            self._listener.expire()
        else:  # its answer may lie behind what our handlers have no room for
            self._due = self._loop.time()
            self._plan(self._due + self._timeout_s, self._check)

    def _plan(self, at: float, step: Callable[[], None]) -> None:
        self._planned = at
        self._timer = self._loop.call_at(at, step)

    def _give_back(self) -> None:
        """Not take a stall of ours from the peer's time."""
        self._due += stalled_s(self._loop, self._planned, self._timeout_s)
