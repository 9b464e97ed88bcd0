"""The server's ping and the time that a peer has to answer it: one timer a socket.

A pong sets a flag and touches no timer, so an idle socket costs two callbacks an interval.
"""

import asyncio
from collections.abc import Callable

from wellio.realtime.settings import RealtimeSettings


class Heartbeat:
    """Sends pings at a steady pace and reports a peer that does not answer one in time."""

    __slots__ = (
        "_answered",
        "_due",
        "_expire",
        "_interval",
        "_loop",
        "_ping",
        "_timeout",
        "_timer",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        settings: RealtimeSettings,
        ping: Callable[[], None],
        expire: Callable[[], None],
    ) -> None:
        """Start beating.

        Args:
            loop: The event loop.
            settings: Interval and timeout.
            ping: Sends a ping.
            expire: Called once when a ping was not answered in time.
        """
        self._loop = loop
        self._interval = settings.ping_interval_ms / 1000
        self._timeout = settings.ping_timeout_ms / 1000
        self._ping = ping
        self._expire = expire
        self._answered = True
        self._due = loop.time() + self._interval
        self._timer = loop.call_at(self._due, self._send)

    def pong(self) -> None:
        """Note that the peer answered."""
        self._answered = True

    def stop(self) -> None:
        """Never ping or report again."""
        self._timer.cancel()

    def is_overdue(self) -> bool:
        """Tell whether an answer is missing now, exact between the timers' ticks."""
        return not self._answered and self._loop.time() >= self._due + self._timeout

    def _send(self) -> None:
        late = self._loop.time() - self._due
        if late > self._timeout / 2:  # a long stall of ours is not taken from the peer's time
            self._due += late
        self._answered = False
        soon = min(self._interval, self._timeout)
        self._timer = self._loop.call_at(self._due + soon, self._check)
        self._ping()

    def _check(self) -> None:
        if self._answered:
            self._due = max(self._due + self._interval, self._loop.time())
            self._timer = self._loop.call_at(self._due, self._send)
        elif self.is_overdue():
            self._expire()
        else:  # the peer has longer than an interval
            self._timer = self._loop.call_at(self._due + self._timeout, self._check)
