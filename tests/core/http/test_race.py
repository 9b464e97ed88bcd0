"""Of those who insist on one state one wins, whatever the engine; and the race finds who cheats.

The endpoints are calls of a service with a table of its own, so a POST with a key is tried too.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from aiohttp import web

from wellio import (
    Actor,
    Id,
    IfMatch,
    Line,
    Plugin,
    Row,
    Table,
    Tx,
    Wellio,
    Wire,
    call,
    hookimpl,
)
from wellio.testing import Api, StartApp, race

RACERS = 8


class Spoon(Wire):
    """A spoon."""

    id: Id
    name: Line


class NewSpoon(Wire):
    """What a spoon is called."""

    name: Line


SPOONS = Table("spoon", Spoon, order=("name",))


class SpoonService:
    """Keeps spoons, and changes them rightly and wrongly."""

    def __init__(self, app: Wellio) -> None:
        self._db = app.db
        self._all = asyncio.Barrier(RACERS)

    async def make(self, new: NewSpoon) -> Row:
        """Make a spoon."""
        return await self._db.write(SPOONS.insert, new.given(), now=1)

    async def read(self, spoon_id: str) -> Row:
        """Read a spoon."""
        return await SPOONS.read(self._db, spoon_id)

    async def rightly(self, spoon_id: str, change: NewSpoon, if_match: IfMatch) -> Row:
        """Rename a spoon."""
        written = await self._db.write(SPOONS.change, spoon_id, change.given(), if_match, now=2)
        return written.after

    async def unlocked(self, spoon_id: str, change: NewSpoon, if_match: IfMatch) -> Row:
        """Rename a spoon that others may change meanwhile."""

        async def body(tx: Tx) -> Row:
            before = await SPOONS.read(tx, spoon_id)
            if_match.check(tx, before)
            return (await SPOONS.change(tx, before, change.given(), now=2)).after

        return await self._db.write(body)

    async def before(self, spoon_id: str, change: NewSpoon, if_match: IfMatch) -> Row:
        """Rename a spoon that was looked at in another transaction."""

        async def look(tx: Tx) -> None:
            if_match.check(tx, await SPOONS.lock(tx, spoon_id))

        await self._db.write(look)
        await self._all.wait()
        written = await self._db.write(SPOONS.change, spoon_id, change.given(), now=2)
        return written.after


class SpoonPlugin:
    PLUGIN = Plugin("spoons", "1.0")

    def __init__(self, how: str) -> None:
        self._how = how

    @hookimpl
    async def lifespan(self, app: Wellio) -> AsyncIterator[None]:
        async def schema(tx: Tx) -> None:
            await tx.execute("CREATE TABLE spoon (id {text} PRIMARY KEY, name {text}) {strict}")

        await app.db.write(schema)
        yield

    @hookimpl
    def register_routes(self, app: Wellio) -> Sequence[object]:
        spoons = app.service(SpoonService)
        change, wire = getattr(spoons, self._how), SPOONS.wire
        return [
            call("POST", "/spoons", spoons.make, returns=Spoon, wire=wire, signed_in=True),
            call("GET", "/spoons/{id}", spoons.read, returns=Spoon, wire=wire, signed_in=True),
            call("PATCH", "/spoons/{id}", change, returns=Spoon, wire=wire, signed_in=True),
        ]

    @hookimpl
    def register_authenticators(self, app: Wellio) -> Sequence[object]:
        return [Anybody()]


class Anybody:
    async def from_request(self, request: web.Request) -> Actor | None:
        return await self.from_token("anybody")

    async def from_token(self, token: str) -> Actor | None:
        return Actor(token, "coach", None, frozenset())


async def start(wellio_app: StartApp, how: str) -> tuple[Api, str]:
    """Start an app with one spoon; return a client and where the spoon is."""
    app = await wellio_app(plugins=[SpoonPlugin(how)], workers=False)
    made = await app.api.post("/spoons", {"name": "Ida"}, status=201)
    return app.api, made.headers["Location"].removeprefix("/api/v1")


def names() -> list[dict[str, str]]:
    return [{"name": f"Spoon {n}"} for n in range(RACERS)]


async def test_one_wins(wellio_app: StartApp) -> None:
    api, path = await start(wellio_app, "rightly")
    for _ in range(2):
        first = (await api.get(path)).data["name"]
        replies = await race(api, path, [{"name": f"{first} {n}"} for n in range(RACERS)])
        assert sorted(reply.status for reply in replies) == [200] + [412] * (RACERS - 1)


async def test_who_locks_nothing_is_told(wellio_app: StartApp) -> None:
    """At the first request, whether it insists or not, and on SQLite too."""
    api, path = await start(wellio_app, "unlocked")
    before = await api.get(path)
    await api.patch(path, {"name": "Eva"}, status=500)
    await api.patch(path, {"name": "Eva"}, headers={"If-Match": before.headers["ETag"]}, status=500)
    assert (await api.get(path)).content == before.content


async def test_the_race_finds_who_looks_too_early(wellio_app: StartApp) -> None:
    api, path = await start(wellio_app, "before")
    with pytest.raises(AssertionError, match="of those who insist one wins"):
        await race(api, path, names())


async def test_a_call_with_a_key_has_its_effect_once(wellio_app: StartApp) -> None:
    api, _ = await start(wellio_app, "rightly")
    key = {"Idempotency-Key": "k"}
    first, again = [
        await api.post("/spoons", {"name": "Uma"}, headers=key, status=201) for _ in range(2)
    ]
    assert (again.content, again.headers["Location"]) == (first.content, first.headers["Location"])
    assert again.headers["Idempotent-Replayed"] == "true"
    assert first.headers["Location"] == f"/api/v1/spoons/{first.data['id']}"
