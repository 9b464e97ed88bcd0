"""Both engines, one target for each module, and the seed, which every run prints."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import cast

import pytest
import pytest_asyncio

from tests.attack.target import Target, target
from tests.contract.conftest import START_MS
from tests.contract.world import World
from wellio import ManualClock
from wellio.testing import Sockets
from wellio.testing.engines import ENGINES, Databases, EngineName
from wellio.testing.plugin import StartApp

SEED = int(os.environ.get("SEED", "1"))


@pytest.fixture(scope="session")
def seed() -> int:
    """Return what decides every random choice; `SEED=2` makes other ones."""
    print(f"SEED={SEED}")
    return SEED


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> EngineName:
    return cast(EngineName, request.param)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(
    engine: EngineName,
    wellio_databases: Callable[[EngineName, bool], Databases],
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Target]:
    async with target(wellio_databases, engine, tmp_path_factory.mktemp("target")) as started:
        yield started


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(
    engine: EngineName, wellio_databases: Callable[[EngineName, bool], Databases]
) -> AsyncIterator[World]:
    """Populate the practice of the contract's tests, in this process."""
    async with AsyncExitStack() as ends:
        clock = ManualClock(START_MS)
        made = World(await StartApp(partial(wellio_databases, engine), ends)(clock=clock))
        await made.populate(clock)
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def world_sockets() -> AsyncIterator[Sockets]:
    """Open sockets to the world, on its loop."""
    opened = Sockets()
    yield opened
    await opened.close()
