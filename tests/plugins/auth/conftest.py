"""Wellio with accounts alone, and a plugin that hears of every new one."""

import pytest
import wellio_auth

from tests.plugins.auth.moves import Steps
from wellio import ManualClock
from wellio.testing import TestApp
from wellio.testing.plugin import StartApp

START_MS = 1_780_000_000_000


@pytest.fixture
def steps() -> Steps:
    return Steps()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START_MS)


@pytest.fixture
async def app(wellio_app: StartApp, clock: ManualClock, steps: Steps) -> TestApp:
    return await wellio_app(
        settings={"plugins.auth.bcrypt_cost": 10}, plugins=[wellio_auth, steps], clock=clock
    )
