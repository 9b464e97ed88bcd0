"""The first owner brings the settings; everybody reads them, the owner changes them."""

from tests.plugins.practice.conftest import Practice
from wellio.testing import Scenario, scenario


@scenario(
    Scenario("a client reads", "GET", "/practice", as_="mia", contains=("My practice", "UTC")),
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
async def test_settings(case: Scenario, practice: Practice) -> None:
    await case.run(practice.app, practice.people, practice.ids)


async def test_changes_outlive_a_restart(practice: Practice) -> None:
    owner = practice.people["owner"]
    changed = {"name": "Calm", "timeZone": "Europe/Berlin", "currency": "CHF", "locale": "de-CH"}
    await practice.app.api.as_(owner).patch("/practice", changed, status=200)
    await practice.app.restart()
    assert (await practice.app.api.as_(owner).get("/practice", status=200)).data == changed
