"""Every object that can be read says which state it is in, and no PATCH overwrites another unseen.

Endpoints come from the router: a PATCH that is not in `CHANGES` fails here.
"""

from collections.abc import Iterator, Mapping

import pytest

from tests.contract.rules import RULES
from wellio.testing import Reply, Rule, World, race

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: The field that each PATCH can change at will, and by whom.
CHANGES: Mapping[str, tuple[str, str]] = {
    "PATCH /api/v1/me": ("carl", "name"),
    "PATCH /api/v1/users/{id}": ("owner", "name"),
    "PATCH /api/v1/practice": ("owner", "name"),
    "PATCH /api/v1/tags/{id}": ("carl", "name"),
    "PATCH /api/v1/clients/{id}": ("carl", "source"),
    "PATCH /api/v1/messages/{id}": ("carl", "content"),
}
RACERS = 8
ROUNDS = 3
PATHS = {rule.call: rule for rule in reversed(RULES) if rule.yes}


def readable(world: World) -> Iterator[Rule]:
    """Find every endpoint that answers with one object: what has an address of its own."""
    for path, operations in world.app.openapi["paths"].items():
        operation = operations.get("get", {})
        is_one = path.endswith("}") or "patch" in operations
        if operation and operation.get("security") != [] and is_one:
            yield PATHS[f"GET {path}"]


async def patch(world: World, call: str, if_match: str | None) -> Reply:
    """Change something to what it never was."""
    caller, field = CHANGES[call]
    path = await world.fill(PATHS[call].path, "carls")
    body = {field: await world.fill("chat-of-carls {new}", "carls")}
    headers = {} if if_match is None else {"If-Match": if_match}
    return await world.api(caller).patch(path, body, headers=headers)


async def read(world: World, call: str) -> Reply:
    """Read what a PATCH changes, as who changes it."""
    path = await world.fill(PATHS[call].path, "carls")
    return await world.api(CHANGES[call][0]).get(path, status=200)


async def test_every_patch_is_here(world: World) -> None:
    paths = world.app.openapi["paths"]
    assert {f"PATCH {path}" for path, methods in paths.items() if "patch" in methods} == set(
        CHANGES
    )


async def test_every_object_has_a_tag_and_answers_304(world: World) -> None:
    rules = list(readable(world))
    assert {"GET /api/v1/me", "GET /api/v1/conversations/{id}"} <= {rule.call for rule in rules}
    for rule in rules:
        caller = rule.yes.split()[0]
        path = await world.fill(rule.path, "carls")
        first = await world.api(caller).get(path, status=200)
        known = {"If-None-Match": first.headers["ETag"]}
        again = await world.api(caller).get(path, headers=known, status=304)
        assert again.content == b"", rule.call
        assert again.headers["ETag"] == first.headers["ETag"], rule.call
        await world.api("nobody").get(path, headers=known, status=401)


async def test_two_who_see_different_things_have_different_tags(world: World) -> None:
    path = await world.fill("/clients/{client}", "carls")
    tags = {name: (await world.api(name).get(path)).headers["ETag"] for name in ("carl", "mia")}
    assert len(set(tags.values())) == 2


@pytest.mark.parametrize("call", CHANGES)
async def test_a_patch_of_what_has_changed_since_is_refused(world: World, call: str) -> None:
    stale = (await read(world, call)).headers["ETag"]
    changed = await patch(world, call, stale)
    assert changed.status == 200, changed.content
    now = await read(world, call)
    assert changed.headers["ETag"] == now.headers["ETag"] != stale
    world.app.bus.clear()
    refused = [await patch(world, call, it) for it in (stale, f"W/{now.headers['ETag']}", '"x"')]
    assert {(reply.status, reply.code) for reply in refused} == {(412, "precondition_failed")}
    assert world.app.bus.names == []
    assert (await read(world, call)).content == now.content
    assert (await patch(world, call, f'"x", {now.headers["ETag"]}')).status == 200
    assert (await patch(world, call, "*")).status == 200
    assert (await patch(world, call, None)).status == 200


@pytest.mark.parametrize("call", CHANGES)
async def test_of_those_who_insist_on_one_state_one_wins(world: World, call: str) -> None:
    """Without the check in the transaction several would, and all but the last be lost."""
    caller, field = CHANGES[call]
    path = await world.fill(PATHS[call].path, "carls")
    for _ in range(ROUNDS):
        texts = [await world.fill("chat-of-carls {new}", "carls") for _ in range(RACERS)]
        await race(world.api(caller), path, [{field: text} for text in texts])


async def test_who_may_not_change_it_learns_nothing(world: World) -> None:
    """What is refused to somebody is refused before anything is compared."""
    path = await world.fill("/clients/{client}", "carls")
    for caller, status in (("dana", 404), ("mia", 403), ("nobody", 401)):
        for tag in ("*", '"x"', "garbage"):
            await world.api(caller).patch(path, {}, headers={"If-Match": tag}, status=status)
