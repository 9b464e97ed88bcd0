"""API keys: made once, narrower than their maker, and gone at once when they end."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wellio_auth.api_keys import store
from wellio_auth.api_keys.models import NewApiKey
from wellio_auth.api_keys.service import ApiKeys
from wellio_auth.api_keys.token import make_token, read_token
from wellio_auth.personal_data import AccountData

from wellio import Actor, Forbidden, ManualClock, Tx, Unavailable, new_id, rfc3339
from wellio.testing import DEADLINE_S, MakeUser, Sockets, StartApp, TestApp, User

pytestmark = pytest.mark.sqlite("tests/contract calls every endpoint on both")

START_MS = 1_780_000_000_000
#: What leads to accounts, to sessions or to more keys.
NEVER = {
    *("users.manage", "invitations.create", "invitations.manage"),
    *("api_keys.create", "api_keys.manage"),
}


@pytest.fixture
async def app(wellio_app: StartApp, clock: ManualClock) -> TestApp:
    return await wellio_app(clock=clock)


@dataclass(frozen=True)
class Key:
    id: str
    token: str


async def make(app: TestApp, user: User, *scopes: str, **more: Any) -> Key:
    """Make a key of somebody's."""
    body = {"note": "calendar", "scopes": scopes or ["clients.read"], **more}
    made = (await app.api.as_(user).post("/api-keys", body, status=201)).data
    return Key(made["id"], made["key"])


async def works(app: TestApp, key: Key) -> bool:
    """Tell whether a key is good."""
    return (await app.api.as_(key).get("/me")).status == 200


async def test_a_key_is_told_once_and_stored_as_a_hash(app: TestApp, make_user: MakeUser) -> None:
    coach = await make_user("coach")
    api, body = app.api.as_(coach), {"note": " calendar ", "scopes": ["chat.send", "chat.read"] * 2}
    with app.bus.expect():
        made = await api.post("/api-keys", body, status=201)
    token = made.data.pop("key")
    assert re.fullmatch(rf"wk_{made.data['id']}_[0-9a-f]{{64}}_[0-9a-f]{{8}}", token)
    assert made.headers["Location"] == f"/api/v1/api-keys/{made.data['id']}"
    assert made.data == {
        "id": made.data["id"],
        "userId": coach.id,
        "note": "calendar",
        "scopes": ["chat.read", "chat.send"],
        "createdAt": rfc3339(START_MS),
        "expiresAt": None,
        "lastUsedAt": None,
    }
    assert (await api.get(f"/api-keys/{made.data['id']}", status=200)).data == made.data
    assert (await api.get("/api-keys", status=200)).data["items"] == [made.data]
    stored = await app.app.db.fetch_all("SELECT * FROM auth_api_key")
    assert token.split("_")[2] not in str([tuple(row) for row in stored])


async def test_an_end_that_nobody_can_write_is_refused_and_hides_no_key_where_it_is_stored(
    app: TestApp, make_user: MakeUser
) -> None:
    owner, coach = await make_user("owner"), await make_user("coach")
    body = {"note": "x", "scopes": ["clients.read"]}
    for end in (253_402_300_800_000, 2**53 - 1, 2**63 - 1, 4_102_444_800_000, 4_102_444_800, True):
        reply = await app.api.as_(coach).post("/api-keys", {**body, "expiresAt": end}, status=422)
        assert [error["pointer"] for error in reply.data["errors"]] == ["/expiresAt"]
    key = await make(app, coach)

    async def spoil(tx: Tx) -> None:
        await tx.execute("UPDATE auth_api_key SET expires_at = :end", end=2**63 - 1)

    await app.app.db.write(spoil)
    for user in (owner, coach):
        listed = (await app.api.as_(user).get("/api-keys", status=200)).data["items"]
        assert [it["expiresAt"] for it in listed] == ["9999-12-31T23:59:59.999Z"]
    assert await works(app, key)


async def test_what_cannot_be_is_refused_all_at_once(app: TestApp, make_user: MakeUser) -> None:
    coach = await make_user("coach")
    scopes = ["clients.read", "users.read", "nothing.at_all", "invitations.create"]
    body = {"note": "x", "scopes": scopes, "expiresAt": rfc3339(START_MS)}
    reply = await app.api.as_(coach).post("/api-keys", body, status=422)
    assert [(error["pointer"], error["code"]) for error in reply.data["errors"]] == [
        *((f"/scopes/{index}", "unknown_scope") for index in (1, 2, 3)),
        ("/expiresAt", "in_the_past"),
    ]
    good = {"note": "x", "scopes": ["clients.read"]}
    for name, value in (("scopes", []), ("scopes", ["a"] * 101), ("note", ""), ("expiresAt", "?")):
        await app.api.as_(coach).post("/api-keys", {**good, name: value}, status=422)
    await app.api.as_(await make_user("client")).post("/api-keys", body, status=403)


async def test_what_no_key_may_ever_hold(app: TestApp, make_user: MakeUser) -> None:
    """The owner may give everything else."""
    owner = await make_user("owner")
    held = app.app.policies.permissions_of("owner")
    assert held - app.app.policies.scopes == NEVER
    for scope in NEVER:
        body = {"note": "x", "scopes": [scope]}
        await app.api.as_(owner).post("/api-keys", body, status=422)
    key = await make(app, owner, *(held - NEVER))
    me = await app.api.as_(key).get("/me", status=200)
    assert (me.data["id"], me.data["permissions"]) == (owner.id, sorted(held - NEVER))


FOR_PEOPLE: tuple[tuple[str, str, Any], ...] = (
    ("POST", "/auth/logout", None),
    ("POST", "/auth/logout-all", None),
    ("GET", "/auth/sessions", None),
    ("DELETE", "/auth/sessions", None),
    ("GET", "/auth/sessions/{id}", None),
    ("DELETE", "/auth/sessions/{id}", None),
    ("POST", "/auth/password", {"current": "x", "new": "plum kettle orbit"}),
    ("PATCH", "/me", {"name": "Program"}),
    ("PATCH", "/users/{id}", {"status": "disabled"}),
    ("POST", "/invitations", {"email": "a@b.example", "role": "owner"}),
    ("POST", "/api-keys", {"note": "x", "scopes": ["clients.read"]}),
    ("GET", "/api-keys", None),
    ("DELETE", "/api-keys/{key}", None),
    ("GET", "/dashboard", None),
)


async def test_what_is_for_people_is_not_for_keys(app: TestApp, make_user: MakeUser) -> None:
    owner = await make_user("owner")
    key = await make(app, owner, *(app.app.policies.permissions_of("owner") - NEVER))
    with app.bus.expect():
        for method, path, body in FOR_PEOPLE:
            target = path.format(id=owner.id, key=key.id)
            await app.api.as_(key).request(method, target, body, status=403)
    assert await works(app, key)


async def test_it_may_do_what_its_maker_may_do_now(app: TestApp, make_user: MakeUser) -> None:
    owner, second = await make_user("owner"), await make_user("owner")
    key = await make(app, second, "users.read", "clients.read")
    api = app.api.as_(key)
    await api.get("/users", status=200)
    await api.get("/tags", status=200)
    await api.post("/tags", {"name": "Sleep"}, status=403)
    await api.get("/conversations", status=403)
    for role, permissions in (
        ("coach", ["clients.read"]),
        ("owner", ["clients.read", "users.read"]),
    ):
        await app.api.as_(owner).patch(f"/users/{second.id}", {"role": role}, status=200)
        assert (await api.get("/me", status=200)).data["permissions"] == permissions
        await api.get("/users", status=200 if role == "owner" else 403)


Ending = Callable[[TestApp, User, User, Key], Awaitable[Any]]


async def revoke(app: TestApp, owner: User, holder: User, key: Key) -> None:
    await app.api.as_(holder).delete(f"/api-keys/{key.id}", status=204)


async def revoke_by_owner(app: TestApp, owner: User, holder: User, key: Key) -> None:
    await app.api.as_(owner).delete(f"/api-keys/{key.id}", status=204)


async def disable(app: TestApp, owner: User, holder: User, key: Key) -> None:
    await app.api.as_(owner).patch(f"/users/{holder.id}", {"status": "disabled"}, status=200)


async def disable_without_sessions(app: TestApp, owner: User, holder: User, key: Key) -> None:
    await app.api.as_(holder).post("/auth/logout-all", status=204)
    assert await works(app, key)
    await disable(app, owner, holder, key)


async def demote(app: TestApp, owner: User, holder: User, key: Key) -> None:
    await app.api.as_(owner).patch(f"/users/{holder.id}", {"role": "client"}, status=200)


async def erase(app: TestApp, owner: User, holder: User, key: Key) -> None:
    data = AccountData(app.app)
    assert [row["id"] for row in (await data.export(holder.id))["auth_api_key"]] == [key.id]
    assert "hash" not in str(await data.export(holder.id))
    await app.app.db.write(data.erase, holder.id)


ENDS: tuple[Ending, ...] = (
    *(revoke, revoke_by_owner, disable, disable_without_sessions, demote, erase),
)


async def test_what_ends_it_ends_it_at_once(
    app: TestApp, make_user: MakeUser, sockets: Sockets
) -> None:
    owner, other = await make_user("owner"), await make_user("coach")
    bystander = await make(app, other)
    still = await sockets.plain(app.url, bystander)
    for end in ENDS:
        holder = await make_user("coach")
        key = await make(app, holder)
        opened = (await sockets.plain(app.url, key), await sockets.io(app.url, key))
        assert await works(app, key)
        await end(app, owner, holder, key)
        assert not await works(app, key), end
        async with asyncio.timeout(DEADLINE_S):
            for socket in opened:
                await socket.receive("session_revoked")
                await socket.closed.wait()
        await app.api.as_(owner).get(f"/api-keys/{key.id}", status=404)
    await app.api.as_(owner).patch(f"/users/{other.id}", {"name": "Still here"}, status=200)
    assert await works(app, bystander)
    assert not still.closed.is_set()


async def test_a_disabled_person_comes_back_without_keys(app: TestApp, make_user: MakeUser) -> None:
    owner, coach = await make_user("owner"), await make_user("coach")
    key = await make(app, coach)
    for status in ("disabled", "active"):
        await app.api.as_(owner).patch(f"/users/{coach.id}", {"status": status}, status=200)
        assert not await works(app, key)


async def test_a_rotation_ends_no_key(app: TestApp, make_user: MakeUser) -> None:
    key = await make(app, await make_user("coach"))
    await app.command("keys rotate")
    assert await works(app, key)
    await app.restart()
    assert await works(app, key)


async def test_it_expires(
    app: TestApp, make_user: MakeUser, sockets: Sockets, clock: ManualClock
) -> None:
    coach = await make_user("coach")
    key = await make(app, coach, expiresAt=rfc3339(START_MS + 90_000))
    lasting = await make(app, coach)
    socket = await sockets.plain(app.url, key)
    clock.advance(89_999)
    assert await works(app, key)
    clock.advance(1)
    assert not await works(app, key)
    assert [it["id"] for it in (await app.api.as_(coach).get("/api-keys")).data["items"]] == [
        lasting.id
    ]
    clock.advance(60_000)
    await app.app.bus.settled()
    async with asyncio.timeout(DEADLINE_S):
        await socket.receive("session_revoked", reason="api_key_revoked")
        await socket.closed.wait()
    assert await works(app, lasting)


@pytest.mark.parametrize("life_ms", [None, 3_600_000], ids=["without_end", "with_an_end"])
async def test_what_another_process_did_is_seen_within_a_minute(
    app: TestApp, make_user: MakeUser, clock: ManualClock, life_ms: int | None
) -> None:
    async def run(tx: Tx, sql: str, coach: User) -> None:
        await tx.execute(sql, id=coach.id)

    for sql in (
        "DELETE FROM auth_api_key WHERE user_id = :id",
        "UPDATE auth_user SET status = 'disabled' WHERE id = :id",
        "UPDATE auth_user SET role = 'client' WHERE id = :id",
    ):
        coach = await make_user("coach")
        until = {} if life_ms is None else {"expiresAt": rfc3339(clock.now_ms() + life_ms)}
        key = await make(app, coach, **until)
        assert await works(app, key)
        await app.app.db.write(run, sql, coach)
        clock.advance(60_000)
        assert not await works(app, key), sql


async def test_the_owner_sees_everybodys_and_others_their_own(
    app: TestApp, make_user: MakeUser
) -> None:
    people = [await make_user(role) for role in ("owner", "coach", "assistant")]
    keys = [await make(app, person) for person in people]
    newest_first = [key.id for key in reversed(keys)]
    for person, seen in zip(people, (newest_first, [keys[1].id], [keys[2].id]), strict=True):
        api, found, query = app.api.as_(person), [], {"limit": "2"}
        while True:
            page = (await api.get("/api-keys", query=query, status=200)).data
            found += [item["id"] for item in page["items"]]
            if page["nextCursor"] is None:
                break
            query["cursor"] = page["nextCursor"]
        assert found == seen
        for key in keys:
            await api.get(f"/api-keys/{key.id}", status=200 if key.id in seen else 404)
    await app.api.as_(people[1]).delete(f"/api-keys/{keys[2].id}", status=404)
    assert await works(app, keys[2])


async def test_a_forged_key_is_a_plain_401_and_writes_nothing(
    app: TestApp, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    coach = await make_user("coach")
    key, gone = await make(app, coach), await make(app, coach)
    await app.api.as_(coach).delete(f"/api-keys/{gone.id}", status=204)
    id_, secret = key.token.split("_")[1:3]
    forged = [make_token(id_), make_token(new_id()), gone.token, key.token[:-1], "wk_", "wk_x_y_z"]
    forged += [key.token.upper(), f" {key.token}", key.token.replace(secret, "0")]
    await app.app.bus.settled()  # the mails about the keys
    await app.app.audit.seal()
    writes: list[Any] = []
    monkeypatch.setattr(app.app.db, "write", lambda *args: writes.append(args))
    answers = set()
    for token in forged:
        reply = await app.api.get("/me", headers={"Authorization": f"Bearer {token}"}, status=401)
        answers.add(str(sorted({**reply.data, "requestId": ""}.items())))
    assert len(answers) == 1
    assert "invalid_token" in answers.pop()
    assert writes == []


@pytest.mark.both_engines("what happens at once is the point")
async def test_its_use_is_noted_once_a_minute(
    app: TestApp, make_user: MakeUser, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    coach = await make_user("coach")
    key, noted = await make(app, coach), []
    mark_used = store.mark_used

    async def count(*args: Any) -> None:
        noted.append(clock.now_ms() - START_MS)
        await mark_used(*args)

    monkeypatch.setattr(store, "mark_used", count)
    for ms in (0, 1, 59_998, 1, 59_999, 1):
        clock.advance(ms)
        assert all(await asyncio.gather(*(works(app, key) for _ in range(3))))
        row = (await app.api.as_(coach).get(f"/api-keys/{key.id}", status=200)).data
        assert row["lastUsedAt"] == rfc3339(START_MS + noted[-1])
    assert noted == [0, 60_000, 120_000]


async def test_a_database_that_cannot_write_stops_no_reader(
    app: TestApp, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await make(app, await make_user("coach"))

    async def fail(*_: Any) -> None:
        raise Unavailable

    monkeypatch.setattr(store, "mark_used", fail)
    assert await works(app, key)


async def test_a_socket_with_a_key_hears_and_says_what_its_scopes_allow(
    app: TestApp, make_user: MakeUser, sockets: Sockets
) -> None:
    coach = await make_user("coach")
    client = await make_user("client", coach=coach)
    body = {"kind": "direct", "memberIds": [client.id]}
    conversation = (await app.api.as_(coach).post("/conversations", body, status=201)).data
    message = {"conversationId": conversation["id"], "content": "Hello"}
    for connect in (sockets.plain, sockets.io):
        deaf = await connect(app.url, await make(app, coach, "clients.read"))
        reader = await connect(app.url, await make(app, coach, "chat.read"))
        writer = await connect(app.url, await make(app, coach, "chat.read", "chat.send"))
        for socket, status in ((deaf, 403), (reader, 403), (writer, 200)):
            ack = await socket.call("send_message", message)
            assert (200 if ack["ok"] else ack["error"]["status"]) == status
        assert (await reader.receive("new_message"))["senderId"] == coach.id
        assert (await deaf.call("sync", {"after": None}))["error"]["status"] == 403
        assert deaf.received == []
    seen = await app.api.as_(client).get(f"/conversations/{conversation['id']}", status=200)
    assert [it["online"] for it in seen.data["members"] if it["userId"] == coach.id] == [False]


@pytest.mark.both_engines("what happens at once is the point")
async def test_an_account_has_so_many_keys_and_no_more(
    wellio_app: StartApp, make_user: MakeUser
) -> None:
    app = await wellio_app(settings={"plugins.auth.max_api_keys": 2})
    coach = await make_user("coach")
    body = {"note": "x", "scopes": ["clients.read"]}
    replies = await asyncio.gather(*(app.api.as_(coach).post("/api-keys", body) for _ in range(4)))
    assert sorted(reply.status for reply in replies) == [201, 201, 409, 409]
    assert {reply.code for reply in replies} == {None, "too_many_api_keys"}


async def test_who_may_not_have_keys_any_more_gets_none(app: TestApp, make_user: MakeUser) -> None:
    """A request that was let in just before its sender was disabled."""
    owner, coach = await make_user("owner"), await make_user("coach")
    actor = Actor(coach.id, "coach", None, app.app.policies.permissions_of("coach"))
    await app.api.as_(owner).patch(f"/users/{coach.id}", {"status": "disabled"}, status=200)
    with pytest.raises(Forbidden):
        await app.app.service(ApiKeys).create(actor, NewApiKey(note="x", scopes=("chat.read",)))
    assert await app.app.db.fetch_all("SELECT id FROM auth_api_key") == []


@given(st.integers(0, 112), st.characters())
def test_no_key_with_another_character_is_read(index: int, character: str) -> None:
    key_id = new_id()
    token = make_token(key_id)
    read = read_token(token)
    assert read is not None
    assert read.key_id == key_id
    changed = token[:index] + character + token[index + 1 :]
    assert changed == token or read_token(changed) is None
