"""Kills the server at random moments, and starts it again on its data."""

import asyncio
import random
from typing import Final

from tests.fault.server import Server

_UNDER_LOAD_S: Final = (0.3, 2.0)
_DURING_START_S: Final = (0.0, 1.0)
_SHARE_DURING_START: Final = 0.15


async def strike(server: Server, kills: int, rng: random.Random) -> None:
    """Kill a ready server so many times; some kills hit it while it is still starting.

    Returns once it is ready again.
    """
    for number in range(kills):
        if number and rng.random() < _SHARE_DURING_START:
            await asyncio.sleep(rng.uniform(*_DURING_START_S))
        else:
            await server.ready()
            await asyncio.sleep(rng.uniform(*_UNDER_LOAD_S))
        await server.kill()
        await server.start()
    await server.ready()
