"""What the practice keeps about a person is handed out whole and taken away whole."""

from wellio_practice.clients.personal_data import ClientData

from tests.plugins.practice.conftest import Practice
from wellio import Tx


async def test_a_client_gets_and_loses_everything(practice: Practice) -> None:
    api, mia = practice.app.api, practice.people["mia"]
    carl = api.as_(practice.people["carl"])
    tag = (await carl.post("/tags", {"name": "Sleep"}, status=201)).data["id"]
    record = practice.ids["mia"]
    await carl.put(f"/clients/{record}/tags/{tag}", status=204)
    data = ClientData(practice.app.app)

    exported = await data.export(mia.id)
    assert set(exported) == set(data.tables)
    assert [row["id"] for row in exported["practice_client"]] == [record]
    assert [row["user_id"] for row in exported["practice_assignment"]] == [carl_id(practice)]
    assert [row["name"] for row in exported["practice_client_tag"]] == ["Sleep"]

    async def erase(tx: Tx) -> None:
        await data.erase(tx, mia.id)

    await practice.app.app.db.write(erase)
    assert not any((await data.export(mia.id)).values())
    await carl.get(f"/clients/{record}", status=404)
    noah = practice.ids["noah"]
    await api.as_(practice.people["dana"]).get(f"/clients/{noah}", status=200)


async def test_a_coach_leaves_the_clients_behind(practice: Practice) -> None:
    data, carl = ClientData(practice.app.app), carl_id(practice)
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
