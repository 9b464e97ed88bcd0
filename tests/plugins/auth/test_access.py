"""Every endpoint of this plugin refuses nobody and the wrong role; the table knows them all."""

from typing import Any

from wellio.testing import TestApp
from wellio.testing.plugin import MakeUser

ID = "018f4e5c-0000-7000-8000-000000000001"
ANYBODY = ("owner", "coach", "assistant", "client")
OWNER = ("owner",)
STAFF = ("owner", "coach", "assistant")
INVITERS = ("owner", "coach")
INVITATION = {"email": "new@example.com", "role": "client"}
PASSWORD = {"current": "not the password", "new": "plum kettle orbit"}

# (method, path, body, who may, what they get)
PROTECTED: list[tuple[str, str, Any, tuple[str, ...], int]] = [
    ("GET", "/me", None, ANYBODY, 200),
    ("PATCH", "/me", {}, ANYBODY, 200),
    ("GET", "/auth/sessions", None, ANYBODY, 200),
    ("GET", "/auth/sessions/{id}", None, ANYBODY, 404),
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
    ("POST", "/api-keys", {"note": "x", "scopes": []}, STAFF, 422),
    ("GET", "/api-keys", None, STAFF, 200),
    ("GET", "/api-keys/{id}", None, STAFF, 404),
    ("DELETE", "/api-keys/{id}", None, STAFF, 404),
]
PUBLIC = {
    ("POST", "/auth/login"),
    ("POST", "/auth/refresh"),
    ("POST", "/invitations/redeem"),
    ("POST", "/setup"),
}


async def test_who_may(app: TestApp, make_user: MakeUser) -> None:
    got, expected = {}, {}
    for method, path, body, allowed, status in PROTECTED:
        target = path.format(id=ID)
        nobody = await app.api.request(method, target, body)
        people = [await make_user(role) for role in ANYBODY]
        replies = [await app.api.as_(user).request(method, target, body) for user in people]
        got[method, path] = [nobody.status, *(reply.status for reply in replies)]
        expected[method, path] = [401, *(status if r in allowed else 403 for r in ANYBODY)]
    assert got == expected


async def test_the_table_knows_every_endpoint(app: TestApp) -> None:
    described = {
        (method.upper(), path.removeprefix("/api/v1"))
        for path, operations in app.openapi["paths"].items()
        for method, operation in operations.items()
        if "auth" in operation["tags"]
    }
    assert described == {(method, path) for method, path, *_ in PROTECTED} | PUBLIC
