"""Set-up: one owner, by link, by settings or by command, whoever else tries at the same time."""

import asyncio
from typing import Any

import pytest
import wellio_auth
from wellio_auth.setup.service import Setup

from tests.plugins.auth.moves import Steps, works
from wellio import ConfigError, Conflict, Invalid, ManualClock, Tx
from wellio.testing import TestApp
from wellio.testing.plugin import StartApp
from wellio.testing.users import sign_in

pytestmark = [
    pytest.mark.sqlite("tests/contract calls every endpoint on both"),
    pytest.mark.usefixtures("cheap_passwords"),
]

PASSWORD = "plum kettle orbit"
PRACTICE = {
    "name": "Calm",
    "timeZone": "Europe/Berlin",
    "currency": "EUR",
    "locale": "de-DE",
}


async def link_of(app: TestApp) -> str | None:
    """Return the notice that the start shows, if there is one."""
    notices = [await notice() for notice in app.app.hooks.of("register_notices")]
    return next((notice for notice in notices if notice), None)


def body(token: str, **changes: Any) -> dict[str, Any]:
    owner = {"name": "Olga", "email": "olga@example.com", "password": PASSWORD}
    return {"token": token, "practice": PRACTICE, "owner": owner, **changes}


async def token_of(app: TestApp) -> str:
    link = await link_of(app)
    assert link is not None
    assert f"{app.url}/setup#token=" in link
    return link.partition("#token=")[2].split()[0]


async def test_the_link_makes_the_owner_and_the_practice_once(app: TestApp, steps: Steps) -> None:
    token = await token_of(app)
    with app.bus.expect("user.created", "auth.login"):
        reply = await app.api.post("/setup", body(token), status=201)
    assert reply.data["user"]["role"] == "owner"
    assert steps.seen == [("owner", {"practice": PRACTICE})]
    again = await app.api.post("/setup", body(token), status=409)
    assert again.data["code"] == "already_set_up"
    assert (await app.api.post("/setup", body("wrong"), status=409)).data["code"] == (
        "already_set_up"
    )
    assert await link_of(app) is None
    await app.restart()
    assert await link_of(app) is None
    assert await works(app, await sign_in(app, "olga@example.com", PASSWORD))


@pytest.mark.both_engines("what happens at once is the point")
async def test_of_racing_set_ups_one_wins(app: TestApp) -> None:
    token = await token_of(app)
    wishes = [
        body(token, owner={"name": "O", "email": f"o{n}@example.com", "password": PASSWORD})
        for n in range(6)
    ]
    replies = await asyncio.gather(*(app.api.post("/setup", wish) for wish in wishes))
    assert sorted(reply.status for reply in replies) == [201, 409, 409, 409, 409, 409]
    assert len(await app.app.db.fetch_all("SELECT id FROM auth_v_user")) == 1


async def test_a_wrong_or_old_link_is_refused(app: TestApp, clock: ManualClock) -> None:
    old = await token_of(app)
    await app.api.post("/setup", body("wrong"), status=403)
    clock.advance(30 * 60_000)
    assert (await app.api.post("/setup", body(old), status=403)).data["code"] == "bad_setup_token"
    await app.restart()
    await app.api.post("/setup", body(old), status=403)
    await app.api.post("/setup", body(await token_of(app)), status=201)


async def test_a_bad_wish_is_refused(app: TestApp) -> None:
    token = await token_of(app)
    owner = {"name": "O", "email": "o@example.com", "password": PASSWORD}
    changes: tuple[tuple[str, dict[str, Any]], ...] = (
        ("/owner/password", {"owner": {**owner, "password": "password1234"}}),
        ("/owner/email", {"owner": {**owner, "email": "o"}}),
        ("/practice/timeZone", {"practice": {**PRACTICE, "timeZone": "Mars/Olympus"}}),
        ("/practice/currency", {"practice": {**PRACTICE, "currency": "euro"}}),
    )
    for pointer, change in changes:
        reply = await app.api.post("/setup", body(token, **change), status=422)
        assert [error["pointer"] for error in reply.data["errors"]] == [pointer]
    await app.api.post("/setup", body(token), status=201)


async def test_a_refusing_step_leaves_the_practice_without_owner(
    app: TestApp, steps: Steps
) -> None:
    token = await token_of(app)
    steps.refusal = Conflict("not now")
    await app.api.post("/setup", body(token), status=409)
    steps.refusal = None
    await app.api.post("/setup", body(token), status=201)


async def test_settings_make_the_owner_unattended(wellio_app: StartApp, steps: Steps) -> None:
    settings = {
        "setup.owner_email": "olga@example.com",
        "setup.owner_password": PASSWORD,
        "plugins.auth.bcrypt_cost": 10,
    }
    app = await wellio_app(settings=settings, plugins=[wellio_auth, steps])
    assert await app.app.service(Setup).notice() == (
        "The owner olga@example.com was made, as [setup] says: sign in as them."
    )
    user = await sign_in(app, "olga@example.com", PASSWORD)
    assert (user.role, user.name) == ("owner", "olga")
    await app.restart()
    assert await app.app.service(Setup).notice() is None
    assert len(steps.seen) == 1


@pytest.mark.both_engines("what happens at once is the point")
async def test_of_two_processes_that_start_at_once_one_makes_the_owner(
    wellio_app: StartApp,
) -> None:
    settings = {"setup.owner_email": "olga@example.com", "setup.owner_password": PASSWORD}
    app = await wellio_app(settings=settings, plugins=[wellio_auth])

    async def begin_again(tx: Tx) -> None:
        for table in ("auth_session", "auth_user", "auth_setup"):
            await tx.execute(f"DELETE FROM {table}")

    await app.app.db.write(begin_again)
    setup = app.app.service(Setup)
    await asyncio.gather(setup.run_unattended(), setup.run_unattended())
    [users] = await app.app.db.fetch_all("SELECT count(*) AS n FROM auth_user")
    assert users["n"] == 1


@pytest.mark.parametrize(
    ("email", "password", "expected"),
    [
        ("olga", PASSWORD, "setup.owner_email"),
        ("olga@example.com", "short", "setup.owner_password"),
        ("olga@example.com", "password1234", "setup.owner_password"),
    ],
)
async def test_bad_settings_stop_the_start_with_their_name(
    wellio_app: StartApp, email: str, password: str, expected: str
) -> None:
    settings = {"setup.owner_email": email, "setup.owner_password": password}
    with pytest.raises(ConfigError, match=expected) as caught:
        await wellio_app(settings=settings, plugins=[wellio_auth])
    assert password not in str(caught.value)


async def test_the_command_makes_accounts_owner_first(app: TestApp, steps: Steps) -> None:
    async def create(role: str, **options: str) -> Any:
        given = {"email": f"{role}@example.com", "name": "N", "password": PASSWORD, **options}
        return await app.command("user create", role=role, **given)

    with pytest.raises(Conflict, match="owner first"):
        await create("coach")
    owner = await create("owner")
    assert owner["role"] == "owner"
    assert await link_of(app) is None
    await create("coach")
    await create("client", coach="coach@example.com")
    assert steps.seen == [
        ("owner", {}),
        ("coach", {}),
        ("client", {"coachEmail": "coach@example.com"}),
    ]
    with pytest.raises(Conflict, match="account already"):
        await create("coach", email="OWNER@example.com")
    with pytest.raises(Invalid):
        await create("assistant", coach="coach@example.com")
    with pytest.raises(Invalid):
        await create("assistant", password="password1234")
    with pytest.raises(Invalid):
        await create("admin")
