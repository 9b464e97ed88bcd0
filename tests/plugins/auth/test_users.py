"""Accounts: one's own, everybody's for the owner, and that a change takes effect at once."""

import asyncio

import pytest

from tests.plugins.auth.moves import refresh, works
from wellio.testing import DEADLINE_S, Sockets, TestApp
from wellio.testing.plugin import MakeUser
from wellio.testing.users import PASSWORD, sign_in

pytestmark = pytest.mark.sqlite("tests/contract calls every endpoint on both")


async def test_me_says_who_one_is_and_what_one_may_do(app: TestApp, make_user: MakeUser) -> None:
    coach = await make_user("coach", name="Cora Coach")
    reply = await app.api.as_(coach).get("/me", status=200)
    assert {key: reply.data[key] for key in ("id", "email", "name", "role", "status")} == {
        "id": coach.id,
        "email": coach.email,
        "name": "Cora Coach",
        "role": "coach",
        "status": "active",
    }
    assert reply.data["permissions"] == ["api_keys.create", "invitations.create"]
    with app.bus.expect("user.updated"):
        renamed = await app.api.as_(coach).patch("/me", {"name": " Cora "}, status=200)
    assert renamed.data["name"] == "Cora"
    with app.bus.expect():
        await app.api.as_(coach).patch("/me", {}, status=200)


async def test_nobody_raises_themself(app: TestApp, make_user: MakeUser) -> None:
    coach = await make_user("coach")
    for body in ({"role": "owner"}, {"email": "x@example.com"}, {"status": "active"}, {"name": ""}):
        await app.api.as_(coach).patch("/me", body, status=422)


async def test_what_an_account_must_have_is_never_emptied(
    app: TestApp, make_user: MakeUser
) -> None:
    owner, coach = await make_user("owner"), await make_user("coach", name="Cora")
    mine, theirs = app.api.as_(coach), app.api.as_(owner)
    changes = [(mine, "/me", "name")]
    changes += [(theirs, f"/users/{coach.id}", field) for field in ("name", "role", "status")]
    for api, path, field in changes:
        refused = await api.patch(path, {field: None}, status=422)
        assert [error["pointer"] for error in refused.data["errors"]] == [f"/{field}"]
        with app.bus.expect():
            kept = await api.patch(path, {}, status=200)
        assert (kept.data["name"], kept.data["role"], kept.data["status"]) == (
            *("Cora", "coach", "active"),
        )


async def test_the_owner_pages_through_accounts(app: TestApp, make_user: MakeUser) -> None:
    owner = await make_user("owner", name="Olga")
    for name in ("Bea", "Ada", "Ada", "Cleo"):
        await make_user("client", name=name)
    api, names, query = app.api.as_(owner), [], {"limit": 2}
    while True:
        reply = await api.get("/users", query=query, status=200)
        names += [item["name"] for item in reply.data["items"]]
        if reply.data["nextCursor"] is None:
            break
        query["cursor"] = reply.data["nextCursor"]
    assert names == ["Ada", "Ada", "Bea", "Cleo", "Olga"]
    owners = await api.get("/users", query={"role": "owner", "status": "active"}, status=200)
    assert [item["id"] for item in owners.data["items"]] == [owner.id]
    assert (await api.get(f"/users/{owner.id}", status=200)).data == owners.data["items"][0]
    bad = await api.get("/users", query={"cursor": "WzFd"}, status=422)
    assert bad.data["errors"][0]["pointer"] == "/cursor"


async def test_disabling_takes_effect_at_once(
    app: TestApp, make_user: MakeUser, sockets: Sockets
) -> None:
    owner, coach = await make_user("owner"), await make_user("coach")
    socket = await sockets.plain(app.url, coach)
    invitation = await app.api.as_(coach).post(
        "/invitations", {"email": "c@example.com", "role": "client"}, status=201
    )
    with app.bus.expect("user.disabled", "auth.session_revoked"):
        await app.api.as_(owner).patch(f"/users/{coach.id}", {"status": "disabled"}, status=200)
    assert not await works(app, coach)
    async with asyncio.timeout(DEADLINE_S):
        await socket.closed.wait()
    await refresh(app, coach.refresh_token, "one", status=401)
    login = {"email": coach.email, "password": PASSWORD}
    await app.api.post("/auth/login", login, status=401)
    token = invitation.data["link"].partition("token=")[2]
    redeem = {"token": token, "name": "C", "password": PASSWORD}
    await app.api.post("/invitations/redeem", redeem, status=410)
    with app.bus.expect("user.enabled"):
        await app.api.as_(owner).patch(f"/users/{coach.id}", {"status": "active"}, status=200)
    assert not await works(app, coach)
    assert await works(app, await sign_in(app, coach.email))


async def test_a_new_role_takes_effect_at_once(
    app: TestApp, make_user: MakeUser, sockets: Sockets
) -> None:
    owner, coach = await make_user("owner"), await make_user("coach")
    socket = await sockets.plain(app.url, coach)
    await app.api.as_(coach).get("/invitations", status=200)
    with app.bus.expect("user.updated"):
        await app.api.as_(owner).patch(f"/users/{coach.id}", {"role": "assistant"}, status=200)
    await app.api.as_(coach).get("/invitations", status=403)
    assert (await app.api.as_(coach).get("/me", status=200)).data["role"] == "assistant"
    async with asyncio.timeout(DEADLINE_S):
        await socket.closed.wait()
    assert (await refresh(app, coach.refresh_token, "one", status=200)).data["user"][
        "role"
    ] == "assistant"


@pytest.mark.parametrize("change", [{"role": "coach"}, {"status": "disabled"}])
async def test_the_last_owner_stays(
    app: TestApp, make_user: MakeUser, change: dict[str, str]
) -> None:
    owner, second = await make_user("owner"), await make_user("owner")
    await app.api.as_(owner).patch(f"/users/{second.id}", change, status=200)
    refused = await app.api.as_(owner).patch(f"/users/{owner.id}", change, status=409)
    assert refused.data["code"] == "last_owner"
    assert await works(app, owner)


@pytest.mark.both_engines("what happens at once is the point")
async def test_two_owners_who_demote_each_other_leave_one(
    app: TestApp, make_user: MakeUser
) -> None:
    first, second = await make_user("owner"), await make_user("owner")
    replies = await asyncio.gather(
        app.api.as_(first).patch(f"/users/{second.id}", {"status": "disabled"}),
        app.api.as_(second).patch(f"/users/{first.id}", {"status": "disabled"}),
    )
    rows = await app.app.db.fetch_all("SELECT id FROM auth_v_user WHERE status = 'active'")
    assert len(rows) == 1
    assert min(reply.status for reply in replies) == 200
