"""Client records: who may see, make, change and assign them."""

from typing import Any

import pytest

from tests.plugins.practice.conftest import Practice
from wellio.testing import Scenario, scenario

STAFF_ONLY = ("lifecycle", "source", "tags", "metadata")


@scenario(
    Scenario("nobody signs in first", "GET", "/clients", status=401),
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
    Scenario("another coach finds nothing", "GET", "/clients/{mia}", as_="dana", status=404),
    Scenario("another client finds nothing", "GET", "/clients/{mia}", as_="noah", status=404),
    Scenario("an assistant finds nothing", "GET", "/clients/{mia}", as_="assistant", status=404),
    Scenario("nobody reads", "GET", "/clients/{mia}", status=401),
    Scenario("a missing one is the same 404", "GET", "/clients/{random}", as_="carl", status=404),
    Scenario("what is no id is the same 404", "GET", "/clients/1", as_="carl", status=404),
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
        "a client makes none", "POST", "/clients", as_="mia", body={"name": "New"}, status=403
    ),
    Scenario(
        "an assistant makes none",
        "POST",
        "/clients",
        as_="assistant",
        body={"name": "N"},
        status=403,
    ),
    Scenario("nobody makes one", "POST", "/clients", body={"name": "New"}, status=401),
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
        "a client changes nothing",
        "PATCH",
        "/clients/{mia}",
        as_="mia",
        body={"name": "X"},
        status=403,
    ),
    Scenario(
        "another coach changes nothing",
        "PATCH",
        "/clients/{mia}",
        as_="dana",
        body={"name": "X"},
        status=404,
    ),
    Scenario("nobody changes", "PATCH", "/clients/{mia}", body={"name": "X"}, status=401),
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
        "a coach assigns nobody",
        "PUT",
        "/clients/{mia}/coaches/{dana_user}",
        as_="carl",
        status=403,
    ),
    Scenario(
        "a stranger's coach finds nothing",
        "PUT",
        "/clients/{mia}/coaches/{dana_user}",
        as_="dana",
        status=404,
    ),
    Scenario(
        "a client cannot be assigned",
        "PUT",
        "/clients/{mia}/coaches/{noah_user}",
        as_="owner",
        status=404,
    ),
    Scenario("nobody assigns", "PUT", "/clients/{mia}/coaches/{dana_user}", status=401),
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
    Scenario(
        "a coach unassigns nobody",
        "DELETE",
        "/clients/{mia}/coaches/{carl_user}",
        as_="carl",
        status=403,
    ),
    Scenario("nobody unassigns", "DELETE", "/clients/{mia}/coaches/{carl_user}", status=401),
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
