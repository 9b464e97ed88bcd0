"""A client's timeline: what all plugins know, newest first, in pages that lose nothing."""

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import pytest
import wellio_auth
import wellio_practice
from wellio_practice import TimelineEntry, TimelineSource
from wellio_practice.timeline import store

from wellio import ManualClock, Plugin, Wellio, hookimpl, new_id
from wellio.testing import MakeUser, StartApp
from wellio.testing.client import Api
from wellio.testing.engines import explain

pytestmark = pytest.mark.sqlite("tests/contract calls every endpoint on both")

AT = 1_780_000_000_000


class Walks:
    """What a stranger's plugin knows: a walk at each of some instants, several at one."""

    kind = "walk.taken"

    def __init__(self, *instants: int) -> None:
        self.walks = [TimelineEntry(new_id(), at, self.kind) for at in instants]

    async def entries(
        self, client_id: str, before: tuple[int, str], limit: int
    ) -> Sequence[TimelineEntry]:
        below = [it for it in self.walks if (it.at, it.id) < before]
        return sorted(below, key=lambda it: (it.at, it.id), reverse=True)[:limit]


def stranger(source: TimelineSource) -> object:
    @hookimpl
    def register_timeline(app: Wellio) -> Sequence[TimelineSource]:
        return [source]

    module = ModuleType("wellio_plugin_walks")
    plugin = Plugin(name="walks", version="1", requires=("practice",))
    vars(module).update(PLUGIN=plugin, register_timeline=register_timeline)
    return module


async def walked(api: Api, path: str, **query: Any) -> list[dict[str, Any]]:
    """Return all items, read in pages of one."""
    items: list[dict[str, Any]] = []
    cursor = None
    while True:
        given = {**query, "limit": "1", **({"cursor": cursor} if cursor else {})}
        text = "&".join(f"{name}={value}" for name, value in given.items())
        page = (await api.get(f"{path}?{text}", status=200)).data
        items += page["items"]
        cursor = page["nextCursor"]
        if cursor is None:
            return items


async def test_it_joins_what_all_plugins_know(wellio_app: StartApp, make_user: MakeUser) -> None:
    # Two walks at the very instant at which the record is made and the coach assigned.
    source, clock = Walks(AT, AT, AT + 5_000, AT - 9_000), ManualClock(AT)
    app = await wellio_app(plugins=[wellio_auth, wellio_practice, stranger(source)], clock=clock)
    owner, carl = await make_user("owner"), await make_user("coach")
    api = app.api.as_(owner)
    client = (await api.post("/clients", {"name": "Nia"}, status=201)).data["id"]
    await api.put(f"/clients/{client}/coaches/{carl.id}", status=204)
    clock.advance(8)
    await api.delete(f"/clients/{client}/coaches/{carl.id}", status=204)
    path = f"/clients/{client}/timeline"

    whole = (await api.get(path, status=200)).data["items"]

    assert [item["kind"] for item in whole] == [
        "walk.taken",
        "client.unassigned",
        *("walk.taken", "walk.taken", "client.assigned", "client.created"),
        "walk.taken",
    ]
    assert await walked(api, path) == whole
    assert (whole[1]["actorId"], whole[1]["refId"]) == (owner.id, carl.id)
    assert (whole[4]["id"], whole[4]["refId"]) == (whole[1]["id"], carl.id)
    walks = await walked(api, path, kind="walk.taken")
    assert {walk["id"] for walk in walks} == {walk.id for walk in source.walks}


async def test_who_becomes_primary_was_there_all_the_time(
    wellio_app: StartApp, make_user: MakeUser
) -> None:
    clock = ManualClock(AT)
    app = await wellio_app(clock=clock)
    owner, carl, dana = [await make_user(role) for role in ("owner", "coach", "coach")]
    api = app.api.as_(owner)
    client = (await api.post("/clients", {"name": "Nia"}, status=201)).data["id"]
    for coach in (carl, dana):
        clock.advance(5)
        await api.put(f"/clients/{client}/coaches/{coach.id}", status=204)
    clock.advance(5)
    await api.delete(f"/clients/{client}/coaches/{carl.id}", status=204)

    items = (await api.get(f"/clients/{client}/timeline", status=200)).data["items"]

    assert [(item["kind"], item["refId"]) for item in items] == [
        ("client.unassigned", carl.id),
        ("client.assigned", dana.id),
        ("client.assigned", carl.id),
        ("client.created", None),
    ]


async def test_bad_input_is_named(wellio_app: StartApp, make_user: MakeUser) -> None:
    app = await wellio_app()
    api = app.api.as_(await make_user("owner"))
    client = (await api.post("/clients", {"name": "Nia"}, status=201)).data["id"]
    for query, field in (("kind=Walk", "/kind"), ("cursor=x", "/cursor"), ("limit=0", "/limit")):
        problem = await api.get(f"/clients/{client}/timeline?{query}", status=422)
        assert [error["pointer"] for error in problem.data["errors"]] == [field]


async def test_its_queries_use_indexes(wellio_app: StartApp, subtests: pytest.Subtests) -> None:
    db = (await wellio_app()).app.db
    texts = {name: text for name, text in vars(store).items() if name.isupper()}
    assert len(texts) == 3
    for name, sql in texts.items():
        with subtests.test(name):
            plan = await explain(db, sql, client_id="a", at=1, id="a", limit=1)
            assert "SCAN practice_" not in plan, plan
            assert "Seq Scan" not in plan, plan
