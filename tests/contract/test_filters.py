"""Lists are no oracles: what somebody is not shown neither filters, nor orders, nor tags for them.

Lists and their parameters come from the router: one that is in no table here fails.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.contract.rules import RULES
from wellio import ManualClock
from wellio.testing import Reply, World
from wellio.testing.world import KEYS

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.sqlite("what may be asked is decided before the SQL, which both engines have"),
]

CLIENTS, TIMELINE = "/api/v1/clients", "/api/v1/clients/{id}/timeline"
MESSAGES, EVENTS = "/api/v1/conversations/{id}/messages", "/api/v1/conversations/{id}/events"
#: Of every list, by parameter: the member that it goes by, a value that fits something of Carl's
#: half, and one that fits nothing.
FILTERS: Mapping[str, Mapping[str, tuple[str, str, str]]] = {
    CLIENTS: {
        "q": ("name", "mia", "zzz"),
        "tagId": ("tags", "{tag}", "{nowhere}"),
        "coachId": ("coaches", "{coach}", "{nowhere}"),
        "lifecycle": ("lifecycle", "at_risk", "churned"),
    },
    "/api/v1/users": {
        "role": ("role", "assistant", "client"),
        "status": ("status", "active", "disabled"),
    },
    TIMELINE: {"kind": ("kind", "client.assigned", "client.nothing")},
    MESSAGES: {"afterSeq": ("seq", "0", "1000000")},
    EVENTS: {"after": ("eventSeq", "0", "1")},
}
#: The member by which every list is ordered, and whether the greatest comes first.
ORDERS: Mapping[str, tuple[str, bool]] = {
    CLIENTS: ("name", False),
    "/api/v1/users": ("name", False),
    "/api/v1/tags": ("name", False),
    "/api/v1/invitations": ("id", True),
    "/api/v1/api-keys": ("id", True),
    "/api/v1/auth/sessions": ("lastSeenAt", True),
    "/api/v1/conversations": ("activeAt", True),
    TIMELINE: ("at", True),
    MESSAGES: ("seq", True),
    EVENTS: ("eventSeq", False),
}
PAGING = {"limit", "cursor"}


def parameters(world: World) -> dict[str, set[str]]:
    """Return every list and what it may be asked by, beside which page."""
    found = {}
    for path, operations in world.app.openapi["paths"].items():
        operation = operations.get("get", {})
        named = {it["name"] for it in operation.get("parameters", ()) if it.get("in") == "query"}
        (media,) = operation.get("responses", {}).get("200", {}).get("content", {"": {}}).values()
        if "Page" in str(media.get("schema", {}).get("$ref", "")) or named & PAGING:
            found[path] = named - PAGING
    return found


async def test_every_list_and_parameter_is_here(world: World) -> None:
    lists = parameters(world)
    assert lists.keys() == ORDERS.keys()
    assert {path: named for path, named in lists.items() if named} == {
        path: {*filters} for path, filters in FILTERS.items()
    }


async def ask(world: World, caller: str, path: str, **query: Any) -> Reply:
    rule = next(it for it in RULES if it.call == f"GET {path}" and it.yes)
    return await world.api(caller).get(await world.fill(rule.path, "carls"), query=query)


def said(reply: Reply) -> Any:
    """Return all that an answer tells, beside which request it was."""
    return reply.status, {**reply.data, "requestId": None}


async def test_a_list_goes_by_nothing_that_its_caller_is_not_shown(world: World) -> None:
    record = await world.fill("/clients/{client}", "carls")
    await world.api("carl").patch(record, {"lifecycle": "at_risk"}, status=200)
    await world.api("carl").request("PUT", await world.fill(f"{record}/tags/{{tag}}", "carls"))
    await world.fill("{message}", "carls")
    hidden = set()
    for path, filters in FILTERS.items():
        for caller in ("owner", "carl", "mia", *KEYS):
            everything = await ask(world, caller, path)
            if everything.status != 200:
                continue
            for name, (member, *values) in filters.items():
                fits, fits_not = [
                    await ask(world, caller, path, **{name: await world.fill(it, "carls")})
                    for it in values
                ]
                if all(member in item for item in everything.data["items"]):
                    assert fits.status == fits_not.status == 200, (caller, path, name)
                    assert len(fits.data["items"]) > 0, (caller, path, name)
                    assert fits.data["items"] != fits_not.data["items"], (caller, path, name)
                else:
                    hidden.add((caller, name))
                    assert said(fits) == said(fits_not), (caller, path, name)
    assert hidden == {("mia", "tagId"), ("mia", "lifecycle")}


async def test_a_list_is_ordered_by_what_it_shows(world: World) -> None:
    for path, (member, is_descending) in ORDERS.items():
        for caller in ("owner", "carl", "mia"):
            reply = await ask(world, caller, path)
            if reply.status != 200:
                assert reply.status in {403, 404}, (caller, path)
                continue
            keys = [item[member] for item in reply.data["items"]]
            folded = [key.casefold() if isinstance(key, str) else key for key in keys]
            orders = [sorted(it, reverse=is_descending) == it for it in (keys, folded)]
            assert any(orders), (caller, path)


async def test_what_is_hidden_from_somebody_changes_nothing_that_they_see(world: World) -> None:
    """What staff keep of a client: neither an answer nor its tag moves with it."""
    record = await world.fill("/clients/{client}", "carls")
    tag = await world.fill(f"{record}/tags/{{tag}}", "carls")
    staff, mia, clock = world.api("carl"), world.api("mia"), world.app.app.clock
    assert isinstance(clock, ManualClock)
    before, listed = await mia.get(record, status=200), await mia.get("/clients", status=200)
    for change in ({"lifecycle": "dormant"}, {"source": "a friend"}, {"metadata": {"n": 1}}):
        clock.advance(1)
        seen = (await staff.get(record)).headers["ETag"]
        await staff.patch(record, change, headers={"If-Match": seen}, status=200)
    await staff.request("DELETE", tag, status=204)
    await mia.get(record, headers={"If-None-Match": before.headers["ETag"]}, status=304)
    assert (await mia.get("/clients")).content == listed.content
    await staff.patch(record, {"phone": "+49 30 1"}, status=200)
    await mia.get(record, headers={"If-None-Match": before.headers["ETag"]}, status=200)
