"""Tags: a list that staff keep, and put on clients that they may change."""

import asyncio

import pytest

from tests.plugins.practice.conftest import Practice
from wellio.testing import Scenario, scenario

pytestmark = pytest.mark.sqlite("tests/contract calls every endpoint on both")


async def _tag(practice: Practice, name: str = "Sleep") -> str:
    carl = practice.app.api.as_(practice.people["carl"])
    tag: str = (await carl.post("/tags", {"name": name}, status=201)).data["id"]
    return tag


@scenario(
    Scenario("an assistant lists", "GET", "/tags", as_="assistant", contains=("Sleep",)),
    Scenario("a coach makes one", "POST", "/tags", as_="dana", body={"name": "Run"}, status=201),
    Scenario(
        "a name is there once, whatever its case",
        "POST",
        "/tags",
        as_="dana",
        body={"name": "sLEEP"},
        status=409,
        code="tag_exists",
    ),
    Scenario("a name has letters", "POST", "/tags", as_="carl", body={"name": " "}, status=422),
    Scenario("an assistant reads one", "GET", "/tags/{tag}", as_="assistant", contains=("Sleep",)),
    Scenario(
        "a coach renames",
        "PATCH",
        "/tags/{tag}",
        as_="dana",
        body={"name": "SLEEP"},
        contains=("SLEEP",),
    ),
    Scenario("a coach deletes", "DELETE", "/tags/{tag}", as_="carl", status=204),
    Scenario(
        "a coach tags",
        "PUT",
        "/clients/{mia}/tags/{tag}",
        as_="carl",
        status=204,
        events=("client.updated",),
    ),
    Scenario(
        "taking off what is not on", "DELETE", "/clients/{mia}/tags/{tag}", as_="carl", status=204
    ),
)
async def test_tags(case: Scenario, practice: Practice) -> None:
    tag = await _tag(practice)
    await case.run(practice.app, practice.people, {**practice.ids, "tag": tag})


async def test_a_tag_finds_its_clients_until_it_is_gone(practice: Practice) -> None:
    carl, tag = practice.app.api.as_(practice.people["carl"]), await _tag(practice)
    mia = practice.ids["mia"]
    await carl.put(f"/clients/{mia}/tags/{tag}", status=204)
    found = (await carl.get("/clients", query={"tagId": tag}, status=200)).data["items"]
    assert [(client["id"], client["tags"][0]["name"]) for client in found] == [(mia, "Sleep")]
    await carl.delete(f"/tags/{tag}", status=204)
    assert (await carl.get(f"/clients/{mia}", status=200)).data["tags"] == []
    assert (await carl.get("/clients", query={"tagId": tag}, status=200)).data["items"] == []


async def test_one_name_typed_in_two_ways_is_one_tag(practice: Practice) -> None:
    carl = practice.app.api.as_(practice.people["carl"])
    for name, again in (("Caf\u00e9", "Cafe\u0301"), ("Gro\u00df", "GROSS")):
        await _tag(practice, name)
        await carl.post("/tags", {"name": again}, status=409)
    for name in ("Zimmer", "\u00c4rger"):
        await _tag(practice, name)
    listed = (await carl.get("/tags", status=200)).data["items"]
    assert [tag["name"] for tag in listed] == ["\u00c4rger", "Caf\u00e9", "Gro\u00df", "Zimmer"]


async def test_a_taken_name_cannot_be_taken_by_renaming(practice: Practice) -> None:
    carl = practice.app.api.as_(practice.people["carl"])
    await _tag(practice, "Sleep")
    other = await _tag(practice, "Run")
    problem = (await carl.patch(f"/tags/{other}", {"name": "SLEEP"}, status=409)).data
    assert problem["code"] == "tag_exists"


@pytest.mark.both_engines("what happens at once is the point")
async def test_who_renames_to_one_name_at_once_is_answered_like_who_comes_late(
    practice: Practice,
) -> None:
    carl = practice.app.api.as_(practice.people["carl"])
    tags = [await _tag(practice, str(number)) for number in range(6)]
    replies = await asyncio.gather(*(carl.patch(f"/tags/{tag}", {"name": "Run"}) for tag in tags))
    assert sorted(reply.status for reply in replies) == [200, 409, 409, 409, 409, 409]


@pytest.mark.both_engines("what happens at once is the point")
async def test_a_tag_that_is_just_being_deleted_is_not_put_on(practice: Practice) -> None:
    carl, mia = practice.app.api.as_(practice.people["carl"]), practice.ids["mia"]
    for number in range(10):
        tag = await _tag(practice, str(number))
        put = [carl.put(f"/clients/{mia}/tags/{tag}") for _ in range(3)]
        replies = await asyncio.gather(put[0], put[1], carl.delete(f"/tags/{tag}"), put[2])
        assert {reply.status for reply in replies} <= {204, 404}


async def test_pages_show_every_tag_once(practice: Practice) -> None:
    carl = practice.app.api.as_(practice.people["carl"])
    for name in "edcba":
        await _tag(practice, name)
    first = (await carl.get("/tags", query={"limit": 3}, status=200)).data
    rest = (await carl.get("/tags", query={"cursor": first["nextCursor"]}, status=200)).data
    assert [tag["name"] for tag in first["items"] + rest["items"]] == list("abcde")
    assert rest["nextCursor"] is None
