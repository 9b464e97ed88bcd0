"""How often a password may be tried, by whom, from where; `tests/attack` does it at full length."""

from collections.abc import Sequence
from typing import Any

import pytest
import wellio_auth
from wellio_auth.config import AuthConfig

from wellio import ManualClock
from wellio.testing import Reply, TestApp, User
from wellio.testing.plugin import MakeUser, StartApp
from wellio.testing.users import PASSWORD

pytestmark = pytest.mark.sqlite("tests/contract calls every endpoint on both")

pytestmark = pytest.mark.usefixtures("cheap_passwords")

SETTINGS: dict[str, Any] = {
    "limits.enabled": True,
    "limits.per_address": "100000+1/s",
    "server.trusted_proxies": ["127.0.0.1"],
    "plugins.auth.attempts_per_account": "3+0.1/s",
    "plugins.auth.attempts_per_address": "6+0.5/s",
    "plugins.auth.attempts": "9+1/s",
}


@pytest.fixture
def engine() -> str:
    """Run on one engine: what is counted lies in memory."""
    return "sqlite"


@pytest.fixture
async def app(wellio_app: StartApp, clock: ManualClock) -> TestApp:
    return await wellio_app(settings=SETTINGS, plugins=[wellio_auth], clock=clock)


async def log_in(
    app: TestApp, email: str, by: str, password: str = "a wrong one", agent: str = "Phone"
) -> Reply:
    body = {"email": email, "password": password}
    headers = {"X-Forwarded-For": by, "User-Agent": agent}
    return await app.api.post("/auth/login", body, headers=headers)


async def statuses(app: TestApp, tries: Sequence[tuple[str, str]]) -> list[int]:
    return [(await log_in(app, email, by)).status for email, by in tries]


async def test_an_account_has_a_budget_wherever_the_guesses_come_from(
    app: TestApp, make_user: MakeUser, clock: ManualClock
) -> None:
    user = await make_user("owner")
    clock.advance(100_000)  # making somebody signs them in
    tries = [(user.email, f"203.0.{number}.1") for number in range(4)]
    assert await statuses(app, tries) == [401, 401, 401, 429]
    refused = await log_in(app, user.email, "203.0.9.1", PASSWORD)
    assert (refused.status, refused.data["code"]) == (429, "rate_limited")
    assert refused.headers["RateLimit-Policy"] == '"sign-in-account";q=3;w=30'
    assert 9 < refused.data["retryAfter"] <= 10
    clock.advance(10_000)
    assert (await log_in(app, user.email, "203.0.9.1", PASSWORD)).status == 200


@pytest.mark.parametrize(
    "spellings",
    [
        ["strasse@example.com", "STRASSE@EXAMPLE.COM", "stra\u00dfe@example.com"],
        ["strasse@example.com", "\u017ftrasse@example.com", "stra\u017f\u017fe@example.com"],
    ],
)
async def test_no_spelling_of_an_address_has_a_budget_of_its_own(
    app: TestApp, make_user: MakeUser, clock: ManualClock, spellings: list[str]
) -> None:
    user = await make_user("owner", email="strasse@example.com")
    clock.advance(100_000)
    for number, spelling in enumerate(spellings):
        assert (await log_in(app, spelling, f"203.0.{number}.1")).status == 401
    assert (await log_in(app, user.email, "203.0.9.1")).status == 429
    clock.advance(100_000)
    for spelling in spellings:  # and it is that account
        found = await log_in(app, spelling, "203.0.9.1", PASSWORD)
        assert found.data["user"]["id"] == user.id


async def test_a_network_has_a_budget_whomever_it_tries(app: TestApp, clock: ManualClock) -> None:
    tries = [(f"nobody{number}@example.com", "203.0.113.7") for number in range(7)]
    assert await statuses(app, tries) == [401] * 6 + [429]
    assert await statuses(app, [("nobody@example.com", "203.0.113.8")]) == [429]
    clock.advance(2_000)
    assert await statuses(app, [("nobody@example.com", "203.0.113.8")]) == [401]


async def test_all_together_have_one(app: TestApp) -> None:
    tries = [(f"nobody{number}@example.com", f"203.0.{number}.1") for number in range(10)]
    assert await statuses(app, tries) == [401] * 9 + [429]


async def test_what_is_right_uses_nothing_up(
    app: TestApp, make_user: MakeUser, clock: ManualClock
) -> None:
    user = await make_user("owner")
    clock.advance(100_000)
    devices = [("198.51.100.7", f"Phone {number}") for number in range(5)]
    for by, agent in devices * 2:
        assert (await log_in(app, user.email, by, PASSWORD, agent)).status == 200
    assert [await change(app, user, PASSWORD, new="password12") for _ in range(5)] == [422] * 5
    assert [await change(app, user, "a wrong one") for _ in range(4)] == [422, 422, 422, 429]


async def test_no_neighbour_locks_a_device_out(
    app: TestApp, make_user: MakeUser, clock: ManualClock
) -> None:
    user, home = await make_user("owner"), "198.51.100.7"
    clock.advance(100_000)
    assert (await log_in(app, user.email, home, PASSWORD)).status == 200
    for by, agent in ((home, "Laptop"), ("198.51.100.8", "Phone"), ("198.51.100.9", "")):
        for _ in range(12):
            assert (await log_in(app, user.email, by, agent=agent)).status in {401, 429}
    assert (await log_in(app, user.email, home, PASSWORD, "Laptop")).status == 429
    assert (await log_in(app, user.email, home, PASSWORD)).status == 200
    await log_in(app, user.email, "2001:db8::1", PASSWORD)
    clock.advance(100_000)
    assert (await log_in(app, user.email, "2001:db8::1", PASSWORD)).status == 200
    await statuses(app, [(user.email, f"203.0.{number}.1") for number in range(9)])
    assert (await log_in(app, user.email, "2001:db8::2:3", PASSWORD)).status == 200


async def test_nobody_is_locked_out_of_a_place_where_they_were_signed_in(
    app: TestApp, make_user: MakeUser, clock: ManualClock
) -> None:
    user, home, elsewhere = await make_user("owner"), "198.51.100.7", "203.0.113.1"
    clock.advance(100_000)
    assert (await log_in(app, user.email, home, PASSWORD)).status == 200
    flood = [(user.email, f"203.0.{number}.1") for number in range(9)]
    flood += [(f"nobody{number}@example.com", f"203.1.{number}.1") for number in range(12)]
    assert (await statuses(app, flood))[-1] == 429
    assert (await log_in(app, user.email, elsewhere, PASSWORD)).status == 429
    assert (await log_in(app, user.email, home, PASSWORD)).status == 200
    await app.restart()  # what is remembered comes from the sessions that live
    assert (await statuses(app, flood))[-1] == 429
    assert (await log_in(app, user.email, home, PASSWORD)).status == 200
    # Theirs is a budget all the same.
    assert await statuses(app, [(user.email, home)] * 4) == [401, 401, 401, 429]
    assert (await log_in(app, "nobody@example.com", home)).status == 429


async def test_who_is_signed_in_has_a_budget_for_the_old_password(
    app: TestApp, make_user: MakeUser
) -> None:
    user = await make_user("owner")
    await statuses(app, [(user.email, f"203.0.{number}.1") for number in range(5)])
    assert [await change(app, user, "a wrong one") for _ in range(4)] == [422, 422, 422, 429]


async def change(app: TestApp, user: User, current: str, new: str = "seven plum kettles") -> int:
    body = {"current": current, "new": new}
    return (await app.api.as_(user).post("/auth/password", body)).status


def test_the_default_is_less_than_20_in_an_hour() -> None:
    rate = AuthConfig().attempts_per_account
    assert rate.burst + rate.per_s * 3600 < 20
