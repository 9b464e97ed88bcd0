"""Invitations: who may invite whom, that a link works once, and what it tells nobody."""

import asyncio
from typing import Any

import pytest
import wellio_auth

from tests.plugins.auth.moves import Steps, works
from wellio import Conflict, ManualClock
from wellio.testing import Reply, TestApp, User
from wellio.testing.plugin import MakeUser, StartApp
from wellio.testing.users import sign_in

pytestmark = [
    pytest.mark.sqlite("tests/contract calls every endpoint on both"),
    pytest.mark.usefixtures("cheap_passwords"),
]

PASSWORD = "plum kettle orbit"
SOMEBODY = "018f4e5c-0000-7000-8000-000000000001"


async def invite(app: TestApp, user: User, status: int = 201, **body: Any) -> Reply:
    full = {"email": "new@example.com", "role": "client", **body}
    return await app.api.as_(user).post("/invitations", full, status=status)


async def redeem(app: TestApp, invitation: Reply, status: int = 201, **body: Any) -> Reply:
    token = invitation.data["link"].partition("#token=")[2]
    full = {"token": token, "name": "New Person", "password": PASSWORD, **body}
    return await app.api.post("/invitations/redeem", full, status=status)


async def test_an_invitation_becomes_an_account_that_is_signed_in(
    app: TestApp, make_user: MakeUser, steps: Steps
) -> None:
    coach = await make_user("coach")
    with app.bus.expect("invitation.created"):
        invitation = await invite(app, coach)
    assert invitation.data["status"] == "pending"
    assert invitation.data["coachId"] == invitation.data["invitedBy"] == coach.id
    assert invitation.data["link"].startswith(f"{app.url}/invite#token=")
    with app.bus.expect("user.created", "invitation.redeemed", "auth.login"):
        answer = await redeem(app, invitation)
    assert answer.data["user"]["email"] == "new@example.com"
    assert answer.data["user"]["role"] == "client"
    assert steps.seen[-1] == ("client", {"coachId": coach.id})
    me = await app.api.get(
        "/me", headers={"Authorization": f"Bearer {answer.data['accessToken']}"}, status=200
    )
    assert me.data["name"] == "New Person"
    await sign_in(app, "NEW@example.com", PASSWORD)
    listed = await app.api.as_(coach).get(invitation.headers["Location"].removeprefix("/api/v1"))
    assert listed.data["status"] == "redeemed"
    assert "link" not in listed.data


@pytest.mark.parametrize("role", ["owner", "coach", "assistant", "client"])
async def test_the_owner_invites_anybody(
    app: TestApp, make_user: MakeUser, steps: Steps, role: str
) -> None:
    owner = await make_user("owner")
    answer = await redeem(app, await invite(app, owner, role=role))
    assert answer.data["user"]["role"] == role
    # In a practice of one, a client has somebody to write to.
    assert steps.seen[-1] == (role, {"coachId": owner.id} if role == "client" else {})


@pytest.mark.sqlite("the SQL is plain")
async def test_with_more_than_one_coach_nobody_is_the_default(
    app: TestApp, make_user: MakeUser, steps: Steps
) -> None:
    owner, coach = await make_user("owner"), await make_user("coach")
    assert (await invite(app, owner)).data["coachId"] is None
    await app.api.as_(owner).patch(f"/users/{coach.id}", {"status": "disabled"}, status=200)
    alone = await invite(app, owner)
    assert alone.data["coachId"] == owner.id
    await redeem(app, alone)
    assert steps.seen[-1] == ("client", {"coachId": owner.id})


ENDS: dict[str, dict[str, str]] = {
    "demoted": {"role": "assistant"},
    "disabled": {"status": "disabled"},
    "erased": {},
}


@pytest.mark.sqlite("the SQL is plain")
@pytest.mark.parametrize("end", ENDS)
async def test_an_invitation_outlives_its_coach(
    app: TestApp, make_user: MakeUser, steps: Steps, end: str
) -> None:
    owner, coach = await make_user("owner"), await make_user("coach")
    other = await make_user("owner")
    invitation = await invite(app, owner, coachId=coach.id)
    if change := ENDS[end]:
        await app.api.as_(owner).patch(f"/users/{coach.id}", change, status=200)
    else:
        await app.erase(coach.id)
    await redeem(app, invitation, name="Nia")
    assert steps.seen[-1] == ("client", {})
    await app.settled()
    for told in (owner, other):
        (mail,) = [it for it in await app.mails(told.email) if "no coach" in it.subject]
        assert "Nia" in mail.text


@pytest.mark.sqlite("the SQL is plain")
async def test_a_new_invitation_replaces_the_open_one(app: TestApp, make_user: MakeUser) -> None:
    owner, coach, other = [await make_user(role) for role in ("owner", "coach", "coach")]
    first = await invite(app, coach)
    with app.bus.expect("invitation.revoked", "invitation.created"):
        second = await invite(app, coach, email="New@Example.com")
    await app.api.as_(coach).get(f"/invitations/{first.data['id']}", status=404)
    theirs = await invite(app, other)  # who may not take it back does not replace it
    await app.settled()
    assert len(await app.mails("new@example.com")) <= 3
    await redeem(app, first, 410)
    with app.bus.expect("invitation.revoked", "invitation.revoked", "invitation.created"):
        third = await invite(app, owner)
    for replaced in (second, theirs):
        await redeem(app, replaced, 410)
    await redeem(app, third)


@pytest.mark.sqlite("the SQL is plain")
async def test_invitations_have_budgets(
    wellio_app: StartApp, make_user: MakeUser, clock: ManualClock
) -> None:
    settings = {
        "limits.enabled": True,
        "plugins.auth.bcrypt_cost": 10,
        "plugins.auth.invitations_per_sender": "4+1/s",
        "plugins.auth.invitations_per_address": "2+0.5/s",
    }
    app = await wellio_app(settings=settings, plugins=[wellio_auth], clock=clock)
    owner, coach = await make_user("owner"), await make_user("coach")
    for email in ("new@example.com", "NEW@example.com"):
        await invite(app, owner, email=email)
    refused = await invite(app, coach, 429)
    assert refused.headers["RateLimit-Policy"] == '"invited";q=2;w=4'
    clock.advance(2000)
    await invite(app, coach)
    for number in range(3):
        await invite(app, coach, email=f"{number}@example.com")
    refused = await invite(app, coach, 429, email="4@example.com")
    assert refused.headers["RateLimit-Policy"] == '"invitations";q=4;w=4'
    await invite(app, owner, email="4@example.com")


async def test_the_owner_says_whose_client_it_is(
    app: TestApp, make_user: MakeUser, steps: Steps
) -> None:
    owner, coach = await make_user("owner"), await make_user("coach")
    client = await make_user("client")
    await redeem(app, await invite(app, owner, coachId=coach.id))
    assert steps.seen[-1] == ("client", {"coachId": coach.id})
    for coach_id in (client.id, SOMEBODY):
        refused = await invite(app, owner, 422, email="other@example.com", coachId=coach_id)
        assert refused.data["errors"][0]["code"] == "not_a_coach"
    refused = await invite(app, owner, 422, role="coach", coachId=coach.id)
    assert refused.data["errors"][0]["code"] == "not_a_client"


@pytest.mark.parametrize(
    "body", [{"role": "owner"}, {"role": "coach"}, {"role": "assistant"}, {"coachId": SOMEBODY}]
)
async def test_a_coach_invites_their_own_clients_only(
    app: TestApp, make_user: MakeUser, body: dict[str, str]
) -> None:
    coach = await make_user("coach")
    await invite(app, coach, 403, **body)


@pytest.mark.both_engines("what happens at once is the point")
async def test_a_link_works_once_even_in_a_race(app: TestApp, make_user: MakeUser) -> None:
    owner = await make_user("owner")
    invitation = await invite(app, owner)
    token = invitation.data["link"].partition("#token=")[2]
    body = {"token": token, "name": "New Person", "password": PASSWORD}
    replies = await asyncio.gather(*(app.api.post("/invitations/redeem", body) for _ in range(4)))
    assert sorted(reply.status for reply in replies) == [201, 410, 410, 410]


async def test_unusable_links_look_alike(
    app: TestApp, make_user: MakeUser, clock: ManualClock
) -> None:
    owner, coach = await make_user("owner"), await make_user("coach")
    used = await invite(app, owner, email="used@example.com")
    await redeem(app, used)
    expired = await invite(app, owner, email="expired@example.com")
    clock.advance(7 * 86_400_000)
    coach, owner = await sign_in(app, coach.email), await sign_in(app, owner.email)
    revoked = await invite(app, owner, email="revoked@example.com")
    await app.api.as_(owner).delete(f"/invitations/{revoked.data['id']}", status=204)
    taken = await invite(app, coach, email=owner.email)  # a coach does not learn of the account
    fresh = await invite(app, coach, email="fresh@example.com")
    assert taken.data.keys() == fresh.data.keys()
    answers = [await redeem(app, each, 410) for each in (used, expired, revoked, taken)]
    answers.append(await redeem(app, fresh, 410, token="no token at all"))
    bodies = [{**answer.data, "requestId": None} for answer in answers]
    assert all(body == bodies[0] for body in bodies)


async def test_the_owner_learns_that_an_address_has_an_account(
    app: TestApp, make_user: MakeUser
) -> None:
    owner, client = await make_user("owner"), await make_user("client")
    refused = await invite(app, owner, 409, email=client.email.upper())
    assert refused.data["code"] == "account_exists"


async def test_a_refused_account_leaves_the_invitation_open(
    app: TestApp, make_user: MakeUser, steps: Steps
) -> None:
    owner = await make_user("owner")
    invitation = await invite(app, owner)
    weak = await redeem(app, invitation, 422, password="password1234")
    assert weak.data["errors"][0]["pointer"] == "/password"
    steps.refusal = Conflict("not now")
    with app.bus.expect():
        await redeem(app, invitation, 409)
    row = await app.app.db.fetch_one(
        "SELECT id FROM auth_v_user WHERE email = :email", email="new@example.com"
    )
    assert row is None
    steps.refusal = None
    await redeem(app, invitation)


async def test_each_sees_and_takes_back_their_own(app: TestApp, make_user: MakeUser) -> None:
    owner, coach, other = [await make_user(role) for role in ("owner", "coach", "coach")]
    made = [
        (await invite(app, user, email=f"{n}@example.com")).data["id"]
        for n, user in enumerate((owner, coach, coach))
    ]

    async def seen(user: User) -> list[str]:
        ids, query = [], {"limit": 2}
        while True:
            reply = await app.api.as_(user).get("/invitations", query=query, status=200)
            ids += [item["id"] for item in reply.data["items"]]
            if reply.data["nextCursor"] is None:
                return ids
            query["cursor"] = reply.data["nextCursor"]

    assert await seen(owner) == made[::-1]
    assert await seen(coach) == [made[2], made[1]]
    assert await seen(other) == []
    for method in ("GET", "DELETE"):
        await app.api.as_(other).request(method, f"/invitations/{made[1]}", status=404)
    with app.bus.expect("invitation.revoked"):
        await app.api.as_(coach).delete(f"/invitations/{made[1]}", status=204)
    await app.api.as_(coach).delete(f"/invitations/{made[1]}", status=404)
    await app.api.as_(owner).delete(f"/invitations/{made[2]}", status=204)
    assert await seen(owner) == made[:1]


async def test_the_link_is_in_no_later_answer(app: TestApp, make_user: MakeUser) -> None:
    owner = await make_user("owner")
    made = (await invite(app, owner)).data
    read = (await app.api.as_(owner).get(f"/invitations/{made['id']}", status=200)).data
    assert read == {name: value for name, value in made.items() if name != "link"}
    schemas = app.openapi["components"]["schemas"]
    assert "link" in schemas["InvitationMade"]["required"]
    assert "link" not in schemas["Invitation"]["properties"]
    assert "key" not in schemas["ApiKey"]["properties"]


async def test_the_token_is_not_stored(app: TestApp, make_user: MakeUser) -> None:
    owner = await make_user("owner")
    token = (await invite(app, owner)).data["link"].partition("#token=")[2]
    rows = await app.app.db.fetch_all("SELECT * FROM auth_invitation")
    assert token not in str([tuple(row) for row in rows])
    assert await works(app, owner)
