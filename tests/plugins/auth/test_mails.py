"""The mails about accounts: to whom, saying what, and never about what is true no more."""

from collections.abc import Mapping
from typing import Any

import pytest
import wellio_auth

from tests.plugins.auth.moves import Steps, refresh
from tests.plugins.auth.test_invitations import PASSWORD, invite, redeem
from wellio import ManualClock, Tx
from wellio.testing import TestApp, User
from wellio.testing.plugin import MakeUser, StartApp

pytestmark = pytest.mark.sqlite("tests/contract calls every endpoint on both")

DAY_MS = 86_400_000
SENT_AT = "28 May 2026, 20:26 (UTC)"


@pytest.fixture
async def app(wellio_app: StartApp, clock: ManualClock, steps: Steps) -> TestApp:
    """Return an app that sends nothing before the test says so."""
    settings = {"plugins.auth.bcrypt_cost": 10}
    plugins = [wellio_auth, steps]
    return await wellio_app(settings=settings, plugins=plugins, clock=clock, workers=False)


async def mails(app: TestApp) -> list[Mapping[str, Any]]:
    """Have everything sent that is due, and return the mails, the newest first."""
    await app.app.bus.settled()
    shown: list[Mapping[str, Any]] = (await app.command("mail show"))["mails"]
    return shown


async def test_an_invited_person_gets_the_link_in_plain_words(
    app: TestApp, make_user: MakeUser
) -> None:
    owner = await make_user("owner", name="Olga Bühler")
    link = (await invite(app, owner, role="coach")).data["link"]
    [mail] = await mails(app)
    assert mail["to"] == "new@example.com"
    assert mail["subject"] == "You are invited to Wellio by Olga Bühler"
    assert mail["text"].startswith(
        "Hello,\n\nYou are invited to Wellio by Olga Bühler. To choose a "
    )
    assert f"\n\n{link}\n\n" in mail["text"]
    assert "until 4 June 2026, 20:26 (UTC)" in mail["text"]
    token = mail["text"].partition("#token=")[2].partition("\n")[0]
    body = {"token": token, "name": "New Person", "password": PASSWORD}
    await app.api.post("/invitations/redeem", body, status=201)


async def test_a_name_is_no_subject_no_link_and_turns_nothing_round(
    app: TestApp, make_user: MakeUser
) -> None:
    owner = await make_user("owner")
    coach = await make_user("coach", name="Win https://evil.example/x \u202egnp.exe")

    async def spoil(tx: Tx) -> None:  # as an older version stored it
        name = "Win https://evil.example/x \u202e\u2066now"
        await tx.execute("UPDATE auth_user SET name = :name WHERE id = :id", name=name, id=coach.id)

    await app.app.db.write(spoil)
    await invite(app, coach, role="client")
    [mail] = await mails(app)
    assert mail["subject"] == "You are invited to Wellio by Win https: //evil. example/x now"
    assert "evil.example" not in mail["text"]
    assert "https://evil" not in mail["text"]
    change = {"name": "Anna\u202e\u200f \u2069B"}
    renamed = (await app.api.as_(owner).patch(f"/users/{coach.id}", change, status=200)).data
    assert renamed["name"] == "Anna B"


@pytest.mark.parametrize("fate", ["revoked", "redeemed", "expired", "of a disabled inviter"])
async def test_an_invitation_that_is_none_any_more_is_not_mailed(
    app: TestApp, make_user: MakeUser, clock: ManualClock, fate: str
) -> None:
    owner, coach = await make_user("owner"), await make_user("coach")
    invitation = await invite(app, coach)
    match fate:
        case "revoked":
            path = f"/invitations/{invitation.data['id']}"
            await app.api.as_(coach).delete(path, status=204)
        case "redeemed":
            await redeem(app, invitation)
        case "expired":
            clock.advance(7 * DAY_MS)
        case _:
            body = {"status": "disabled"}
            await app.api.as_(owner).patch(f"/users/{coach.id}", body, status=200)
    assert await mails(app) == []
    assert (await app.app.jobs.status())["dead"] == 0


async def test_who_has_an_account_is_told_so_and_nobody_else_is(
    app: TestApp, make_user: MakeUser
) -> None:
    owner, coach = await make_user("owner"), await make_user("coach", name="Carl")
    client, gone = await make_user("client"), await make_user("client")
    await app.api.as_(owner).patch(f"/users/{gone.id}", {"status": "disabled"}, status=200)
    for email in (client.email.upper(), gone.email):
        await invite(app, coach, email=email)
    [mail] = await mails(app)
    assert mail["to"].lower() == client.email
    assert mail["subject"] == "You are invited to Wellio by Carl"
    assert "You have an account there already" in mail["text"]
    assert app.url in mail["text"]
    assert "token" not in mail["text"]


async def test_the_link_in_the_mail_works_whatever_became_of_the_key(
    app: TestApp, make_user: MakeUser
) -> None:
    invitation = await invite(app, await make_user("owner"))

    async def forget(tx: Tx) -> None:
        await tx.execute("UPDATE auth_invitation SET token_hash = 'of another key'")

    await app.app.db.write(forget)
    await redeem(app, invitation, 410)
    [mail] = await mails(app)
    assert invitation.data["link"] in mail["text"]
    await redeem(app, invitation)


async def change_password(app: TestApp, user: User) -> None:
    body = {"current": user.password, "new": PASSWORD}
    await app.api.as_(user).post("/auth/password", body, status=204)


async def replay(app: TestApp, user: User) -> None:
    """Use a refresh token again, long after it was traded in."""
    child = (await refresh(app, user.refresh_token, "one", status=200)).data["refreshToken"]
    await refresh(app, child, "two", status=200)
    stolen = await refresh(app, user.refresh_token, "thief", status=401)
    assert stolen.code == "refresh_token_reused"


async def test_a_changed_password_is_told(
    app: TestApp, make_user: MakeUser, clock: ManualClock
) -> None:
    user = await make_user("client", name="Anna")
    await change_password(app, user)
    clock.advance(DAY_MS)
    [mail] = await mails(app)
    assert (mail["to"], mail["subject"]) == (user.email, "Your password at Wellio was changed")
    assert mail["text"].startswith(f"Hello Anna,\n\nyour password was changed on {SENT_AT}. ")
    assert "If this was not you" in mail["text"]


async def test_a_replayed_refresh_token_is_told_once(app: TestApp, make_user: MakeUser) -> None:
    user = await make_user("client", name="Anna")
    await replay(app, user)
    again = await refresh(app, user.refresh_token, "again", status=401)
    assert again.code == "invalid_refresh_token"
    [mail] = await mails(app)
    assert mail["to"] == user.email
    assert mail["subject"] == "One of your devices was signed out of Wellio"
    assert mail["text"].startswith(f"Hello Anna,\n\non {SENT_AT} an outdated copy of one of your ")
    assert "If this was not you" in mail["text"]


async def make_key(app: TestApp, user: User) -> None:
    body = {"note": "My calendar", "scopes": ["users.read"]}
    await app.api.as_(user).post("/api-keys", body, status=201)


async def test_a_new_api_key_is_told(app: TestApp, make_user: MakeUser) -> None:
    user = await make_user("owner", name="Anna")
    await make_key(app, user)
    [mail] = await mails(app)
    assert (mail["to"], mail["subject"]) == (user.email, "An API key was made for you at Wellio")
    assert mail["text"].startswith(f"Hello Anna,\n\non {SENT_AT} an API key was made in your name.")
    assert "If this was not you" in mail["text"]
    assert "My calendar" not in mail["text"]
    assert "wk_" not in mail["text"]


@pytest.mark.parametrize("act", [change_password, replay, make_key])
async def test_who_is_disabled_is_told_nothing(app: TestApp, make_user: MakeUser, act: Any) -> None:
    owner, user = await make_user("owner"), await make_user("owner")
    await act(app, user)
    await app.api.as_(owner).patch(f"/users/{user.id}", {"status": "disabled"}, status=200)
    assert await mails(app) == []


async def test_a_refused_change_is_not_told(app: TestApp, make_user: MakeUser) -> None:
    user = await make_user("client")
    body = {"current": "not the password", "new": PASSWORD}
    await app.api.as_(user).post("/auth/password", body, status=422)
    await refresh(app, user.refresh_token, "one", status=200)
    assert await mails(app) == []
