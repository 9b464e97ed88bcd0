"""Ends when a signal asks for it, also in the middle of a long piece of work."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

from wellio.errors import WellioError

T = TypeVar("T")


def stop_signals() -> asyncio.Event:
    """Return an event that the first signal sets; the next one has its usual, hard effect."""
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()

    def stop() -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    return stopping


async def unless_stopped(
    stopping: asyncio.Event, work: Coroutine[Any, Any, T], otherwise: str
) -> T:
    """Do a piece of work, and break it off when the event is set.

    Args:
        stopping: From `stop_signals`.
        work: What to do; it closes what it opened when it is cancelled.
        otherwise: What to say to who stopped it.

    Raises:
        WellioError: It was stopped before its end.
    """
    task, stop = asyncio.create_task(work), asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
        if task.cancelled():
            raise WellioError(otherwise)
        return task.result()
    finally:
        task.cancel()
        stop.cancel()
