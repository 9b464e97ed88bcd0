"""Kills the server at random moments, and starts it again on its data."""

import asyncio
import contextlib
import random
from typing import Final

from tests.fault.history import History
from tests.fault.server import Server

_WORK_S: Final = (0.2, 1.5)  # of acknowledged load between a start and a kill
_DURING_START_S: Final = (0.0, 1.0)
_SHARE_DURING_START: Final = 0.15
_PATIENCE_S: Final = 20.0


async def strike(
    server: Server,
    history: History,
    kills: int,
    rate: float,
    pause_s: tuple[float, float],
    rng: random.Random,
) -> None:
    """Kill the server so many times while it works; some kills hit it while it is starting.

    How long it works is counted in acknowledgements, so that a slow machine makes no easy test.
    Returns once it is ready again, and has worked.

    Args:
        server: A ready one.
        history: Counts what is acknowledged.
        kills: How often.
        rate: Messages that are offered in a second.
        pause_s: Least and most time between an acknowledgement and a kill.
        rng: Decides when.
    """
    for number in range(kills):
        if number and rng.random() < _SHARE_DURING_START:
            await asyncio.sleep(rng.uniform(*_DURING_START_S))
        else:
            await server.ready()
            await _work(history, rate * rng.uniform(*_WORK_S))
            await asyncio.sleep(rng.uniform(*pause_s))
        await server.kill()
        await server.start()
    await server.ready()
    await _work(history, rate)


async def _work(history: History, acknowledgements: float) -> None:
    with contextlib.suppress(TimeoutError):  # a broken build may not get far
        async with asyncio.timeout(_PATIENCE_S):
            await history.acknowledge(int(acknowledgements))
