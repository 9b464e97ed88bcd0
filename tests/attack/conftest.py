"""Both engines, one target for each module, and the seed, which every run prints."""

import os
from collections.abc import AsyncIterator, Callable
from typing import cast

import pytest
import pytest_asyncio

from tests.attack.target import Target, target
from tests.contract.conftest import START_MS
from tests.contract.rules import TABLES
from wellio import ManualClock
from wellio.testing import World
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
async def world(shared_app: StartApp) -> World:
    """Populate the practice of the contract's tests, in this process."""
    clock = ManualClock(START_MS)
    made = World(await shared_app(clock=clock), *TABLES)
    await made.populate(clock)
    return made
