"""A loop that works, sleeps until it is woken or a while has passed, and works again."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from .retry import error_name

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 10.0
_log = structlog.get_logger()


class Worker:
    """Runs a step again and again, in a task of its own; a step that fails is tried again."""

    def __init__(
        self, name: str, step: Callable[[], Awaitable[float]], *, gather_s: float = 0.0
    ) -> None:
        """Build a worker that does not run yet.

        Args:
            name: What the log calls it.
            step: Does what there is to do and returns for how many seconds to sleep at most.
            gather_s: How long to wait once woken, so that one step serves what comes together.
        """
        self._name = name
        self._step = step
        self._gather_s = gather_s
        self._awake = asyncio.Event()
        self._is_stopping = False
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """End the sleep, or the next one; from the event loop."""
        self._awake.set()

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        """End after the present step."""
        self._is_stopping = True
        self._awake.set()
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        failures = 0
        while not self._is_stopping:
            self._awake.clear()
            try:
                pause_s = await self._step()
                failures = 0
            except Exception as error:  # noqa: BLE001 - whatever it was, the worker outlives it
                failures += 1
                pause_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2**failures)
                _log.error("worker_failed", worker=self._name, error=error_name(error))
            await self._sleep(pause_s)

    async def _sleep(self, longest_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(longest_s):
                await self._awake.wait()
        if self._gather_s and longest_s and not self._is_stopping:
            await asyncio.sleep(self._gather_s)
