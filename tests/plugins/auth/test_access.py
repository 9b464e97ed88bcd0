"""Every endpoint of this plugin refuses nobody and the wrong role; the table knows them all."""

from typing import Any

import pytest

from wellio.testing import TestApp
from wellio.testing.plugin import MakeUser

ID = "018f4e5c-0000-7000-8000-000000000001"
ANYBODY = ("owner", "coach", "assistant", "client")
OWNER = ("owner",)
INVITERS = ("owner", "coach")
INVITATION = {"email": "new@example.com", "role": "client"}
PASSWORD = {"current": "not the password", "new": "plum kettle orbit"}

# (method, path, body, who may, what they get)
PROTECTED: list[tuple[str, str, Any, tuple[str, ...], int]] = [
    ("GET", "/me", None, ANYBODY, 200),
    ("PATCH", "/me", {}, ANYBODY, 200),
    ("GET", "/auth/sessions", None, ANYBODY, 200),
    ("DELETE", "/auth/sessions", None, ANYBODY, 204),
    ("DELETE", "/auth/sessions/{id}", None, ANYBODY, 404),
    ("POST", "/auth/password", PASSWORD, ANYBODY, 422),
    ("POST", "/auth/logout", None, ANYBODY, 204),
    ("POST", "/auth/logout-all", None, ANYBODY, 204),
    ("GET", "/users", None, OWNER, 200),
    ("GET", "/users/{id}", None, OWNER, 404),
    ("PATCH", "/users/{id}", {}, OWNER, 404),
    ("POST", "/invitations", INVITATION, INVITERS, 201),
    ("GET", "/invitations", None, INVITERS, 200),
    ("GET", "/invitations/{id}", None, INVITERS, 404),
    ("DELETE", "/invitations/{id}", None, INVITERS, 404),
]
PUBLIC = {
    ("POST", "/auth/login"),
    ("POST", "/auth/refresh"),
    ("POST", "/invitations/redeem"),
    ("POST", "/setup"),
}


@pytest.mark.parametrize(
    ("method", "path", "body", "allowed", "status"),
    PROTECTED,
    ids=[f"{method} {path}" for method, path, *_ in PROTECTED],
)
async def test_who_may(
    app: TestApp,
    make_user: MakeUser,
    method: str,
    path: str,
    body: Any,
    allowed: tuple[str, ...],
    status: int,
) -> None:
    nobody = await app.api.request(method, path.format(id=ID), body, status=401)
    assert nobody.headers["Content-Type"].startswith("application/problem+json")
    got = {}
    for role in ANYBODY:
        user = await make_user(role)
        reply = await app.api.as_(user).request(method, path.format(id=ID), body)
        got[role] = reply.status
    assert got == {role: status if role in allowed else 403 for role in ANYBODY}


async def test_the_table_knows_every_endpoint(app: TestApp) -> None:
    described = {
        (method.upper(), path.removeprefix("/api/v1"))
        for path, operations in app.app.openapi["paths"].items()
        for method, operation in operations.items()
        if "auth" in operation["tags"]
    }
    assert described == {(method, path) for method, path, *_ in PROTECTED} | PUBLIC
