"""Client records: who may see, make, change and assign them."""

from typing import Any

import pytest

from tests.plugins.practice.conftest import Practice
from wellio.testing import Scenario, scenario

STAFF_ONLY = ("lifecycle", "source", "tags", "metadata")


@scenario(
    Scenario("an owner sees all", "GET", "/clients", as_="owner", contains=("{mia}", "{noah}")),
    Scenario(
        "a coach sees theirs",
        "GET",
        "/clients",
        as_="carl",
        contains=("{mia}",),
        absent=("{noah}",),
    ),
    Scenario("an assistant sees none yet", "GET", "/clients", as_="assistant", absent=("{mia}",)),
    Scenario(
        "a client sees themself",
        "GET",
        "/clients",
        as_="mia",
        contains=("{mia}",),
        absent=("{noah}",),
    ),
    Scenario("their own coach reads", "GET", "/clients/{mia}", as_="carl"),
    Scenario("a client reads themself", "GET", "/clients/{mia}", as_="mia"),
    Scenario(
        "a coach makes one",
        "POST",
        "/clients",
        as_="carl",
        body={"name": "New"},
        status=201,
        contains=('"Carl"',),
        events=("client.created", "client.assigned"),
    ),
    Scenario(
        "an owner makes one for a coach",
        "POST",
        "/clients",
        as_="owner",
        body={"name": "New", "coachIds": ["{dana_user}"]},
        status=201,
        contains=('"Dana"',),
        events=("client.created", "client.assigned"),
    ),
    Scenario(
        "a coach makes none for another",
        "POST",
        "/clients",
        as_="carl",
        body={"name": "New", "coachIds": ["{dana_user}"]},
        status=422,
        contains=("/coachIds/0",),
    ),
    Scenario(
        "a client is no coach",
        "POST",
        "/clients",
        as_="owner",
        body={"name": "New", "coachIds": ["{mia_user}"]},
        status=422,
        contains=("/coachIds/0",),
    ),
    Scenario(
        "every wrong field is named",
        "POST",
        "/clients",
        as_="carl",
        body={"name": "", "email": "x", "timeZone": "Mars", "dateOfBirth": "1700-01-01", "id": "1"},
        status=422,
        contains=("/name", "/email", "/timeZone", "/dateOfBirth", "/id"),
        absent=("Mars",),
    ),
    Scenario(
        "their coach changes one",
        "PATCH",
        "/clients/{mia}",
        as_="carl",
        body={"phone": "+49 30 1234"},
        contains=("+49 30 1234", '"Mia"'),
        events=("client.updated",),
    ),
    Scenario(
        "a new phase is its own event",
        "PATCH",
        "/clients/{mia}",
        as_="carl",
        body={"lifecycle": "dormant"},
        events=("client.updated", "client.lifecycle_changed"),
    ),
    Scenario(
        "a name cannot be emptied",
        "PATCH",
        "/clients/{mia}",
        as_="carl",
        body={"name": None},
        status=422,
    ),
    Scenario(
        "an owner assigns",
        "PUT",
        "/clients/{mia}/coaches/{dana_user}",
        as_="owner",
        status=204,
        events=("client.assigned",),
    ),
    Scenario(
        "assigning twice changes nothing",
        "PUT",
        "/clients/{mia}/coaches/{carl_user}",
        as_="owner",
        status=204,
    ),
    Scenario(
        "an owner unassigns",
        "DELETE",
        "/clients/{mia}/coaches/{carl_user}",
        as_="owner",
        status=204,
        events=("client.unassigned",),
    ),
    Scenario(
        "unassigning a stranger changes nothing",
        "DELETE",
        "/clients/{mia}/coaches/{dana_user}",
        as_="owner",
        status=204,
    ),
)
async def test_clients(case: Scenario, practice: Practice) -> None:
    filled = {
        name: tuple(text.format(**practice.ids) if text.startswith("{") else text for text in texts)
        for name, texts in {"contains": case.contains, "absent": case.absent}.items()
    }
    await Scenario(**{**vars(case), **filled}).run(practice.app, practice.people, practice.ids)


async def test_a_client_does_not_see_what_staff_keep_about_them(practice: Practice) -> None:
    path = f"/clients/{practice.ids['mia']}"
    own = (await practice.app.api.as_(practice.people["mia"]).get(path, status=200)).data
    staffs = (await practice.app.api.as_(practice.people["carl"]).get(path, status=200)).data
    assert set(staffs) - set(own) == set(STAFF_ONLY)


async def test_a_coach_loses_sight_of_a_client_at_once(practice: Practice) -> None:
    mia, carl = practice.ids["mia"], practice.people["carl"]
    api = practice.app.api
    await api.as_(carl).get(f"/clients/{mia}", status=200)
    await api.as_(practice.people["owner"]).delete(f"/clients/{mia}/coaches/{carl.id}", status=204)
    await api.as_(carl).get(f"/clients/{mia}", status=404)
    assert (await api.as_(carl).get("/clients", status=200)).data["items"] == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["ada", "Bea", "Cleo_", "Mia"]),
        ({"q": "EA"}, ["Bea"]),
        ({"q": "_"}, ["Cleo_"]),
        ({"q": "%"}, []),
        ({"q": "bea@example"}, ["Bea"]),
        ({"lifecycle": "lead"}, ["ada"]),
        ({"lifecycle": "churned"}, []),
    ],
)
async def test_clients_are_found_by_name_address_and_phase(
    practice: Practice, query: dict[str, str], expected: list[str]
) -> None:
    carl = practice.app.api.as_(practice.people["carl"])
    for body in [
        {"name": "Bea", "email": "Bea@example.com"},
        {"name": "ada", "lifecycle": "lead"},
        {"name": "Cleo_"},
    ]:
        await carl.post("/clients", body, status=201)
    found = (await carl.get("/clients", query=query, status=200)).data["items"]
    assert [client["name"] for client in found] == expected


async def test_pages_show_every_client_once(practice: Practice) -> None:
    carl = practice.app.api.as_(practice.people["carl"])
    for number in range(7):
        await carl.post("/clients", {"name": f"Same name {number % 2}"}, status=201)
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 3}
    while True:
        answer = (await carl.get("/clients", query=query, status=200)).data
        seen += [client["id"] for client in answer["items"]]
        if answer["nextCursor"] is None:
            break
        query["cursor"] = answer["nextCursor"]
    assert len(seen) == len(set(seen)) == 8


async def test_a_change_touches_only_what_it_names(practice: Practice) -> None:
    carl = practice.app.api.as_(practice.people["carl"])
    full = {
        "name": "Full",
        "email": "full@example.com",
        "phone": "+49 30 1",
        "dateOfBirth": "1990-02-03",
        "timeZone": "Europe/Berlin",
        "locale": "de",
        "source": "a friend",
        "metadata": {"shoe": {"size": 42}},
    }
    made = (await carl.post("/clients", full, status=201)).data
    path = f"/clients/{made['id']}"
    changed = (await carl.patch(path, {"phone": None, "name": "Fuller"}, status=200)).data
    expected = {**made, "phone": None, "name": "Fuller", "updatedAt": changed["updatedAt"]}
    assert changed == expected
    assert (await carl.get(path, status=200)).data == expected


@pytest.mark.parametrize(
    "metadata", [{"text": "x" * 16_384}, {"text": "a\x00b"}, "no object", ["no object"]]
)
async def test_metadata_that_cannot_be_kept_is_refused(practice: Practice, metadata: Any) -> None:
    carl = practice.app.api.as_(practice.people["carl"])
    body = {"name": "New", "metadata": metadata}
    problem = (await carl.post("/clients", body, status=422)).data
    assert [error["pointer"] for error in problem["errors"]] == ["/metadata"]
