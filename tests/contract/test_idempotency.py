"""Every POST that somebody signs in for takes an `Idempotency-Key`, but for those with secrets.

A POST that breaks the rules of `wellio/http/idempotency.py` fails here with a 500.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.contract.rules import RULES
from wellio.testing import Rule, World
from wellio.testing.users import PASSWORD

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = {"$ref": "#/components/parameters/Idempotency-Key"}
#: Answers that hold a token or a link, and so are never stored.
SECRET = {
    f"POST /api/v1{path}"
    for path in (
        *("/auth/login", "/auth/refresh", "/invitations", "/invitations/redeem", "/setup"),
        "/api-keys",
    )
}
#: Where the table of who may sends something that is refused before the handler.
BODIES: Mapping[str, Any] = {
    "POST /api/v1/auth/password": {"current": PASSWORD, "new": "two fine horses, no battery"},
}
#: Who changes their password is asked for nothing else afterwards.
CALLERS = {"POST /api/v1/auth/password": "nora"}
POSTS = {
    rule.call: rule
    for rule in reversed(RULES)
    if rule.call.startswith("POST ") and rule.call not in SECRET and rule.yes
}


async def test_every_post_takes_a_key_or_has_a_secret(world: World) -> None:
    posts = {
        f"POST {path}": methods["post"]
        for path, methods in world.app.openapi["paths"].items()
        if "post" in methods
    }
    keyed = {call for call, operation in posts.items() if KEY in operation["parameters"]}
    assert keyed == POSTS.keys()
    assert posts.keys() - keyed == SECRET


@pytest.mark.parametrize("rule", POSTS.values(), ids=lambda rule: rule.call)
async def test_it_is_answered_twice_and_done_once(world: World, rule: Rule) -> None:
    usual = "carl" if "carl" in rule.yes.split() else rule.yes.split()[0]
    caller = CALLERS.get(rule.call, usual)
    path = await world.fill(rule.path, "carls")
    body = await world.fill(BODIES.get(rule.call, rule.body), "carls")
    key = {"Idempotency-Key": rule.call}
    first = await world.api(caller).post(path, body, headers=key)
    assert first.status in ({204} if rule.call in BODIES else rule.good), first.content
    await world.replace(rule.uses_up, caller)
    world.app.bus.clear()
    again = await world.api(caller).post(path, body, headers=key, status=first.status)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.content == first.content
    assert again.headers.get("Location") == first.headers.get("Location")
    assert world.app.bus.names == []
