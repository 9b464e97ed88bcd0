"""The gateway's limits: what an address and an account may ask for, and that no trick gets more."""

from collections.abc import Mapping
from typing import Any

import pytest
from aiohttp import web

from tests.core.http.small_app import Answer, SmallApp, running
from wellio.access.limits import Limits
from wellio.clock import ManualClock
from wellio.config.settings import load_config
from wellio.http import REMOTE, GatewayRules, endpoint
from wellio.testing.apps import NO_FILE

PROXIED = {"server.trusted_proxies": ["127.0.0.1"]}


class DoorApi:
    @endpoint("GET", "/open", public=True, returns=dict[str, str])
    async def open(self, request: web.Request) -> dict[str, str]:
        """Say who asks."""
        return {"remote": request[REMOTE]}

    @endpoint("GET", "/mine", returns=dict[str, str], signed_in=True)
    async def mine(self, request: web.Request) -> dict[str, str]:
        """Say who asks, to who is signed in."""
        return {"remote": request[REMOTE]}


def rules(clock: ManualClock, settings: Mapping[str, Any] | None = None) -> GatewayRules:
    """Three requests of a network and then one a second; two of an account, and one in 2 s."""
    rates = {"limits.per_address": "3+1/s", "limits.per_account": "2+0.5/s"}
    config = load_config(NO_FILE, env={}, overrides={**rates, **(settings or {})})
    return GatewayRules.of(
        config, Limits(is_enabled=config.limits.enabled, monotonic=clock.monotonic)
    )


async def ask(
    app: SmallApp, path: str = "/api/v1/open", *, token: str | None = None, by: str | None = None
) -> Answer:
    headers = {"X-Forwarded-For": by} if by else {}
    return await app.request("GET", path, token=token, headers=headers)


async def test_an_address_is_told_what_is_left_and_when_there_is_more() -> None:
    clock = ManualClock(0)
    async with running(DoorApi(), rules=rules(clock)) as app:
        left = [(await ask(app)).headers["RateLimit"] for _ in range(3)]
        assert left == [f'"address";r={3 - n};t={n}' for n in (1, 2, 3)]
        refused = await ask(app)
        assert (refused.status, refused.data["code"]) == (429, "rate_limited")
        assert refused.data["retryAfter"] == 1.0
        assert refused.headers["Retry-After"] == "1"
        assert refused.headers["RateLimit-Policy"] == '"address";q=3;w=3'
        assert refused.headers["RateLimit"] == '"address";r=0;t=3'
        clock.advance(1_000)
        assert [(await ask(app)).status for _ in range(2)] == [200, 429]


async def test_an_account_has_one_budget_whichever_address_it_comes_from() -> None:
    clock = ManualClock(0)
    async with running(DoorApi(), rules=rules(clock, PROXIED)) as app:
        answers = [
            await ask(app, "/api/v1/mine", token="coach", by=f"192.0.{n}.1") for n in range(4)
        ]
        assert [it.status for it in answers] == [200, 200, 429, 429]
        assert [it.headers["RateLimit"] for it in answers[1:3]] == ['"account";r=0;t=4'] * 2
        assert answers[2].headers["Retry-After"] == "2"
        other = await ask(app, "/api/v1/mine", token="client", by="192.0.9.1")
        assert (other.status, other.headers["RateLimit"]) == (200, '"account";r=1;t=2')


async def test_limits_that_are_switched_off() -> None:
    async with running(DoorApi(), rules=rules(ManualClock(0), {"limits.enabled": False})) as app:
        answers = [await ask(app, "/api/v1/mine", token="coach") for _ in range(9)]
    assert {it.status for it in answers} == {200}
    assert not any("RateLimit" in it.headers for it in answers)


@pytest.mark.parametrize(
    "tricks",
    [
        ["GET /api/v1/open", "GET /API/V1/OPEN", "GET /api/v1/open/", "GET //api/v1/open"],
        ["GET /api/v1/open", "GET /api/v1/%6fpen", "GET /api/v1/./open", "GET /api/v1/open?a=1"],
        ["HEAD /api/v1/open", "OPTIONS /api/v1/open", "DELETE /api/v1/open", "TRACE /api/v1/open"],
        ["GET /api/v1/mine", "GET /metrics", "GET /nowhere", "OPTIONS *"],
    ],
)
async def test_no_spelling_of_a_request_has_a_budget_of_its_own(tricks: list[str]) -> None:
    async with running(DoorApi(), rules=rules(ManualClock(0))) as app:
        statuses = [
            (await app.raw(f"{line} HTTP/1.1\r\nHost: x\r\n\r\n".encode())).status
            for line in tricks
        ]
    assert statuses[-1] == 429
    assert 429 not in statuses[:-1]


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Client-IP"])
async def test_nobody_chooses_their_own_address(header: str) -> None:
    async with running(DoorApi(), rules=rules(ManualClock(0))) as app:
        statuses = []
        for number in range(5):
            value = f"for=192.0.{number}.1" if header == "Forwarded" else f"192.0.{number}.1"
            answer = await app.request("GET", "/api/v1/open", token=None, headers={header: value})
            statuses.append(answer.status)
    assert statuses == [200, 200, 200, 429, 429]


@pytest.mark.parametrize(
    "clients, answered",
    [
        (["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"], 3),
        (["2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::3", "2001:db8::4"], 3),
        (["2001:db8:0:1::1", "2001:db8:0:2::1", "2001:db8:0:3::1", "2001:db8:0:4::1"], 4),
        (["192.0.2.1, 198.51.100.7", "192.0.3.1, 198.51.100.7", "192.0.4.1, 198.51.100.7"] * 2, 3),
    ],
)
async def test_behind_a_trusted_proxy_each_network_has_its_budget(
    clients: list[str], answered: int
) -> None:
    async with running(DoorApi(), rules=rules(ManualClock(0), PROXIED)) as app:
        answers = [await ask(app, by=client) for client in clients]
    assert sum(it.status == 200 for it in answers) == answered
    assert answers[0].data["remote"] == clients[0].rpartition(", ")[2]


async def test_bad_tokens_use_the_budget_of_the_address() -> None:
    async with running(DoorApi(), rules=rules(ManualClock(0))) as app:
        answers = [await ask(app, "/api/v1/mine", token=f"guess-{n}") for n in range(4)]
    assert [it.status for it in answers] == [401, 401, 401, 429]
