"""Wellio with accounts alone, and a plugin that hears of every new one."""

from collections.abc import Mapping
from typing import Any

import pytest
import wellio_auth

from wellio import Account, AccountStep, ManualClock, Plugin, Tx, Wellio, hookimpl
from wellio.testing import TestApp, User
from wellio.testing.plugin import StartApp

START_MS = 1_780_000_000_000


class Steps:
    """Notes what account steps get, and refuses when told to."""

    PLUGIN = Plugin(name="steps", version="1", requires=("auth",))

    def __init__(self) -> None:
        self.seen: list[tuple[str, dict[str, Any]]] = []
        self.refusal: Exception | None = None

    @hookimpl
    def register_account_steps(self, app: Wellio) -> list[AccountStep]:
        return [self]

    async def on_account(self, tx: Tx, account: Account, attributes: Mapping[str, Any]) -> None:
        stored = await tx.fetch_one("SELECT role FROM auth_v_user WHERE id = :id", id=account.id)
        assert stored is not None
        if self.refusal is not None:
            raise self.refusal
        self.seen.append((stored["role"], dict(attributes)))


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


async def refresh(app: TestApp, token: str, request_id: str, **options: Any) -> Any:
    """Refresh and return the reply."""
    body = {"refreshToken": token, "requestId": request_id.ljust(16, ".")}
    return await app.api.post("/auth/refresh", body, **options)


async def works(app: TestApp, user: User) -> bool:
    """Tell whether somebody's access token is good."""
    return (await app.api.as_(user).get("/me")).status == 200
