"""What the practice keeps about a person is handed out whole and taken away whole."""

import pytest
from wellio_practice.personal_data import PracticeData

from tests.plugins.practice.conftest import Practice
from wellio import Tx

pytestmark = pytest.mark.sqlite("tests/contract calls every endpoint on both")


async def test_a_client_gets_and_loses_everything(practice: Practice) -> None:
    api, mia = practice.app.api, practice.people["mia"]
    carl = api.as_(practice.people["carl"])
    tag = (await carl.post("/tags", {"name": "Sleep"}, status=201)).data["id"]
    record = practice.ids["mia"]
    await carl.put(f"/clients/{record}/tags/{tag}", status=204)
    data = PracticeData(practice.app.app)

    exported = await data.export(mia.id)
    assert set(exported) == set(data.tables)
    assert [row["id"] for row in exported["practice_client"]] == [record]
    assert [row["user_id"] for row in exported["practice_assignment"]] == [carl_id(practice)]
    assert [row["name"] for row in exported["practice_client_tag"]] == ["Sleep"]

    async def erase(tx: Tx) -> None:
        await data.erase(tx, mia.id)

    await practice.app.app.db.write(erase)
    assert not any((await data.export(mia.id)).values())
    owner = api.as_(practice.people["owner"])
    for staff in (carl, owner):
        await staff.get(f"/clients/{record}", status=404)
        await staff.patch(f"/clients/{record}", {"name": "Back"}, status=404)
        found = (await staff.get("/clients", status=200)).data["items"]
        assert record not in {client["id"] for client in found}
    assert (await owner.get("/clients", query={"q": "mia"}, status=200)).data["items"] == []
    await owner.put(f"/clients/{record}/coaches/{carl_id(practice)}", status=404)
    noah = practice.ids["noah"]
    await api.as_(practice.people["dana"]).get(f"/clients/{noah}", status=200)


async def test_an_erased_record_leaves_a_tombstone(practice: Practice) -> None:
    """What refers to the record keeps its reference; of the person nothing is left in it."""
    db, record = practice.app.app.db, practice.ids["mia"]
    owner = practice.app.api.as_(practice.people["owner"])
    about = {
        "email": "mia@home.example",
        "phone": "+49 30 5550100",
        "dateOfBirth": "1990-02-03",
        "timeZone": "Europe/Berlin",
        "locale": "de",
        "source": "a friend",
        "metadata": {"shoe": 42},
    }
    await owner.patch(f"/clients/{record}", about, status=200)
    await practice.app.erase(practice.people["mia"].id)

    row = await db.fetch_one("SELECT * FROM practice_client WHERE id = :id", id=record)
    assert row is not None
    left = {name: row[name] for name in row.keys() if row[name] is not None}  # noqa: SIM118 - a row
    assert left.pop("erased_at") == left.pop("updated_at")
    assert left.keys() == {"id", "status", "lifecycle", "metadata", "version", "created_at"}
    assert (left["status"], left["metadata"]) == ("erased", "{}")
    view = "SELECT name, email, phone, primary_coach_id, erased_at FROM practice_v_client "
    tombstone = await db.fetch_one(view + "WHERE id = :id", id=record)
    assert tombstone is not None
    assert list(tombstone)[:4] == [None] * 4
    assert tombstone["erased_at"] == row["erased_at"]
    access = "SELECT 1 FROM practice_v_client_access WHERE client_id = :id"
    assert await db.fetch_all(access, id=record) == []
    team = "SELECT user_id, until_at FROM practice_assignment WHERE client_id = :id"
    ((coach_id, until_at),) = await db.fetch_all(team, id=record)
    assert (coach_id, until_at) == (carl_id(practice), row["erased_at"])


async def test_a_coach_leaves_the_clients_behind(practice: Practice) -> None:
    data, carl = PracticeData(practice.app.app), carl_id(practice)
    assert [row["client_id"] for row in (await data.export(carl))["practice_assignment"]] == [
        practice.ids["mia"]
    ]

    async def erase(tx: Tx) -> None:
        await data.erase(tx, carl)

    await practice.app.app.db.write(erase)
    owner = practice.app.api.as_(practice.people["owner"])
    client = (await owner.get(f"/clients/{practice.ids['mia']}", status=200)).data
    assert client["coaches"] == []


def carl_id(practice: Practice) -> str:
    return practice.people["carl"].id
