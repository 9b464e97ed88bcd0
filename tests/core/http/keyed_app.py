"""A plugin whose POSTs do everything that matters to an `Idempotency-Key`; and a way to die of it.

`python -m tests.core.http.keyed_app URL FOLDER HOW` starts the plugin on a database, sends a POST
with a key, and is killed on the way: see `Deaths`.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from wellio import (
    ACTOR,
    Actor,
    BadRequest,
    Conflict,
    Forbidden,
    Gone,
    ManualClock,
    NotFound,
    Plugin,
    Reply,
    TooManyRequests,
    Tx,
    Unauthorized,
    Unavailable,
    Wellio,
    Wire,
    created,
    endpoint,
    hookimpl,
    invalid,
    new_id,
    preparing,
)
from wellio.testing import TestApp

START = 1_780_000_000_000


class ThingExists(Conflict):
    """409: the thing is there already."""

    default_code = "thing_exists"


REFUSALS: dict[str, Callable[[], Exception]] = {
    "invalid": lambda: invalid("/name", "taken", "is taken"),
    "missing": NotFound,
    "gone": Gone,
    "conflict": ThingExists,
    "forbidden": Forbidden,
    "passing": lambda: Conflict(retry_after_s=3),
    "flood": TooManyRequests,
    "signed_out": Unauthorized,
    "away": Unavailable,
    "bug": lambda: LookupError("a bug"),
    "web": web.HTTPBadGateway,
}


@dataclass(frozen=True)
class Person:
    """Somebody whose token is their name."""

    token: str


class Thing(Wire):
    """What is made."""

    name: str


class Made(Thing):
    """What was made, and by the how manieth run of its handler."""

    id: str
    run: int


_ERRORS = (Gone, NotFound, TooManyRequests, Conflict, ThingExists)


class Tokens:
    async def from_request(self, request: web.Request) -> Actor | None:
        header = request.headers.get("Authorization")
        return await self.from_token(header.removeprefix("Bearer ")) if header else None

    async def from_token(self, token: str) -> Actor | None:
        return Actor(token, "coach", None, frozenset())


def _made(thing: dict[str, Any]) -> Reply:
    return created(thing, f"/api/v1/things/{thing['id']}")


class Deaths:
    """Where a process may die, by the name of the thing that it makes then."""

    IN_BODY, COMMITTED, WRITTEN = "in the body", "committed", "written"


class ThingApi:
    """Makes things in every way.

    Attributes:
        runs: How often a handler ran.
        is_mortal: Whether the process dies of the names in `Deaths`.
        gate: What `/things/slow` waits for, once it said so by `at_gate`.
    """

    def __init__(self, app: Wellio) -> None:
        self.db = app.db
        self.runs = 0
        self.is_mortal = False
        self.gate, self.at_gate = asyncio.Event(), asyncio.Event()

    def die_of(self, name: str, death: str) -> None:
        if self.is_mortal and name == death:
            os.kill(os.getpid(), signal.SIGKILL)

    async def insert(self, tx: Tx, name: str) -> dict[str, Any]:
        thing = {"id": new_id(), "name": name, "run": self.runs}
        await tx.execute(
            "INSERT INTO thing (id, name) VALUES (:id, :name)", id=thing["id"], name=name
        )
        self.die_of(name, Deaths.IN_BODY)
        tx.after_commit(self.die_of, name, Deaths.COMMITTED)
        return thing

    async def insert_all(self, tx: Tx, names: Sequence[str]) -> list[dict[str, Any] | Exception]:
        made = [await self.insert(tx, name) for name in names]
        return [REFUSALS[it["name"]]() if it["name"] in REFUSALS else it for it in made]

    @endpoint(
        "POST",
        "/things",
        body=Thing,
        returns=Made,
        status=201,
        reply=_made,
        errors=_ERRORS,
        signed_in=True,
    )
    async def make(self, request: web.Request, body: Thing) -> dict[str, Any]:
        """Make a thing."""
        self.runs += 1
        if body.name in REFUSALS:
            error = REFUSALS[body.name]()
            raise error
        thing = await self.db.write(self.insert, body.name)
        self.die_of(body.name, Deaths.WRITTEN)
        return thing

    @endpoint(
        "POST",
        "/things/batched",
        body=Thing,
        returns=Made,
        status=201,
        reply=_made,
        errors=(Gone,),
        signed_in=True,
    )
    async def make_batched(self, request: web.Request, body: Thing) -> dict[str, Any]:
        """Make a thing together with others."""
        self.runs += 1
        return await self.db.write_batched(self.insert_all, body.name)

    @endpoint(
        "POST", "/things/slow", body=Thing, returns=Made, status=201, reply=_made, signed_in=True
    )
    async def make_slowly(self, request: web.Request, body: Thing) -> dict[str, Any]:
        """Make a thing when the gate opens."""
        self.runs += 1
        self.at_gate.set()
        await self.gate.wait()
        return await self.db.write(self.insert, body.name)

    @endpoint("POST", "/things/none", status=204, signed_in=True)
    async def make_none(self, request: web.Request) -> None:
        """Write nothing."""
        self.runs += 1

    @endpoint("POST", "/things/quiet", body=Thing, status=204, signed_in=True)
    async def make_quietly(self, request: web.Request, body: Thing) -> None:
        """Make a thing and say nothing."""
        self.runs += 1
        await self.db.write(self.insert, body.name)

    @endpoint(
        "POST", "/things/twice", body=Thing, returns=Made, status=201, reply=_made, signed_in=True
    )
    async def make_twice(self, request: web.Request, body: Thing) -> dict[str, Any]:
        """Write twice, which a key forbids."""
        self.runs += 1
        await self.db.write(self.insert, f"first {body.name}")
        return await self.db.write(self.insert, body.name)

    @endpoint(
        "POST",
        "/things/prepared",
        body=Thing,
        returns=Made,
        status=201,
        reply=_made,
        signed_in=True,
    )
    async def make_prepared(self, request: web.Request, body: Thing) -> dict[str, Any]:
        """Write something before the effect."""
        self.runs += 1
        with preparing():
            await self.db.write(self.insert, f"first {body.name}")
            await self.db.write_batched(self.insert_all, f"second {body.name}")
        return await self.db.write(self.insert, body.name)

    @endpoint(
        "POST", "/things/again", body=Thing, returns=Made, status=201, reply=_made, signed_in=True
    )
    async def make_again(self, request: web.Request, body: Thing) -> dict[str, Any]:
        """Write once more when a write raised."""
        self.runs += 1
        try:
            await self.db.write(self.refuse, body.name)
        except Conflict:
            return await self.db.write(self.insert, body.name)
        raise AssertionError

    async def refuse(self, tx: Tx, name: str) -> None:
        await self.insert(tx, f"undone {name}")
        raise Conflict

    @endpoint(
        "POST", "/things/aside", body=Thing, returns=Made, status=201, reply=_made, signed_in=True
    )
    async def make_aside(self, request: web.Request, body: Thing) -> dict[str, Any]:
        """Start a task that writes too."""
        self.runs += 1
        await asyncio.create_task(self.db.write(self.insert, f"aside {body.name}"))
        return await self.db.write(self.insert, body.name)

    @endpoint("POST", "/things/liar", body=Thing, returns=Made, status=201, signed_in=True)
    async def make_other(self, request: web.Request, body: Thing) -> Reply:
        """Answer otherwise than the write."""
        return _made(await self.db.write(self.insert, body.name))

    @endpoint(
        "POST", "/things/late", body=Thing, returns=Made, status=201, reply=_made, signed_in=True
    )
    async def fail_late(self, request: web.Request, body: Thing) -> dict[str, Any]:
        """Fail when the effect is there."""
        self.runs += 1
        await self.db.write(self.insert, body.name)
        raise BadRequest

    @endpoint(
        *("POST", "/things/secret"),
        body=Thing,
        returns=Made,
        status=201,
        reply=_made,
        secret=True,
        signed_in=True,
    )
    async def make_secret(self, request: web.Request, body: Thing) -> dict[str, Any]:
        """Answer with a secret."""
        self.runs += 1
        return await self.db.write(self.insert, body.name)

    @endpoint(
        "POST", "/things/public", body=Thing, returns=Made, status=201, reply=_made, public=True
    )
    async def make_public(self, request: web.Request, body: Thing) -> dict[str, Any]:
        """Answer anybody."""
        self.runs += 1
        return await self.db.write(self.insert, body.name)

    @endpoint("GET", "/things", returns=dict[str, Any], signed_in=True)
    async def list(self, request: web.Request) -> dict[str, Any]:
        """List the things' names."""
        self.runs += 1
        rows = await self.db.fetch_all("SELECT name FROM thing ORDER BY id")
        return {"names": [row["name"] for row in rows], "to": request[ACTOR].user_id}


class ThingPlugin:
    PLUGIN = Plugin("things", "1.0")

    def __init__(self, *, is_mortal: bool = False) -> None:
        self.is_mortal = is_mortal

    @hookimpl
    async def lifespan(self, app: Wellio) -> AsyncIterator[None]:
        async def schema(tx: Tx) -> None:
            await tx.execute("CREATE TABLE IF NOT EXISTS thing (id TEXT PRIMARY KEY, name TEXT)")

        await app.db.write(schema)
        yield

    @hookimpl
    def register_routes(self, app: Wellio) -> Sequence[object]:
        api = app.service(ThingApi)
        api.is_mortal = self.is_mortal
        return [api]

    @hookimpl
    def register_authenticators(self, app: Wellio) -> Sequence[object]:
        return [Tokens()]


async def main(url: str, folder: str, how: str) -> None:
    """Die of a POST."""
    place = {"database.url": url, "data_dir": folder}
    app = TestApp(place, [ThingPlugin(is_mortal=True)], ManualClock(START))
    await app.start()
    api = app.api.as_(Person("ann"))
    await api.post("/things", {"name": how}, headers={"Idempotency-Key": "k"})


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
