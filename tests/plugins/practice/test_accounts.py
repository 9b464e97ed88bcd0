"""An account of a client gets its record, without opening another coach's client to anybody."""

import pytest

from tests.plugins.practice.conftest import Practice
from wellio.testing.plugin import MakeUser

pytestmark = pytest.mark.sqlite("tests/contract calls every endpoint on both")

PASSWORD = "one fine horse, two batteries"


async def _redeem(practice: Practice, inviter: str, body: dict[str, str]) -> str:
    """Invite somebody, have them redeem it, and return their account's id."""
    api = practice.app.api
    invitation = (
        await api.as_(practice.people[inviter]).post("/invitations", body, status=201)
    ).data
    token = invitation["link"].partition("token=")[2]
    redeemed = await api.post(
        "/invitations/redeem", {"token": token, "name": "Zoe", "password": PASSWORD}, status=201
    )
    user_id: str = redeemed.data["user"]["id"]
    return user_id


async def test_an_invited_client_is_assigned_to_who_invited(practice: Practice) -> None:
    user_id = await _redeem(practice, "carl", {"email": "zoe@example.com", "role": "client"})
    carl = practice.app.api.as_(practice.people["carl"])
    found = (await carl.get("/clients", query={"q": "zoe"}, status=200)).data["items"]
    assert [(client["userId"], client["name"]) for client in found] == [(user_id, "Zoe")]


async def test_a_record_made_before_becomes_the_accounts(practice: Practice) -> None:
    carl = practice.app.api.as_(practice.people["carl"])
    body = {"name": "Zoe before", "email": "Zoe@Example.com"}
    record = (await carl.post("/clients", body, status=201)).data["id"]
    user_id = await _redeem(practice, "carl", {"email": "zoe@example.com", "role": "client"})
    assert (await carl.get(f"/clients/{record}", status=200)).data["userId"] == user_id


async def test_an_invitation_does_not_open_another_coachs_client(practice: Practice) -> None:
    dana = practice.app.api.as_(practice.people["dana"])
    body = {"name": "Dana's Zoe", "email": "zoe@example.com"}
    record = (await dana.post("/clients", body, status=201)).data["id"]
    await _redeem(practice, "carl", {"email": "zoe@example.com", "role": "client"})
    carl = practice.app.api.as_(practice.people["carl"])
    await carl.get(f"/clients/{record}", status=404)
    assert (await dana.get(f"/clients/{record}", status=200)).data["userId"] is None


@pytest.mark.parametrize("role", ["coach", "assistant", "owner"])
async def test_staff_get_no_client_record(practice: Practice, role: str) -> None:
    await _redeem(practice, "owner", {"email": "zoe@example.com", "role": role})
    owner = practice.app.api.as_(practice.people["owner"])
    assert (await owner.get("/clients", query={"q": "zoe"}, status=200)).data["items"] == []


async def test_an_address_is_the_same_however_it_is_typed(practice: Practice) -> None:
    carl = practice.app.api.as_(practice.people["carl"])
    for recorded, invited, is_one in (
        ("\u00c9lodie.Stra\u00dfe@example.org", "\u00e9lodie.strasse@example.org", True),
        (
            "\u039d\u0399\u039a\u039f\u03a3@example.org",
            "\u03bd\u03b9\u03ba\u03bf\u03c2@example.org",
            True,
        ),
        ("zoe@M\u00fcller.example", "zoe@xn--mller-kva.EXAMPLE", True),
        ("zoe@stra\u00dfe.de", "zoe@strasse.de", False),
    ):
        body = {"name": "Zoe", "email": recorded}
        record = (await carl.post("/clients", body, status=201)).data["id"]
        user_id = await _redeem(practice, "carl", {"email": invited, "role": "client"})
        found = (await carl.get(f"/clients/{record}", status=200)).data["userId"]
        assert found == (user_id if is_one else None), recorded


async def test_a_coach_is_found_by_an_address_that_is_no_ascii(
    practice: Practice, make_user: MakeUser
) -> None:
    coach = await make_user("coach", email="Élan@example.com")
    client = await make_user("client", coach=coach)
    found = (await practice.app.api.as_(coach).get("/clients", status=200)).data["items"]
    assert [record["userId"] for record in found] == [client.id]


@pytest.mark.sqlite("no SQL is new here")
async def test_people_say_their_own_phone_zone_and_language(practice: Practice) -> None:
    """A client's record says the same, for those who look after them."""
    app, people = practice.app, practice.people
    mine, record = app.api.as_(people["mia"]), f"/clients/{practice.ids['mia']}"
    given = {"phone": "+49 30 901820", "timeZone": "Europe/Lisbon", "locale": "pt-PT"}
    for change in (given, {"phone": None}):
        with app.bus.expect("user.updated", "client.updated"):
            changed = (await mine.patch("/me", change, status=200)).data
        seen = (await app.api.as_(people["carl"]).get(record, status=200)).data
        for field, value in change.items():
            assert (changed[field], seen[field]) == (value, value)
    assert (await mine.get("/me", status=200)).data == changed
    assert (changed["timeZone"], seen["locale"]) == ("Europe/Lisbon", "pt-PT")
    with app.bus.expect("user.updated"):  # who has no record
        await app.api.as_(people["carl"]).patch("/me", given, status=200)
