"""Signing keys come and go: a new one signs, an old one proves what it signed and no more."""

import jwt
import pytest
from wellio_auth.accounts.service import Accounts
from wellio_auth.sessions.authenticator import BearerAuthenticator
from wellio_auth.sessions.models import Origin
from wellio_auth.sessions.service import Sessions
from wellio_auth.signing_keys.models import SigningKey
from wellio_auth.signing_keys.service import KeyRing, TokenError

from tests.plugins.auth.conftest import START_MS
from tests.plugins.auth.moves import refresh, works
from wellio import ManualClock
from wellio.testing import MakeUser, StartApp, TestApp, User, sign_in
from wellio.testing.users import PASSWORD

HOUR_MS = 3_600_000


def kid(user: User) -> str:
    return str(jwt.get_unverified_header(user.token)["kid"])


async def stored(app: TestApp) -> list[str]:
    rows = await app.app.db.fetch_all("SELECT kid FROM auth_signing_key ORDER BY created_at")
    return [row["kid"] for row in rows]


async def run_schedule(app: TestApp, clock: ManualClock, ms: int) -> None:
    """Let time pass and the schedules run that it brings up."""
    clock.advance(ms)
    await app.app.jobs.run_due()


async def test_a_new_key_signs_and_the_old_one_proves_for_an_hour(
    app: TestApp, make_user: MakeUser, clock: ManualClock
) -> None:
    before = await make_user("owner")
    await app.command("keys rotate")
    assert await works(app, before)
    after = await sign_in(app, before.email)
    assert kid(before) != kid(after)
    assert await stored(app) == [kid(before), kid(after)]
    await run_schedule(app, clock, HOUR_MS - 1000)
    assert await stored(app) == [kid(before), kid(after)]
    await run_schedule(app, clock, HOUR_MS)
    assert await stored(app) == [kid(after)]
    # who comes back with an old token learns that a refresh helps, and it does
    await app.restart()
    reply = await app.api.as_(before).get("/me", status=401)
    assert reply.data["code"] == "token_expired"
    await refresh(app, before.refresh_token, "one", status=200)


@pytest.mark.parametrize("is_dropped", [False, True])
async def test_a_key_that_leaked_forges_nothing_once_its_hour_is_over(
    app: TestApp, make_user: MakeUser, clock: ManualClock, is_dropped: bool
) -> None:
    user, leaked = await make_user("owner"), app.app.service(KeyRing).current
    await app.command("keys rotate")
    if is_dropped:
        await run_schedule(app, clock, 2 * HOUR_MS)
    else:
        clock.advance(HOUR_MS + 1000)
    assert (leaked.kid in await stored(app)) is not is_dropped
    claims = jwt.decode(user.token, options={"verify_signature": False})
    claims |= {"iat": clock.now_ms() // 1000, "exp": clock.now_ms() // 1000 + 600}
    headers = jwt.get_unverified_header(user.token)
    forged = jwt.encode(claims, leaked.private, "EdDSA", headers=headers)
    reply = await app.api.get("/me", headers={"Authorization": f"Bearer {forged}"}, status=401)
    assert reply.data["code"] == "invalid_token"


async def test_a_new_public_url_signs_nobody_out(app: TestApp, make_user: MakeUser) -> None:
    user = await make_user("owner")
    moved = {"public_url": f"http://127.0.0.1:{app.config.server.port}"}
    server = app.config.server.model_copy(update=moved)
    app.config = app.config.model_copy(update={"server": server})
    await app.restart()
    reply = await app.api.as_(user).get("/me", status=401)
    assert reply.data["code"] == "token_expired"
    again = await refresh(app, user.refresh_token, "one", status=200)
    header = {"Authorization": f"Bearer {again.data['accessToken']}"}
    await app.api.get("/me", headers=header, status=200)


async def test_the_newest_key_signs_whatever_the_clock_said(
    app: TestApp, make_user: MakeUser, clock: ManualClock
) -> None:
    await app.command("keys rotate")
    clock.set(START_MS - 10 * HOUR_MS)
    await app.command("keys rotate")
    await app.command("keys rotate")
    keys = await stored(app)
    assert len(keys) == 4
    for _ in range(2):
        assert app.app.service(KeyRing).current.kid == keys[-1]
        await app.restart()


@pytest.mark.parametrize("engine", ["postgres"])  # several nodes share a database server
async def test_another_nodes_key_is_learnt_from_its_first_token(
    wellio_app: StartApp, clock: ManualClock
) -> None:
    one_address = {"server.public_url": "https://practice.example"}
    first = await wellio_app(settings=one_address, clock=clock)
    assert first.config.database.url
    url = first.config.database.url.get_secret_value()
    second = await wellio_app(settings={**one_address, "database.url": url}, clock=clock)
    owner = await first.command(
        "user create", email="o@a.example", name="O", role="owner", password=PASSWORD
    )
    user = await first.app.service(Accounts).get(owner["id"])
    sessions = first.app.service(Sessions)

    async def token() -> str:
        grant = await first.app.db.write(sessions.open, user, Origin("", "test"))
        return sessions.answer(grant).access_token

    async def is_known(token: str) -> bool:
        try:
            await second.app.service(BearerAuthenticator).from_token(token)
        except TokenError:
            return False
        return True

    before = await token()
    await first.command("keys rotate")
    after = await token()
    assert not await is_known(after)  # it has read the keys within this second
    clock.advance(1000)
    assert await is_known(after)
    assert await is_known(before)


def test_no_repr_shows_a_private_key() -> None:
    seed = bytes(range(32))
    key = SigningKey.from_seed(seed)
    assert seed.hex() not in repr(key)
    assert "private" not in repr(key)
