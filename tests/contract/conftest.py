"""One server of each engine for a whole module, with everybody in it; and the bare application."""

from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from tests.contract.rules import TABLES
from wellio import WELLIO, ManualClock, create_app
from wellio.config.settings import load_config
from wellio.http import Http
from wellio.testing import StartApp, World
from wellio.testing.apps import DEFAULTS, NO_FILE

START_MS = 1_780_000_000_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(shared_app: StartApp) -> World:
    clock = ManualClock(START_MS)
    world = World(await shared_app(clock=clock), *TABLES)
    await world.populate(clock)
    return world


@pytest.fixture
async def application(tmp_path: Path) -> Any:
    place = {"data_dir": tmp_path, "database.url": f"sqlite:///{tmp_path / 'wellio.db'}"}
    config = load_config(NO_FILE, env={}, overrides={**DEFAULTS, **place})
    made = await create_app(config, workers=False)
    yield made
    await made[WELLIO].db.close()


@pytest.fixture
def openapi(application: web.Application) -> Any:
    return application[WELLIO].service(Http).openapi
