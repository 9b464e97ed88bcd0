"""What the plugins write into the audit log, seen from outside, and that it is documented."""

import ast
import json
import re
from typing import Any

import pytest

from tests.core.source_tree import ROOT, read
from wellio import ManualClock, rfc3339
from wellio.testing import MakeUser, StartApp, TestApp

Said = tuple[str, str | None, str, str | None, str | None]
DOCUMENTED = set(
    re.findall(
        r"^\| `([a-z_]+\.[a-z_]+)`", (ROOT / "docs/audit.md").read_text(), flags=re.MULTILINE
    )
)
FROM_HOME = {"User-Agent": "Firefox of Zoe"}


async def said(app: TestApp, names: dict[str, str]) -> list[Said]:
    """Return what was written since the last time: action, actor, kind, subject, note."""
    await app.app.audit.seal()
    rows = await app.app.db.fetch_all(
        "SELECT * FROM wellio_audit WHERE seq > :seq ORDER BY seq", seq=int(names.get("seen", "0"))
    )
    assert {row["action"] for row in rows} <= DOCUMENTED
    names["seen"] = str(rows[-1]["seq"]) if rows else names.get("seen", "0")
    return [
        (
            row["action"],
            names.get(row["actor_id"], row["actor_id"]),
            row["object_kind"],
            names.get(row["subject_id"], row["subject_id"]),
            row["note"],
        )
        for row in rows
    ]


@pytest.fixture
async def app(wellio_app: StartApp) -> TestApp:
    return await wellio_app()


async def test_accounts(app: TestApp, make_user: MakeUser) -> None:
    owner, coach = await make_user("owner"), await make_user("coach")
    names = {owner.id: "owner", coach.id: "coach"}
    made = await said(app, names)
    assert made == [
        ("practice.set_up", None, "practice", None, None),
        ("user.created", None, "user", None, "owner"),
        ("auth.login", "owner", "session", "owner", None),
        ("user.created", None, "user", None, "coach"),
        ("auth.login", "coach", "session", "coach", None),
    ]
    api = app.api
    wrong = {"email": coach.email, "password": "a wrong one"}
    await api.post("/auth/login", wrong, status=401)
    await api.post("/auth/login", {**wrong, "email": "nobody@x.example"}, status=401)
    change = {"current": "a wrong one", "new": "seven kettles, no lid"}
    key = {"Idempotency-Key": "one"}
    for _ in range(2):  # a key brings the refusal again, and no second row
        await api.as_(coach).post("/auth/password", change, status=422, headers=key)
    await api.as_(coach).post("/auth/password", {**change, "current": coach.password}, status=204)
    await api.as_(owner).patch(f"/users/{coach.id}", {"role": "assistant"}, status=200)
    await api.as_(owner).patch(f"/users/{coach.id}", {"role": "assistant"}, status=200)
    await api.as_(owner).patch(f"/users/{coach.id}", {"status": "disabled"}, status=200)
    await api.post("/auth/login", {**wrong, "password": change["new"]}, status=401)
    await api.as_(owner).patch(f"/users/{coach.id}", {"status": "active", "name": "X"}, status=200)
    await api.as_(owner).post("/auth/logout", status=204)
    assert await said(app, names) == [
        ("auth.login_refused", None, "user", None, "wrong_password"),
        ("auth.login_refused", None, "user", None, "unknown_address"),
        ("auth.password_refused", "coach", "user", None, None),
        ("auth.password_changed", "coach", "user", None, None),
        ("user.role_changed", "owner", "user", None, "coach to assistant"),
        ("user.disabled", "owner", "user", None, None),
        ("auth.session_revoked", "owner", "session", "coach", "disabled"),
        ("auth.login_refused", None, "user", None, "disabled"),
        ("user.updated", "owner", "user", None, "name"),
        ("user.enabled", "owner", "user", None, None),
        ("auth.session_revoked", "owner", "session", "owner", "logout"),
    ]


async def test_api_keys(wellio_app: StartApp, make_user: MakeUser) -> None:
    clock = ManualClock(1_780_000_000_000)
    app = await wellio_app(clock=clock)
    owner, coach = await make_user("owner"), await make_user("coach")
    names = {owner.id: "owner", coach.id: "coach"}
    await said(app, names)
    wish = {"note": "calendar", "scopes": ["clients.read"]}
    as_coach, as_owner = app.api.as_(coach), app.api.as_(owner)
    await as_coach.post("/api-keys", wish | {"scopes": ["no.scope"]}, status=422)
    ends = [{"expiresAt": rfc3339(clock.now_ms() + 1000)}, {}, {}, {}]
    keys = [(await as_coach.post("/api-keys", wish | it, status=201)).data["id"] for it in ends]
    clock.advance(60_000)
    await app.app.bus.settled()
    await as_coach.delete(f"/api-keys/{keys[1]}", status=204)
    await as_coach.delete(f"/api-keys/{keys[1]}", status=404)
    await as_owner.delete(f"/api-keys/{keys[2]}", status=204)
    await as_owner.patch(f"/users/{coach.id}", {"role": "client"}, status=200)
    assert await said(app, names) == [
        *[("api_key.created", "coach", "api_key", "coach", None)] * 4,
        ("api_key.expired", None, "api_key", "coach", None),
        ("api_key.revoked", "coach", "api_key", "coach", "revoked"),
        ("api_key.revoked", "owner", "api_key", "coach", "revoked"),
        ("user.role_changed", "owner", "user", None, "coach to client"),
        ("api_key.revoked", "owner", "api_key", "coach", "role_changed"),
    ]


async def test_keys(app: TestApp, make_user: MakeUser) -> None:
    owner = await make_user("owner")
    await said(app, {})
    await app.command("keys rotate")
    await app.api.as_(owner).patch("/practice", {"name": "Calm Waters"}, status=200)
    await app.app.keys.seal(owner.id, "note", b"plain")
    await app.command("keys adopt")
    assert (await said(app, {owner.id: "owner"}))[-3:] == [
        ("keys.rotated", None, "practice", None, None),
        ("practice.updated", "owner", "practice", None, "name"),
        ("keys.adopted", None, "practice", None, None),
    ]
    assert (await app.app.audit.verify()).is_intact  # under the old key and the new one


async def test_a_stolen_refresh_token(app: TestApp, make_user: MakeUser) -> None:
    owner = await make_user("owner")
    names = {owner.id: "owner"}
    await said(app, names)
    token, spent = owner.refresh_token, owner.refresh_token
    for number in range(2):
        exchange = {"refreshToken": token, "requestId": f"request-number-{number}"}
        token = (await app.api.post("/auth/refresh", exchange, status=200)).data["refreshToken"]
    theft = {"refreshToken": spent, "requestId": "request-of-the-thief"}
    await app.api.post("/auth/refresh", theft, status=401)
    assert await said(app, names) == [
        ("auth.refresh_reused", None, "session", "owner", None),
        ("auth.session_revoked", None, "session", "owner", "refresh_token_reused"),
    ]


async def test_people_clients_and_conversations(app: TestApp, make_user: MakeUser) -> None:
    owner, coach = await make_user("owner"), await make_user("coach")
    names = {owner.id: "owner", coach.id: "coach"}
    await said(app, names)
    api = app.api.as_(owner)
    wish = {"email": "zoe@quibble.example", "role": "client", "coachId": coach.id}
    first = await api.post("/invitations", wish, status=201)
    await api.delete(f"/invitations/{first.data['id']}", status=204)
    link = (await api.post("/invitations", wish, status=201)).data["link"]
    redemption: dict[str, Any] = {
        "token": link.partition("#token=")[2],
        "name": "Zoe Quibble",
        "password": "seven kettles, no lid",
    }
    redeemed = await app.api.post("/invitations/redeem", redemption, status=201, headers=FROM_HOME)
    zoe_id = redeemed.data["user"]["id"]
    names[zoe_id] = "zoe"
    assert await said(app, names) == [
        ("invitation.created", "owner", "invitation", None, "client"),
        ("invitation.revoked", "owner", "invitation", None, None),
        ("invitation.created", "owner", "invitation", None, "client"),
        ("user.created", "zoe", "user", None, "client"),
        ("client.created", "zoe", "client", "zoe", None),
        ("client.assigned", "zoe", "client", "coach", None),
        ("invitation.redeemed", "zoe", "invitation", "zoe", None),
        ("auth.login", "zoe", "session", "zoe", None),
    ]
    details = await app.app.audit.details_of(zoe_id)
    assert [row["details"] for row in details] == ['{"userAgent":"Firefox of Zoe"}']

    ((client),) = (await api.get("/clients", status=200)).data["items"]
    path = f"/clients/{client['id']}"
    await api.patch(path, {"name": client["name"], "phone": "5550100"}, status=200)
    await api.patch(path, {"lifecycle": "dormant"}, status=200)
    tag = await api.post("/tags", {"name": "Sleep"}, status=201)
    await api.put(f"{path}/tags/{tag.data['id']}", status=204)
    for name in ("Rest", "Rest"):  # the second changes nothing
        await api.patch(f"/tags/{tag.data['id']}", {"name": name}, status=200)
    await api.delete(f"/tags/{tag.data['id']}", status=204)
    await api.delete(f"{path}/coaches/{coach.id}", status=204)
    await api.put(f"{path}/coaches/{coach.id}", status=204)
    await api.put(f"{path}/coaches/{coach.id}", status=204)
    await api.patch("/practice", {"name": "Calm Waters", "timeZone": "Europe/Berlin"}, status=200)
    group = {"kind": "group", "title": "Sleep", "memberIds": [coach.id]}
    conversation = (await api.post("/conversations", group, status=201)).data["id"]
    await api.post(f"/conversations/{conversation}/members", {"userId": zoe_id}, status=201)
    await api.delete(f"/conversations/{conversation}/members/{zoe_id}", status=204)
    assert await said(app, names) == [
        ("client.updated", "owner", "client", "zoe", "phone"),
        ("client.updated", "owner", "client", "zoe", "lifecycle"),
        ("client.lifecycle_changed", "owner", "client", "zoe", None),
        ("tag.created", "owner", "tag", None, None),
        ("client.updated", "owner", "client", "zoe", "tags"),
        ("tag.updated", "owner", "tag", None, None),
        ("tag.deleted", "owner", "tag", None, None),
        ("client.unassigned", "owner", "client", "coach", None),
        ("client.assigned", "owner", "client", "coach", None),
        ("practice.updated", "owner", "practice", None, "name time_zone"),
        ("conversation.created", "owner", "conversation", None, "group"),
        ("member.added", "owner", "conversation", "zoe", None),
        ("member.removed", "owner", "conversation", "zoe", None),
    ]
    assert (await app.app.audit.verify()).is_intact


async def test_a_row_knows_its_request(app: TestApp, make_user: MakeUser) -> None:
    owner = await make_user("owner")
    await app.api.as_(owner).patch(
        "/practice", {"name": "Calm Waters"}, status=200, headers={"X-Request-Id": "request-17"}
    )
    await app.app.audit.seal()
    rows = await app.app.db.fetch_all("SELECT * FROM wellio_audit ORDER BY seq")
    assert rows[0]["request_id"] is None  # the owner was made by a command
    assert rows[0]["network"] is None
    assert (rows[-1]["request_id"], rows[-1]["network"]) == ("request-17", "127.0.0.0/24")


def words() -> set[str]:
    """Return every text in the code that has the form of an action."""
    texts = {
        str(node.value)
        for source in read("wellio", "plugins")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Constant)
    }
    return {text for text in texts if re.fullmatch(r"[a-z_]+\.[a-z_]+", text)}


def recorded() -> set[str]:
    """Return the actions that the code names where it writes them into the log."""
    calls = [
        node
        for source in read("wellio", "plugins")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("record")
    ]
    second = [call.args[1] for call in calls if len(call.args) > 2]
    return {str(node.value) for node in second if isinstance(node, ast.Constant)}


def test_the_document_lists_what_there_is() -> None:
    assert {"auth.login_refused", "practice.set_up", "audit.details_erased"} <= recorded()
    assert recorded() <= DOCUMENTED  # what has an event's name is seen above, as it is written
    assert words() >= DOCUMENTED


async def test_what_an_api_key_did_is_told_from_what_its_holder_did(
    wellio_app: StartApp, make_user: MakeUser
) -> None:
    app = await wellio_app()
    owner = await make_user("owner")
    api, scopes = app.api.as_(owner), ["clients.manage", "clients.read"]
    key = (await api.post("/api-keys", {"note": "import", "scopes": scopes}, status=201)).data
    by_key = {"Authorization": f"Bearer {key['key']}"}
    await app.api.post("/clients", {"name": "Zoe"}, status=201, headers=by_key)
    await api.post("/clients", {"name": "Yan"}, status=201)
    await app.app.audit.seal()
    rows = await app.app.db.fetch_all(
        "SELECT action, actor_id, api_key_id FROM wellio_audit WHERE action = 'client.created' "
        "ORDER BY seq"
    )
    assert [tuple(row) for row in rows] == [
        ("client.created", owner.id, key["id"]),
        ("client.created", owner.id, None),
    ]
    details = await app.app.audit.details_of(owner.id)
    assert [json.loads(d["details"]) for d in details if d["action"] == "api_key.created"] == [
        {"scopes": scopes}
    ]
    # what nobody needs to sign in for, on the connection that the key was used on
    await app.api.get("/me", headers=by_key)
    login = {"email": owner.email, "password": owner.password}
    await app.api.post("/auth/login", login, status=200)
    await app.app.audit.seal()
    rows = await app.app.db.fetch_all(
        "SELECT action, api_key_id FROM wellio_audit ORDER BY seq DESC LIMIT 1"
    )
    assert tuple(rows[0]) == ("auth.login", None)
