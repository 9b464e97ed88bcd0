"""What can be done to people who are no ordinary accounts: disabled, not begun yet, erased.

A state counts as much as a role: every act that has somebody as its target is tried with each.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.contract.rules import RULES
from wellio import Tx
from wellio.testing import User, World

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.sqlite("what state somebody is in is a condition of plain SQL"),
]

STATES = ("disabled", "pending", "erased")


@dataclass(frozen=True)
class Act:
    """Something that is done to somebody.

    Attributes:
        call: As OpenAPI has it.
        caller: Who does it.
        path: With `{id}` for the person's account, `{record}` for their client record, and the
            world's things in braces.
        expected: The status for each of `STATES`; None: it is not tried.
        body: In the same form.
    """

    call: str
    caller: str
    path: str
    expected: tuple[int | None, int | None, int | None]
    body: Any = None


DIRECT = {"kind": "direct", "memberIds": ["{id}"]}
GROUP = {"kind": "group", "memberIds": ["{id}"], "title": "chat-of-carls"}
RECORD, IN_GROUP = "/clients/{record}", "/conversations/{group}/members"
#: Of anybody.
ANY = (
    Act("GET /api/v1/users/{id}", "owner", "/users/{id}", (200, None, 404)),
    Act("PATCH /api/v1/users/{id}", "owner", "/users/{id}", (200, None, 404), {"name": "New"}),
    Act("POST /api/v1/conversations", "owner", "/conversations", (404, 404, 404), DIRECT),
    Act("POST /api/v1/conversations", "carl", "/conversations", (404, 404, 404), DIRECT),
    Act("POST /api/v1/conversations", "carl", "/conversations", (404, 404, 404), GROUP),
    Act(
        "POST /api/v1/conversations/{id}/members", "carl", IN_GROUP, (404, 404, 404),
        {"userId": "{id}"},
    ),
    Act(
        "DELETE /api/v1/conversations/{id}/members/{userId}", "carl", f"{IN_GROUP}/{{id}}",
        (404, 404, 404),
    ),
)  # fmt: skip
COACH = (
    Act(
        "POST /api/v1/invitations", "owner", "/invitations", (422, 422, 422),
        {"email": "state@clients.example", "role": "client", "coachId": "{id}"},
    ),
    Act(
        "POST /api/v1/clients", "owner", "/clients", (422, 422, 422),
        {"name": "Nia", "coachIds": ["{id}"]},
    ),
    Act(
        "PUT /api/v1/clients/{id}/coaches/{coachId}", "owner", "/clients/{client}/coaches/{id}",
        (404, 404, 404),
    ),
    Act(
        "DELETE /api/v1/clients/{id}/coaches/{coachId}", "owner",
        "/clients/{client}/coaches/{id}", (204, 204, 204),
    ),
)  # fmt: skip
CLIENT = (
    Act("GET /api/v1/clients/{id}", "carl", RECORD, (200, 200, 404)),
    Act("PATCH /api/v1/clients/{id}", "carl", RECORD, (200, 200, 404), {"source": "x"}),
    Act("GET /api/v1/clients/{id}/timeline", "carl", f"{RECORD}/timeline", (200, 200, 404)),
    Act(
        "PUT /api/v1/clients/{id}/tags/{tagId}", "carl", f"{RECORD}/tags/{{tag}}",
        (204, 204, 404),
    ),
    Act(
        "DELETE /api/v1/clients/{id}/tags/{tagId}", "carl", f"{RECORD}/tags/{{tag}}",
        (204, 204, 404),
    ),
    Act(
        "PUT /api/v1/clients/{id}/coaches/{coachId}", "owner", f"{RECORD}/coaches/{{eve}}",
        (204, 204, 404),
    ),
    Act(
        "DELETE /api/v1/clients/{id}/coaches/{coachId}", "owner", f"{RECORD}/coaches/{{eve}}",
        (204, 204, 404),
    ),
)  # fmt: skip
#: Whose target is nobody's account and no record, and whether it is made, found or ended by itself.
OTHERS = {
    *("POST /api/v1/auth/logout", "POST /api/v1/auth/logout-all", "POST /api/v1/auth/password"),
    *("DELETE /api/v1/auth/sessions", "DELETE /api/v1/auth/sessions/{id}", "PATCH /api/v1/me"),
    *("DELETE /api/v1/invitations/{id}", "POST /api/v1/api-keys", "DELETE /api/v1/api-keys/{id}"),
    *("PATCH /api/v1/practice", "POST /api/v1/tags", "PATCH /api/v1/tags/{id}"),
    *("DELETE /api/v1/tags/{id}", "POST /api/v1/conversations/{id}/messages"),
    *("POST /api/v1/conversations/{id}/read", "PATCH /api/v1/messages/{id}"),
    "DELETE /api/v1/messages/{id}",
}


async def put(world: World, user: User, state: str) -> None:
    """Put somebody into a state, as the owner, an erasure, or a registration to come does."""
    if state == "disabled":
        body = {"status": "disabled"}
        await world.api("owner").patch(f"/users/{user.id}", body, status=200)
    elif state == "erased":
        await world.app.erase(user.id)
    else:

        async def begin(tx: Tx) -> None:
            sql = "UPDATE auth_user SET status = 'pending' WHERE id = :id"
            await tx.execute(sql, id=user.id)

        await world.app.app.db.write(begin)


async def filled(world: World, template: Any, known: Mapping[str, str]) -> Any:
    """Put the person's ids and the world's things in for the names in braces."""
    match template:
        case dict():
            return {name: await filled(world, it, known) for name, it in template.items()}
        case list():
            return [await filled(world, it, known) for it in template]
        case str():
            for name, value in known.items():
                template = template.replace(f"{{{name}}}", value)
            return await world.fill(template, "carls")
    return template


async def test_every_act_is_here() -> None:
    writes = {rule.call for rule in RULES if rule.method != "GET"}
    assert writes - {act.call for act in (*ANY, *COACH, *CLIENT)} == OTHERS


@pytest.mark.parametrize("role", ["coach", "client"])
async def test_nobody_acts_on_a_person_who_is_not_there(world: World, role: str) -> None:
    email = (await world.api("carl").get("/me", status=200)).data["email"]
    carl = User(world.ids["carl"], email, "Carl", "coach", "", "", "")
    for index, state in enumerate(STATES):
        user = await world.users.make(world.app, role, coach=carl if role == "client" else None)
        known = {"id": user.id}
        if role == "client":
            known["record"] = await world.record_of("carl", user.id)
        await put(world, user, state)
        for act in (*ANY, *(COACH if role == "coach" else CLIENT)):
            expected, method = act.expected[index], act.call.partition(" ")[0]
            path, body = [await filled(world, it, known) for it in (act.path, act.body)]
            world.app.bus.clear()
            if expected is None:
                continue
            reply = await world.api(act.caller).request(method, path, body)
            assert reply.status == expected, (state, act.call, reply.content)
            if expected >= 400:
                assert world.app.bus.names == [], (state, act.call)
        login = {"email": user.email, "password": user.password}
        refused = await world.app.api.post("/auth/login", login, status=401)
        assert refused.code == "invalid_credentials"
        body = {"refreshToken": user.refresh_token, "requestId": "a" * 16}
        await world.app.api.post("/auth/refresh", body, status=401)
        await world.app.api.as_(user).get("/me", status=401)
