"""The first owner brings the settings; everybody reads them, the owner changes them."""

import pytest

from tests.plugins.practice.conftest import Practice
from wellio.testing import Scenario, scenario

pytestmark = pytest.mark.sqlite("tests/contract calls every endpoint on both")

_UPDATED = "practice.updated"
_NOTES = """
SELECT action, note FROM wellio_audit UNION ALL SELECT action, note FROM wellio_audit_pending
"""


@scenario(
    Scenario("a client reads", "GET", "/practice", as_="mia", contains=("UTC",)),
    Scenario(
        "an owner changes",
        "PATCH",
        "/practice",
        as_="owner",
        body={"name": "Calm"},
        contains=("Calm", "UTC"),
    ),
    Scenario(
        "every wrong field is named",
        "PATCH",
        "/practice",
        as_="owner",
        status=422,
        body={"timeZone": "Mars", "currency": "euro", "locale": "?", "owner": "me"},
        contains=("/timeZone", "/currency", "/locale", "/owner"),
    ),
)
async def test_settings(case: Scenario, shared_practice: Practice) -> None:
    practice = shared_practice
    await case.run(practice.app, practice.people, practice.ids)


async def test_changes_outlive_a_restart(practice: Practice) -> None:
    owner = practice.people["owner"]
    changed = {"name": "Calm", "timeZone": "Europe/Berlin", "currency": "CHF", "locale": "de-CH"}
    await practice.app.api.as_(owner).patch("/practice", changed, status=200)
    await practice.app.restart()
    assert (await practice.app.api.as_(owner).get("/practice", status=200)).data == changed


async def test_nothing_is_emptied(shared_practice: Practice) -> None:
    owner = shared_practice.app.api.as_(shared_practice.people["owner"])
    nothing = dict.fromkeys(("name", "timeZone", "currency", "locale"))
    problem = (await owner.patch("/practice", nothing, status=422)).data
    assert {error["pointer"] for error in problem["errors"]} == {f"/{it}" for it in nothing}


async def test_the_audit_log_names_what_really_changed(practice: Practice) -> None:
    owner, db = practice.app.api.as_(practice.people["owner"]), practice.app.app.db
    for change in ({"name": "Calm", "currency": "EUR"}, {"name": "Calm"}, {"locale": "de"}):
        await owner.patch("/practice", change, status=200)
    entries = [entry for entry in await db.fetch_all(_NOTES) if entry["action"] == _UPDATED]
    assert sorted(entry["note"] for entry in entries) == ["locale", "name"]
