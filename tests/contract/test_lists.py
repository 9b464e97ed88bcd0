"""Every list gives all of it, once, one item at a time: cursors are taken back wherever they end.

Where pages are cut between rows that their order does not tell apart, and whatever a name is.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wellio import sort_key
from wellio.testing import Api, World
from wellio.testing.users import sign_in_cheaply

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: Three names that one sort key has.
EQUAL = ("Same", "S\u00e1me", "\uff33\u00c0ME")
#: Names of 200 characters that are long as bytes, as JSON, or as sort keys.
LONG = tuple(
    char * 200 for char in ("\U0001f600", "\u8336", '"', "\\", "\u00df", "\ufdfa", "\U0001d160")
)


class Lists:
    """Makes several rows of each list that its order does not tell apart, all in one instant."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.carl, self.owner = world.api("carl"), world.api("owner")

    async def _made(self, api: Api, path: str, *bodies: Any) -> list[str]:
        return [str((await api.post(path, body, status=201)).data["id"]) for body in bodies]

    async def clients(self) -> tuple[Api, str]:
        await self._made(self.carl, "/clients", *({"name": it} for it in (*EQUAL, *EQUAL, *LONG)))
        return self.carl, "/clients"

    async def tags(self) -> tuple[Api, str]:
        names = (*EQUAL, *(it[:60] for it in LONG))
        await self._made(self.carl, "/tags", *({"name": it} for it in names))
        return self.carl, "/tags"

    async def users(self) -> tuple[Api, str]:
        for name, user in zip((*EQUAL, LONG[0]), ("carl", "dana", "mia", "noah"), strict=True):
            path = f"/users/{self._world.ids[user]}"
            await self.owner.patch(path, {"name": name}, status=200)
        return self.owner, "/users"

    async def invitations(self) -> tuple[Api, str]:
        bodies = ({"email": f"{n}@lists.example", "role": "client"} for n in range(3))
        await self._made(self.carl, "/invitations", *bodies)
        return self.carl, "/invitations"

    async def api_keys(self) -> tuple[Api, str]:
        body = {"note": "list", "scopes": ["clients.read"]}
        await self._made(self.carl, "/api-keys", *[body] * 3)
        return self.carl, "/api-keys"

    async def timeline(self) -> tuple[Api, str]:
        (record,) = await self._made(self.carl, "/clients", {"name": "Timeline"})
        coach = f"/clients/{record}/coaches/{self._world.ids['dana']}"
        for _ in range(2):
            await self.owner.put(coach, status=204)
            await self.owner.delete(coach, status=204)
        return self.owner, f"/clients/{record}/timeline"

    async def conversations(self) -> tuple[Api, str]:
        body = {"kind": "group", "memberIds": [self._world.ids["mia"]], "title": "Same"}
        await self._made(self.carl, "/conversations", *[body] * 3)
        return self.carl, "/conversations"

    async def messages(self) -> tuple[Api, str]:
        body = {"kind": "group", "memberIds": [self._world.ids["mia"]]}
        (group,) = await self._made(self.carl, "/conversations", body)
        path = f"/conversations/{group}/messages"
        await self._made(self.carl, path, *({"content": str(n)} for n in range(3)))
        return self.carl, path

    async def sessions(self) -> tuple[Api, str]:
        users = (await self.owner.get("/users", query={"limit": 100}, status=200)).data["items"]
        email = next(user["email"] for user in users if user["name"] == "Eve")
        begun = [await sign_in_cheaply(self._world.app, email) for _ in range(3)]
        return self._world.app.api.as_(begun[-1]), "/auth/sessions"

    async def events(self) -> tuple[Api, str]:
        api, path = await self.messages()
        return api, path.replace("messages", "events")


LISTS: Mapping[str, Callable[[Lists], Awaitable[tuple[Api, str]]]] = {
    "/api/v1/auth/sessions": Lists.sessions,
    "/api/v1/clients": Lists.clients,
    "/api/v1/tags": Lists.tags,
    "/api/v1/users": Lists.users,
    "/api/v1/invitations": Lists.invitations,
    "/api/v1/api-keys": Lists.api_keys,
    "/api/v1/clients/{id}/timeline": Lists.timeline,
    "/api/v1/conversations": Lists.conversations,
    "/api/v1/conversations/{id}/messages": Lists.messages,
    "/api/v1/conversations/{id}/events": Lists.events,
}


async def walk(api: Api, path: str, **query: Any) -> list[Any]:
    """Return a list as pages of one item make it up."""
    items, query = [], {**query, "limit": 1}
    while True:
        page = (await api.get(path, query=query, status=200)).data
        items += page["items"]
        assert len(page["items"]) <= 1
        assert len(items) <= 200, "it goes on for ever"
        if (cursor := page["nextCursor"]) is None:
            return items
        assert cursor != query.get("cursor")
        query["cursor"] = cursor


def paged(openapi: Any) -> set[str]:
    """Return the paths of all lists."""
    schemas = openapi["components"]["schemas"]
    return {
        path
        for path, methods in openapi["paths"].items()
        if "get" in methods and "nextCursor" in str(_answer(methods["get"], schemas))
    }


def _answer(operation: Any, schemas: Any) -> Any:
    schema = operation["responses"]["200"].get("content", {}).get("application/json", {})
    name = schema.get("schema", {}).get("$ref", "").rpartition("/")[2]
    return schemas.get(name, schema).get("properties", {})


async def test_every_list_is_walked(world: World) -> None:
    assert paged(world.app.openapi) == LISTS.keys()


async def test_pages_of_one_show_all_that_is_there_once(world: World) -> None:
    lists = Lists(world)
    for path, make in LISTS.items():
        api, where = await make(lists)
        whole = (await api.get(where, query={"limit": 100}, status=200)).data
        assert whole["nextCursor"] is None
        assert len(whole["items"]) >= 3, path
        assert await walk(api, where) == whole["items"], path


NAMES = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=190)


@pytest.mark.sqlite("a cursor is a text of ours, and both engines compare bytes")
async def test_a_list_of_any_names_is_walked(world: World) -> None:
    carl, loop, numbers = world.api("carl"), asyncio.get_running_loop(), iter(range(1000))

    async def check(names: list[str]) -> None:
        prefix = f"any {next(numbers)} x"
        made = {
            (await carl.post("/clients", {"name": prefix + name}, status=201)).data["id"]
            for name in names
        }
        items = await walk(carl, "/clients", q=prefix)
        assert len(items) == len(made) == len(names)
        assert {it["id"] for it in items} == made
        keys = [sort_key(it["name"]).encode() for it in items]
        assert keys == sorted(keys)

    @given(st.lists(NAMES, min_size=2, max_size=3))
    @settings(
        max_examples=12, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    def any_names(names: list[str]) -> None:
        asyncio.run_coroutine_threadsafe(check(names), loop).result(30)

    await asyncio.to_thread(any_names)
