"""Handlers that are running: bounded per connection, and waited for at shutdown."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class Handlers:
    """Every handler of the process. The loop holds tasks weakly, so they are held here."""

    def __init__(self) -> None:
        self.tasks: set[asyncio.Task[None]] = set()

    def running(self, limit: int) -> "ConnectionHandlers":
        """Return the handlers of a new connection, with at most this many handlers at once."""
        return ConnectionHandlers(self.tasks, limit)

    async def finish(self, timeout_s: float) -> None:
        """Wait until the handlers that run now have ended, but no longer than this."""
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=timeout_s)


class ConnectionHandlers:
    """The handlers of one connection: they start in the order in which they were given.

    Attributes:
        busy: Set while there is no room for another; done when it has room again.
    """

    __slots__ = ("_limit", "_running", "_tasks", "busy")

    def __init__(self, tasks: set[asyncio.Task[None]], limit: int) -> None:
        self._tasks = tasks
        self._limit = limit
        self._running = 0
        self.busy: asyncio.Future[None] | None = None

    def start(self, handler: Coroutine[Any, Any, None]) -> None:
        """Run a handler; it must not raise."""
        task = asyncio.get_running_loop().create_task(handler)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        self._running += 1
        if self._running >= self._limit and self.busy is None:
            self.busy = asyncio.get_running_loop().create_future()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._running -= 1
        if self.busy is not None:
            self.busy.set_result(None)
            self.busy = None
