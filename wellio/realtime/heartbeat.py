"""The server's ping and the time that a peer has to answer it: one timer a socket.

A pong sets a flag and touches no timer, so an idle socket costs two callbacks an interval.
"""

import asyncio
from typing import Protocol

from .settings import RealtimeSettings


class Listener(Protocol):
    """Who has a heartbeat."""

    def ping(self) -> None:
        """Send a ping."""

    def expire(self) -> None:
        """Give the peer up, which did not answer in time; called once."""


class Heartbeat:
    """Sends pings at a steady pace and reports a peer that does not answer one in time."""

    __slots__ = (
        "_answered",
        "_due",
        "_listener",
        "_loop",
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
        self._due = loop.time() + self._interval_s
        self._timer = loop.call_at(self._due, self._send)

    def pong(self) -> None:
        """Note that the peer answered."""
        self._answered = True

    def stop(self) -> None:
        """Never ping or report again."""
        self._timer.cancel()

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
        late = self._loop.time() - self._due
        if late > self._timeout_s / 2:  # a long stall of ours is not taken from the peer's time
            self._due += late
        self._answered = False
        first_look = self._due + min(self._timeout_s, self._interval_s)
        self._timer = self._loop.call_at(first_look, self._check)
        self._listener.ping()

    def _check(self) -> None:
        if self._answered:
            self._due = max(self._due + self._interval_s, self._loop.time())
            self._timer = self._loop.call_at(self._due, self._send)
        elif self.is_overdue():
            self._listener.expire()
        else:
            self._timer = self._loop.call_at(self._due + self._timeout_s, self._check)
