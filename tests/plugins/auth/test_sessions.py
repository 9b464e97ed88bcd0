"""Signing in and out: what a login answers, and what ends a session ends it everywhere at once."""

import asyncio
from typing import Any

import pytest
import wellio_auth
from wellio_auth.accounts import store
from wellio_auth.sessions.authenticator import BearerAuthenticator
from wellio_auth.sessions.models import Origin
from wellio_auth.sessions.service import Sessions
from wellio_auth.signing_keys.service import TokenError

from tests.plugins.auth.moves import refresh, works
from wellio import ManualClock
from wellio.testing import DEADLINE_S, Sockets, TestApp, User
from wellio.testing.plugin import MakeUser, StartApp
from wellio.testing.users import PASSWORD, sign_in

pytestmark = pytest.mark.sqlite("tests/contract calls every endpoint on both")

NEW_PASSWORD = "plum kettle orbit"
DAY_MS = 86_400_000


async def test_a_login_answers_as_the_contract_says(app: TestApp, make_user: MakeUser) -> None:
    user = await make_user("owner", email="Owner@Example.com")
    with app.bus.expect("auth.login"):
        reply = await app.api.post(
            "/auth/login", {"email": "oWNER@example.COM", "password": PASSWORD}, status=200
        )
    assert reply.data.keys() == {"accessToken", "refreshToken", "tokenType", "expiresIn", "user"}
    assert (reply.data["tokenType"], reply.data["expiresIn"]) == ("Bearer", 600)
    assert reply.data["user"] == {
        "id": user.id,
        "email": "Owner@example.com",
        "name": user.name,
        "role": "owner",
    }


async def test_every_refused_login_is_answered_alike(app: TestApp, make_user: MakeUser) -> None:
    owner, gone = await make_user("owner"), await make_user("client")
    await app.api.as_(owner).patch(f"/users/{gone.id}", {"status": "disabled"}, status=200)
    answers = []
    for email, password in (
        (owner.email, "not the password"),
        ("nobody@example.com", PASSWORD),
        (gone.email, PASSWORD),
        (gone.email, "not the password"),
        (owner.email, ""),
        (owner.email, "x" * 512),
    ):
        reply = await app.api.post("/auth/login", {"email": email, "password": password})
        body = {key: value for key, value in reply.data.items() if key != "requestId"}
        headers = {key for key in reply.headers if key not in {"Date", "X-Request-Id"}}
        answers.append((reply.status, body, headers))
    assert answers[0][0] == 401
    assert answers[0][1]["code"] == "invalid_credentials"
    assert all(answer == answers[0] for answer in answers)


async def test_a_login_rehashes_a_password_of_another_cost(
    wellio_app: StartApp, make_user: MakeUser
) -> None:
    app = await wellio_app(settings={"plugins.auth.bcrypt_cost": 10}, plugins=[wellio_auth])
    user = await make_user("owner")
    for _ in range(2):  # first with the test kit's cheap hash, then with one of today's cost
        await sign_in(app, user.email)
        row = await app.app.db.fetch_one("SELECT password_hash FROM auth_user")
        assert row is not None
        assert row["password_hash"].startswith("$2b$10$")


async def test_the_list_of_sessions_shows_where_and_which(
    app: TestApp, make_user: MakeUser, clock: ManualClock
) -> None:
    user = await make_user("owner")
    clock.advance(60_000)
    await app.api.post(
        "/auth/login",
        {"email": user.email, "password": PASSWORD},
        headers={"User-Agent": "phone " + "x" * 5000},
    )
    listed = (await app.api.as_(user).get("/auth/sessions", status=200)).data["items"]
    assert [item["current"] for item in listed] == [False, True]
    assert listed[0]["userAgent"].startswith("phone x")
    assert len(listed[0]["userAgent"]) == 256
    assert listed[0]["ip"] == "127.0.0.1"
    assert listed[0]["createdAt"] > listed[1]["createdAt"]


async def session_id(app: TestApp, user: User) -> str:
    """Return the id of somebody's session."""
    items = (await app.api.as_(user).get("/auth/sessions", status=200)).data["items"]
    return next(str(item["id"]) for item in items if item["current"])


@pytest.mark.parametrize(
    ("method", "path", "left"),
    [
        ("POST", "/auth/logout", ["second"]),
        ("POST", "/auth/logout-all", []),
        ("DELETE", "/auth/sessions", ["first"]),
        ("DELETE", "/auth/sessions/{first}", ["second"]),
        ("DELETE", "/auth/sessions/{second}", ["first"]),
    ],
)
async def test_what_ends_a_session_ends_it_at_once(
    app: TestApp, make_user: MakeUser, sockets: Sockets, method: str, path: str, left: list[str]
) -> None:
    first = await make_user("owner")
    second = await sign_in(app, first.email)
    bystander = await make_user("coach")
    people = {"first": first, "second": second}
    ids = {name: await session_id(app, person) for name, person in people.items()}
    opened = {name: await sockets.plain(app.url, person) for name, person in people.items()}
    await app.api.as_(first).request(method, path.format(**ids), status=204)
    for name, person in people.items():
        assert await works(app, person) is (name in left)
        reply = await refresh(app, person.refresh_token, "one")
        assert reply.status == (200 if name in left else 401)
        if name not in left:
            await opened[name].receive("session_revoked")
            async with asyncio.timeout(DEADLINE_S):
                await opened[name].closed.wait()
    assert [name for name in opened if not opened[name].closed.is_set()] == left
    assert await works(app, bystander)


async def test_a_session_is_its_holders_alone(app: TestApp, make_user: MakeUser) -> None:
    owner, coach = await make_user("owner"), await make_user("coach")
    path = f"/auth/sessions/{await session_id(app, coach)}"
    assert (await app.api.as_(coach).get(path, status=200)).data["current"]
    await app.api.as_(owner).get(path, status=404)
    await app.api.as_(owner).delete(path, status=404)
    assert await works(app, coach)


async def test_the_session_unused_longest_gives_way(
    wellio_app: StartApp, make_user: MakeUser, clock: ManualClock
) -> None:
    app = await wellio_app(
        settings={"plugins.auth.bcrypt_cost": 10, "plugins.auth.max_sessions": 2},
        plugins=[wellio_auth],
        clock=clock,
    )
    first = await make_user("owner")
    clock.advance(1000)
    second = await sign_in(app, first.email)
    clock.advance(1000)
    await refresh(app, first.refresh_token, "one", status=200)
    with app.bus.expect("auth.login", "auth.session_revoked"):
        third = await sign_in(app, first.email)
    assert [await works(app, user) for user in (first, second, third)] == [True, False, True]


async def test_a_new_password_ends_the_other_sessions(app: TestApp, make_user: MakeUser) -> None:
    user = await make_user("owner")
    other = await sign_in(app, user.email)
    with app.bus.expect("auth.password_changed", "auth.session_revoked"):
        body = {"current": PASSWORD, "new": NEW_PASSWORD}
        await app.api.as_(user).post("/auth/password", body, status=204)
    assert [await works(app, person) for person in (user, other)] == [True, False]
    await refresh(app, user.refresh_token, "one", status=200)
    await refresh(app, other.refresh_token, "one", status=401)
    old = {"email": user.email, "password": PASSWORD}
    await app.api.post("/auth/login", old, status=401)
    await sign_in(app, user.email, NEW_PASSWORD)


async def test_a_bad_new_password_is_refused(app: TestApp, make_user: MakeUser) -> None:
    user = await make_user("owner")
    api = app.api.as_(user)
    for current, new, pointer, code in (
        ("not the password", NEW_PASSWORD, "/current", "wrong_password"),
        (PASSWORD, "password1234", "/new", "password_too_common"),
        (PASSWORD, "qwertyuiop", "/new", "password_too_common"),
        (PASSWORD, user.email, "/new", "password_too_common"),
        (PASSWORD, "short one", "/new", "too_short"),
        (PASSWORD, "x y" * 100, "/new", "too_long"),
    ):
        body = {"current": current, "new": new}
        reply = await api.post("/auth/password", body, status=422)
        assert [(e["pointer"], e["code"]) for e in reply.data["errors"]] == [(pointer, code)]
        assert new not in reply.content.decode()
    assert await works(app, await sign_in(app, user.email))


async def test_a_password_that_changed_while_it_was_compared_opens_nothing(
    app: TestApp, make_user: MakeUser
) -> None:
    user = await make_user("owner")
    proven = await store.user_by_email(app.app.db, user.email)
    assert proven is not None
    body = {"current": PASSWORD, "new": NEW_PASSWORD}
    await app.api.as_(user).post("/auth/password", body, status=204)
    sessions = app.app.service(Sessions)
    arguments = (proven, proven["password_hash"], Origin("192.0.2.1", "thief"))
    assert await app.app.db.write(sessions.open_proven, *arguments) is None


@pytest.mark.both_engines("what happens at once is the point")
@pytest.mark.parametrize("change", [{"role": "assistant"}, {"status": "disabled"}])
async def test_what_was_read_before_a_change_proves_nothing_after_it(
    app: TestApp,
    make_user: MakeUser,
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, str],
) -> None:
    """Or a socket on its way in keeps the old role: only those that are in are closed."""
    owner, coach = await make_user("owner"), await make_user("coach")
    assert await works(app, owner)
    has_read, may_go_on = asyncio.Event(), asyncio.Event()
    read = store.user_of_session

    async def read_slowly(*arguments: Any) -> Any:
        found = await read(*arguments)
        has_read.set()
        await may_go_on.wait()
        return found

    monkeypatch.setattr(store, "user_of_session", read_slowly)
    proving = asyncio.create_task(app.app.service(BearerAuthenticator).from_token(coach.token))
    await asyncio.wait_for(has_read.wait(), DEADLINE_S)
    await app.api.as_(owner).patch(f"/users/{coach.id}", change, status=200)
    may_go_on.set()
    if "role" in change:
        assert (await proving).role == change["role"]
    else:
        with pytest.raises(TokenError):
            await proving
    assert await works(app, coach) is ("role" in change)


@pytest.mark.parametrize("found_by", ["the clock", "another login"])
async def test_a_session_that_runs_out_takes_its_sockets_along(
    app: TestApp, make_user: MakeUser, sockets: Sockets, clock: ManualClock, found_by: str
) -> None:
    user = await make_user("owner")
    early = await sockets.plain(app.url, user)
    clock.advance(15 * DAY_MS)
    lasting = await sign_in(app, user.email)
    late = await sockets.plain(app.url, lasting)
    await app.app.bus.settled()
    assert not early.closed.is_set()
    clock.advance(15 * DAY_MS)
    if found_by == "the clock":
        app.app.bus.poke()
    else:
        await sign_in(app, user.email)
    await early.receive("session_revoked")
    await asyncio.wait_for(early.closed.wait(), DEADLINE_S)
    await app.app.bus.settled()
    assert not late.closed.is_set()
    [left] = await app.app.db.fetch_all("SELECT count(*) AS n FROM auth_session")
    assert left["n"] == (1 if found_by == "the clock" else 2)
