"""Client records: who may see, make, change and assign them."""

import json
from typing import Any

import pytest

from tests.plugins.practice.conftest import Practice, client_of
from wellio import fold
from wellio.testing import MakeUser, Scenario, scenario

STAFF_ONLY = ("lifecycle", "source", "tags", "metadata", "updatedAt")

_NOTES = """
SELECT note FROM wellio_audit WHERE object_id = :id AND action = 'client.updated'
UNION ALL
SELECT note FROM wellio_audit_pending WHERE object_id = :id AND action = 'client.updated'
"""


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
        "/clients/{own}",
        as_="carl",
        body={"phone": "+49 30 1234"},
        contains=("+49 30 1234", '"Own"'),
        events=("client.updated",),
    ),
    Scenario(
        "a new phase is its own event",
        "PATCH",
        "/clients/{own}",
        as_="carl",
        body={"lifecycle": "dormant"},
        events=("client.updated", "client.lifecycle_changed"),
    ),
    Scenario(
        "a name cannot be emptied",
        "PATCH",
        "/clients/{own}",
        as_="carl",
        body={"name": None},
        status=422,
    ),
    Scenario(
        "an owner assigns",
        "PUT",
        "/clients/{own}/coaches/{dana_user}",
        as_="owner",
        status=204,
        events=("client.assigned",),
    ),
    Scenario(
        "assigning twice changes nothing",
        "PUT",
        "/clients/{own}/coaches/{carl_user}",
        as_="owner",
        status=204,
    ),
    Scenario(
        "a client cannot be assigned",
        "PUT",
        "/clients/{own}/coaches/{noah_user}",
        as_="owner",
        status=404,
    ),
    Scenario(
        "an owner unassigns",
        "DELETE",
        "/clients/{own}/coaches/{carl_user}",
        as_="owner",
        status=204,
        events=("client.unassigned",),
    ),
    Scenario(
        "unassigning a stranger changes nothing",
        "DELETE",
        "/clients/{own}/coaches/{dana_user}",
        as_="owner",
        status=204,
    ),
)
async def test_clients(case: Scenario, shared_practice: Practice) -> None:
    practice = shared_practice
    filled = {
        name: tuple(text.format(**practice.ids) if text.startswith("{") else text for text in texts)
        for name, texts in {"contains": case.contains, "absent": case.absent}.items()
    }
    ids = {**practice.ids, "own": await client_of(practice, "carl")}
    await Scenario(**{**vars(case), **filled}).run(practice.app, practice.people, ids)


async def test_a_client_does_not_see_what_staff_keep_about_them(shared_practice: Practice) -> None:
    practice = shared_practice
    path = f"/clients/{practice.ids['mia']}"
    own = (await practice.app.api.as_(practice.people["mia"]).get(path, status=200)).data
    staffs = (await practice.app.api.as_(practice.people["carl"]).get(path, status=200)).data
    assert set(staffs) - set(own) == set(STAFF_ONLY)


async def test_a_client_does_not_find_themself_by_what_staff_keep(
    shared_practice: Practice,
) -> None:
    mia = shared_practice.app.api.as_(shared_practice.people["mia"])
    await mia.get("/clients?q=mia", status=200)
    for phase in ("active", "at_risk"):  # whichever it is
        await mia.get(f"/clients?lifecycle={phase}", status=403)
    await mia.get(f"/clients?tagId={shared_practice.ids['random']}", status=403)


async def test_a_coach_loses_sight_of_a_client_at_once(shared_practice: Practice) -> None:
    practice = shared_practice
    own, carl = await client_of(practice, "carl", name="Unseen"), practice.people["carl"]
    api = practice.app.api
    await api.as_(carl).get(f"/clients/{own}", status=200)
    await api.as_(practice.people["owner"]).delete(f"/clients/{own}/coaches/{carl.id}", status=204)
    await api.as_(carl).get(f"/clients/{own}", status=404)
    assert (await api.as_(carl).get("/clients", query={"q": "unseen"}, status=200)).data[
        "items"
    ] == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["ada", "Bea", "Cleo_"]),
        ({"q": "EA"}, ["Bea"]),
        ({"q": "_"}, ["Cleo_"]),
        ({"q": "%"}, []),
        ({"q": "bea@example"}, ["Bea"]),
        ({"lifecycle": "lead"}, ["ada"]),
        ({"lifecycle": "churned"}, []),
    ],
)
async def test_clients_are_found_by_name_address_and_phase(
    shared_practice: Practice, shared_user: MakeUser, query: dict[str, str], expected: list[str]
) -> None:
    coach = shared_practice.app.api.as_(await shared_user("coach"))
    for body in [
        {"name": "Bea", "email": "Bea@example.com"},
        {"name": "ada", "lifecycle": "lead"},
        {"name": "Cleo_"},
    ]:
        await coach.post("/clients", body, status=201)
    found = (await coach.get("/clients", query=query, status=200)).data["items"]
    assert [client["name"] for client in found] == expected


async def test_a_client_is_found_however_the_name_is_typed(
    shared_practice: Practice, shared_user: MakeUser
) -> None:
    coach = shared_practice.app.api.as_(await shared_user("coach"))
    names = ["Zimmer", "J\u00e9r\u00f4me", "\u0130stanbul Y\u0131lmaz", "Stra\u00dfe", "\u00c4rger"]
    for name in [*names, "Je\u0301ro\u0302me", "\u0141ukasz O\u2019Neill"]:
        email = f"{len(name)}@Stra\u00dfe.example"
        await coach.post("/clients", {"name": name, "email": email}, status=201)

    async def found(q: str) -> list[str]:
        items = (await coach.get("/clients", query={"q": q}, status=200)).data["items"]
        return [fold(client["name"]) for client in items]

    jerome = fold("J\u00e9r\u00f4me")
    for q, expected in {
        "J\u00e9r\u00f4me": [jerome] * 2,
        "Je\u0301ro\u0302me": [jerome] * 2,
        "jerome": [jerome] * 2,
        "istanbul": [fold("\u0130stanbul Y\u0131lmaz")],
        "YILMAZ": [fold("\u0130stanbul Y\u0131lmaz")],
        "STRASSE": [fold("Stra\u00dfe")],
        "lukasz o'neill": [fold("\u0141ukasz O\u2019Neill")],
    }.items():
        assert [name for name in await found(q) if name in expected] == expected, q
    assert len(await found("@stra\u00dfe")) == 7
    order = [name[0] for name in await found("")]
    assert order == [fold(it) for it in "\u00c4"] + [
        fold("\u0130")[0],
        "j",
        "j",
        "\u0142",
        "s",
        "z",
    ]


async def test_a_request_is_the_same_in_any_order_of_its_members(
    shared_practice: Practice,
) -> None:
    carl = shared_practice.app.api.as_(shared_practice.people["carl"])
    headers = {"Idempotency-Key": "order"}
    first = await carl.post("/clients", {"name": "Ida", "source": "x"}, headers=headers, status=201)
    again = await carl.post("/clients", {"source": "x", "name": "Ida"}, headers=headers, status=201)
    assert again.data == first.data
    other = await carl.post("/clients", {"name": "Eva"}, headers=headers, status=422)
    assert other.code == "idempotency_key_reused"


async def test_what_is_typed_oddly_is_taken_or_refused_as_a_whole(
    shared_practice: Practice,
) -> None:
    carl = shared_practice.app.api.as_(shared_practice.people["carl"])
    refused: tuple[dict[str, Any], ...] = (
        *({"dateOfBirth": it} for it in ("2999-12-25", 0, 631_152_000, "631152000", True)),
        *({"name": it} for it in ("\u3164", "\ufeff", "\u00ad")),
        *({"timeZone": it} for it in ("localtime", "Factory")),
        {"metadata": {"n": 12345678901234567890123}},
        {"metadata": {"a\x00": 1}},
        {"metadata": {"p": ["\\\x00"]}},
    )
    for fields in refused:
        body = json.dumps({"name": "Odd", **fields}).encode()
        headers = {"Content-Type": "application/json"}
        assert (await carl.post("/clients", content=body, headers=headers)).status == 422, fields
    taken: tuple[dict[str, Any], ...] = (
        {"phone": "+49 30 901820"},
        {"phone": "030 901820 ext. 89"},
        {"metadata": {"p": "C:\\u0000", "\\u0000": 2**63 - 1}},
    )
    for fields in taken:
        made = (await carl.post("/clients", {"name": "Odd", **fields}, status=201)).data
        read = (await carl.get(f"/clients/{made['id'].upper()}", status=200)).data
        assert {it: read[it] for it in fields} == fields


async def test_pages_show_every_client_once(
    shared_practice: Practice, shared_user: MakeUser
) -> None:
    coach = shared_practice.app.api.as_(await shared_user("coach"))
    for number in range(7):
        await coach.post("/clients", {"name": f"Same name {number % 2}"}, status=201)
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 3}
    while True:
        answer = (await coach.get("/clients", query=query, status=200)).data
        seen += [client["id"] for client in answer["items"]]
        if answer["nextCursor"] is None:
            break
        query["cursor"] = answer["nextCursor"]
    assert len(seen) == len(set(seen)) == 7


async def test_a_change_touches_only_what_it_names(shared_practice: Practice) -> None:
    carl = shared_practice.app.api.as_(shared_practice.people["carl"])
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
async def test_metadata_that_cannot_be_kept_is_refused(
    shared_practice: Practice, metadata: Any
) -> None:
    carl = shared_practice.app.api.as_(shared_practice.people["carl"])
    body = {"name": "New", "metadata": metadata}
    problem = (await carl.post("/clients", body, status=422)).data
    assert [error["pointer"] for error in problem["errors"]] == ["/metadata"]


@pytest.mark.parametrize("field", ["name", "lifecycle"])
async def test_what_may_not_be_empty_is_not_emptied(shared_practice: Practice, field: str) -> None:
    carl = shared_practice.app.api.as_(shared_practice.people["carl"])
    path = f"/clients/{await client_of(shared_practice, 'carl')}"
    problem = (await carl.patch(path, {field: None, "phone": "+49 30 2"}, status=422)).data
    assert [error["pointer"] for error in problem["errors"]] == [f"/{field}"]
    assert (await carl.get(path, status=200)).data["phone"] is None


async def test_null_empties_what_may_be_empty(shared_practice: Practice) -> None:
    carl = shared_practice.app.api.as_(shared_practice.people["carl"])
    details = {
        "email": "own@example.com",
        "phone": "+49 30 1",
        "dateOfBirth": "1990-02-03",
        "timeZone": "Europe/Berlin",
        "locale": "de",
        "source": "a friend",
        "metadata": {"shoe": 42},
    }
    path = f"/clients/{await client_of(shared_practice, 'carl', **details)}"
    emptied = (await carl.patch(path, dict.fromkeys(details), status=200)).data
    assert {it: emptied[it] for it in details} == {**dict.fromkeys(details), "metadata": {}}


async def test_the_audit_log_names_what_really_changed(shared_practice: Practice) -> None:
    """Metadata is one value on both engines, whatever its spaces and the order of its members."""
    carl, db = (
        shared_practice.app.api.as_(shared_practice.people["carl"]),
        shared_practice.app.app.db,
    )
    metadata = {"works as": "a baker", "age": [41, None], "b": {"z": 1, "a": 2}}
    own = await client_of(shared_practice, "carl", metadata=metadata, phone="+49 30 1")
    path = f"/clients/{own}"
    same = {"metadata": {"b": {"a": 2, "z": 1}, "age": [41, None], "works as": "a baker"}}
    with shared_practice.app.bus.expect("client.updated"):
        await carl.patch(path, {"phone": "+49 30 2", "name": "Own", **same}, status=200)
    with shared_practice.app.bus.expect():
        await carl.patch(path, same, status=200)
    with shared_practice.app.bus.expect("client.updated"):
        await carl.patch(path, {"metadata": {}}, status=200)
    rows = await db.fetch_all(_NOTES, id=own)
    assert sorted(row["note"] for row in rows) == ["metadata", "phone"]


async def test_the_documentation_knows_both_sights_of_a_client(shared_practice: Practice) -> None:
    document = (await shared_practice.app.api.get("//openapi.json", status=200)).data
    schemas = document["components"]["schemas"]
    own, staffs = (set(schemas[name]["properties"]) for name in ("OwnClient", "Client"))
    assert staffs - own == set(STAFF_ONLY)
    for name in ("OwnClient", "Client"):
        assert set(schemas[name]["required"]) == set(schemas[name]["properties"])
