"""A clock that goes back revives nothing: what had ended has ended, before a restart and after."""

import pytest
import wellio_auth

from tests.plugins.auth.conftest import START_MS
from tests.plugins.auth.moves import refresh
from wellio import ManualClock, rfc3339
from wellio.testing import MakeUser, StartApp, TestApp, User, sign_in

pytestmark = pytest.mark.sqlite("the SQL is one row's")
HOUR_MS = 3_600_000


async def code_of(app: TestApp, token: str) -> str | None:
    headers = {"Authorization": f"Bearer {token}"}
    return (await app.api.get("/me", headers=headers)).code


async def test_no_way_of_setting_the_clock_back_revives_anything(
    app: TestApp, make_user: MakeUser, clock: ManualClock
) -> None:
    user = await make_user("owner")
    api = app.api.as_(user)
    ends = {"expiresAt": rfc3339(START_MS + HOUR_MS // 2)}
    key = {"note": "k", "scopes": ["users.read"], **ends}
    key_token = (await api.post("/api-keys", key, status=201)).data["key"]
    body = {"email": "new@example.com", "role": "coach"}
    link = (await api.post("/invitations", body, status=201)).data["link"]
    clock.advance(8 * 24 * HOUR_MS)
    renewed = await refresh(app, user.refresh_token, "renewed", status=200)
    clock.advance(11_000)  # beyond what may be a race
    for is_restarted in (False, True):
        for back_ms in (HOUR_MS, 8 * 24 * HOUR_MS, 365 * 24 * HOUR_MS):
            clock.set(START_MS + 8 * 24 * HOUR_MS - back_ms)
            if is_restarted:
                await app.restart()
            assert await code_of(app, user.token) == "token_expired"
            assert await code_of(app, key_token) == "invalid_token"
            redemption = {"token": link.partition("#token=")[2], "name": "N", "password": "x" * 10}
            await app.api.post("/invitations/redeem", redemption, status=410)
    reused = await refresh(app, user.refresh_token, "stolen", status=401)
    assert reused.code == "refresh_token_reused"
    await refresh(app, renewed.data["refreshToken"], "after", status=401)


async def test_time_goes_on_while_the_clock_is_behind(
    app: TestApp, make_user: MakeUser, clock: ManualClock
) -> None:
    email = (await make_user("owner")).email
    clock.advance(HOUR_MS)
    await sign_in(app, email)
    clock.set(START_MS)
    user = await sign_in(app, email)
    assert await code_of(app, user.token) is None
    clock.advance(599_000)
    assert await code_of(app, user.token) is None
    clock.advance(2_000)
    assert await code_of(app, user.token) == "token_expired"
    clock.set(START_MS + 10 * HOUR_MS)  # and where the clock is ahead again, it goes by that
    later = await sign_in(app, email)
    clock.advance(601_000)
    assert await code_of(app, later.token) == "token_expired"


async def test_what_a_running_server_only_saw_is_kept_within_a_minute(
    wellio_app: StartApp, make_user: MakeUser, clock: ManualClock
) -> None:
    settings = {"plugins.auth.bcrypt_cost": 10}
    app = await wellio_app(settings=settings, plugins=[wellio_auth], clock=clock)
    user: User = await make_user("owner")
    clock.advance(HOUR_MS)
    app.app.bus.poke()
    await app.app.jobs.run_due()
    row = await app.app.db.fetch_one("SELECT at FROM auth_time")
    assert row is not None
    assert row["at"] >= START_MS + HOUR_MS
    clock.set(START_MS)
    await app.restart()
    assert await code_of(app, user.token) == "token_expired"
