"""Whoever has not signed in has budgets too: every public endpoint is held against its own.

Endpoints come from the router: a public one that is not in the table fails here.
"""

from collections.abc import Mapping
from itertools import count
from typing import Any

import pytest
import pytest_asyncio

from wellio.testing import Reply, StartApp, TestApp

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.sqlite("budgets lie in memory"),
]

SETTINGS: Mapping[str, Any] = {
    "limits.enabled": True,
    "server.trusted_proxies": ["127.0.0.1"],
    "limits.per_address": "8+0.001/s",
    "plugins.auth.bcrypt_cost": 10,
    "plugins.auth.attempts_per_account": "2+0.0001/s",
    "plugins.auth.attempts_per_address": "4+0.0001/s",
    "plugins.auth.attempts": "40+0.0001/s",
}
PERSON = {"name": "N", "password": "plum kettle orbit"}
LOGIN = {"email": "nobody@example.com", "password": "wrong"}
REFRESH = {"refreshToken": "wr_forged", "requestId": "a" * 16}
REDEEM = {"token": "forged", **PERSON}
SETUP = {
    "token": "forged",
    "practice": {"name": "P", "timeZone": "UTC", "currency": "EUR", "locale": "en"},
    "owner": {"email": "o@example.com", **PERSON},
}
#: Every public endpoint: what is sent, and from one network the budget that ends it, and after how
#: many.
PUBLIC: Mapping[str, tuple[str, Any, str, int]] = {
    "POST /api/v1/auth/login": ("/auth/login", LOGIN, "sign-in-account", 2),
    "POST /api/v1/auth/refresh": ("/auth/refresh", REFRESH, "address", 8),
    "POST /api/v1/invitations/redeem": ("/invitations/redeem", REDEEM, "sign-in-address", 4),
    "POST /api/v1/setup": ("/setup", SETUP, "sign-in-address", 4),
    **{
        f"GET {path}": (f"/{path}", None, "address", 8)
        for path in ("/livez", "/readyz", "/health", "/metrics", "/openapi.json", "/docs")
    },
    "GET /health/{plugin}": ("//health/chat", None, "address", 8),
    "GET /docs/{file}": ("//docs/nothing.js", None, "address", 8),
}
_networks = count(1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(shared_app: StartApp) -> TestApp:
    return await shared_app(settings=SETTINGS)


def somewhere() -> Mapping[str, str]:
    """Return a network from which nothing came yet."""
    number = next(_networks)
    return {"X-Forwarded-For": f"203.{number // 250}.{number % 250}.7"}


async def ask(app: TestApp, call: str, headers: Mapping[str, str], **more: Any) -> Reply:
    path, body, *_ = PUBLIC[call]
    sent = None if body is None else {**body, **more}
    return await app.api.request(call.partition(" ")[0], path, sent, headers=headers)


async def test_every_public_endpoint_ends_at_its_budget(app: TestApp) -> None:
    paths = app.openapi["paths"]
    assert PUBLIC.keys() == {
        f"{method.upper()} {path}"
        for path, methods in paths.items()
        for method, operation in methods.items()
        if operation.get("security") == []
    }
    for call, (_, _, policy, often) in PUBLIC.items():
        headers = somewhere()
        replies = [await ask(app, call, headers) for _ in range(often + 1)]
        assert [reply.status for reply in replies].count(429) == 1, call
        assert replies[-1].status == 429, call
        assert replies[-1].headers["RateLimit-Policy"].startswith(f'"{policy}";q={often};'), call
        assert (await ask(app, call, somewhere())).status != 429 or "account" in policy, call


@pytest.mark.parametrize("call", [it for it, (*_, policy, _) in PUBLIC.items() if "-in-" in policy])
async def test_what_looks_at_a_secret_has_a_budget_for_everybody(
    shared_app: StartApp, call: str
) -> None:
    """Whoever has many networks, and tries many accounts, is held up by the last one."""
    app = await shared_app(settings={**SETTINGS, "plugins.auth.attempts": "5+0.0001/s"})
    more = [{"email": f"{n}@example.com"} if "login" in call else {} for n in range(6)]
    replies = [await ask(app, call, somewhere(), **it) for it in more]
    assert [reply.status for reply in replies].count(429) == 1
    assert replies[-1].headers["RateLimit-Policy"].startswith('"sign-in";q=5;')
