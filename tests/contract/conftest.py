"""One server of each engine for a whole module, with everybody in it."""

import pytest_asyncio

from tests.contract.rules import TABLES
from wellio import ManualClock
from wellio.testing import StartApp, World

START_MS = 1_780_000_000_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(shared_app: StartApp) -> World:
    clock = ManualClock(START_MS)
    world = World(await shared_app(clock=clock), *TABLES)
    await world.populate(clock)
    return world
