"""`wellio user ...`: a forgotten password, a closed account, another name, from a shell."""

from collections.abc import Mapping
from typing import Any

import pytest
import pytest_asyncio
import wellio_auth

from tests.plugins.auth.moves import works
from wellio import Conflict, Invalid, NotFound
from wellio.testing import StartApp, TestApp, User
from wellio.testing.plugin import MakeUser
from wellio.testing.users import PASSWORD, sign_in

pytestmark = pytest.mark.sqlite("the statements are those of the endpoints")
OTHER = "a whole other sentence, 7 owls"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(shared_app: StartApp) -> TestApp:
    return await shared_app(settings={"plugins.auth.bcrypt_cost": 10}, plugins=[wellio_auth])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def owner(app: TestApp, shared_user: MakeUser) -> User:
    return await shared_user("owner", name="Olga")


async def audited(app: TestApp, user: User) -> list[tuple[str, str | None, str | None]]:
    """Return what the log says was done to an account: action, who, note."""
    await app.app.audit.seal()
    rows = await app.app.db.fetch_all(
        "SELECT action, actor_id, note FROM wellio_audit"
        " WHERE (object_id = :id OR subject_id = :id) ORDER BY seq",
        id=user.id,
    )
    return [(row["action"], row["actor_id"], row["note"]) for row in rows]


async def test_a_forgotten_password(app: TestApp, owner: User, shared_user: MakeUser) -> None:
    coach = await shared_user("coach", name="Cora")
    assert await works(app, coach)
    said = await app.command("user password", email=coach.email.upper(), password=OTHER)
    assert (said["id"], said["role"]) == (coach.id, "coach")
    assert OTHER not in str(said)
    assert not await works(app, coach)  # signed out everywhere
    await app.api.post("/auth/login", {"email": coach.email, "password": PASSWORD}, status=401)
    assert await works(app, await sign_in(app, coach.email, OTHER))
    await app.settled()
    [mail] = await app.mails(coach.email)
    assert "was changed" in mail.subject
    done = await audited(app, coach)
    assert ("auth.password_changed", None, None) in done
    assert ("auth.session_revoked", None, "password_changed") in done
    for weak in ("olga12345", "password1234"):
        with pytest.raises(Invalid):
            await app.command("user password", email=coach.email, password=weak)
    assert await works(app, await sign_in(app, coach.email, OTHER))


async def test_an_account_is_closed_and_opened(
    app: TestApp, owner: User, shared_user: MakeUser
) -> None:
    client = await shared_user("coach", name="Cleo")
    for command, status in (("disable", "disabled"), ("enable", "active")):
        said = await app.command(f"user {command}", email=client.email)
        assert said["status"] == status
        assert not await works(app, client)  # who was signed out signs in again
    assert await works(app, await sign_in(app, client.email, PASSWORD))
    assert [it for it in await audited(app, client) if it[0].startswith("user.")] == [
        ("user.created", None, "coach"),
        ("user.disabled", None, None),
        ("user.enabled", None, None),
    ]
    with pytest.raises(Conflict, match="owner who can sign in"):
        await app.command("user disable", email=owner.email)


async def test_another_name_and_address(app: TestApp, owner: User, shared_user: MakeUser) -> None:
    coach = await shared_user("coach", name="Cara")
    said = await app.command("user rename", email=coach.email, name="Käthe", to="KÄTHE@new.example")
    assert (said["name"], said["id"]) == ("Käthe", coach.id)
    assert await works(app, coach)
    assert (await sign_in(app, "käthe@new.example", PASSWORD)).id == coach.id
    assert ("user.updated", None, "name email") in await audited(app, coach)
    with pytest.raises(Conflict, match="account already"):
        await app.command("user rename", email="käthe@new.example", to=owner.email)
    for arguments in ({}, {"name": " "}, {"to": "nowhere"}):
        with pytest.raises(Invalid):
            await app.command("user rename", email=owner.email, **arguments)
    listed: Mapping[str, Any] = await app.command("user list")
    [found] = [it for it in listed["users"] if it["id"] == coach.id]
    assert (found["email"], found["status"]) == (said["email"], "active")
    assert found["lastLoginAt"].endswith("Z")


@pytest.mark.parametrize("command", ["password", "disable", "enable", "rename"])
async def test_nobody_of_this_address(app: TestApp, owner: User, command: str) -> None:
    more = {"password": {"password": OTHER}, "rename": {"name": "N"}}.get(command, {})
    with pytest.raises(NotFound, match="No account has this e-mail address"):
        await app.command(f"user {command}", email="nobody@x.example", **more)
