"""One server of each engine for a whole module, with everybody in it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import cast

import pytest
import pytest_asyncio

from tests.contract.world import World
from wellio import ManualClock
from wellio.testing import Sockets
from wellio.testing.engines import ENGINES, Databases, EngineName
from wellio.testing.plugin import StartApp

START_MS = 1_780_000_000_000


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> EngineName:
    return cast(EngineName, request.param)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(
    engine: EngineName, wellio_databases: Callable[[EngineName, bool], Databases]
) -> AsyncIterator[World]:
    async with AsyncExitStack() as ends:
        clock = ManualClock(START_MS)
        world = World(await StartApp(partial(wellio_databases, engine), ends)(clock=clock))
        await world.populate(clock)
        yield world


@pytest_asyncio.fixture(loop_scope="module")
async def sockets() -> AsyncIterator[Sockets]:
    opened = Sockets()
    yield opened
    await opened.close()
