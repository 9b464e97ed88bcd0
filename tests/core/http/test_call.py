"""Endpoints over service methods: what fills their arguments, what they answer, what is refused."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from aiohttp import web
from pydantic import Field

from tests.core.http.small_app import COACH, ID, VISIBLE, Answer, SmallApp, logged, running
from wellio import (
    Actor,
    Id,
    IfMatch,
    Page,
    PageQuery,
    PluginError,
    Reply,
    Wire,
    call,
    created,
)
from wellio.db.postgres_tx import PostgresTx
from wellio.db.table import Slice
from wellio.http.endpoint import Call

if TYPE_CHECKING:
    from wellio.db.table import Change  # what is not there at run time

LOCKED = PostgresTx(None)
LOCKED.has_locked = True


class Cup(Wire):
    """A cup."""

    id: Id
    colour: str


class Colour(Wire):
    """A colour."""

    colour: str


class Named(Wire):
    """A name."""

    name: str


class Wanted(Wire):
    """Which cups."""

    colour: str = "any"


@dataclass(frozen=True)
class Row:
    """A row or a view of one: no JSON."""

    id: str
    colour: str


def wire(row: Row) -> dict[str, Any]:
    return {"id": row.id, "colour": row.colour}


class CupService:
    """Keeps one cup, and what it was given."""

    def __init__(self) -> None:
        self.cup = Row(ID, "red")
        self.got: Any = None

    def kept(self, *got: Any) -> Row:
        self.got = got
        return self.cup

    async def read(self, cup_id: str) -> Row:
        """Read a cup.

        A cup has a colour.

        Raises:
            NotFound: A sentence for those who read Python.
        """
        return self.kept(cup_id)

    async def search(self, actor: Actor, query: Wanted) -> Slice[Row]:
        """Find cups."""
        self.kept(actor, query)
        return Slice([self.cup, self.cup], "next")

    async def list(self, query: "PageQuery") -> "Slice[Row]":
        """List cups."""
        self.kept(query.limit)
        return Slice([], None)

    async def make(self, new: "Colour", actor: "Actor") -> "Row":
        """Make a cup."""
        return self.kept(actor, new.colour)

    async def fill(self, cup_id: Id, request: web.Request, spoon_id: Annotated[str, "so"]) -> Row:
        """Fill a cup."""
        return self.kept(cup_id, spoon_id, request.method)

    async def change(
        self, cup_id: str, change: Colour | None, if_match: IfMatch, *, note: int = 7
    ) -> Row:
        """Paint a cup."""
        if_match.check(LOCKED, self.cup)
        assert change is not None
        self.cup = Row(cup_id, change.colour)
        return self.kept(note)

    async def forget(self, cup_id: str, change: Colour, if_match: IfMatch) -> Row:
        """Paint a cup, whatever was insisted on."""
        return self.kept()

    async def delete(self, cup_id: str) -> Row:
        """Delete a cup."""
        return self.kept(cup_id)

    async def wash(self, actor: Actor, cup_id: str, hot: bool) -> None:
        """Wash a cup."""
        self.kept(cup_id, hot)

    async def mix(self, colours: "dict[str, int]") -> Row:
        """Mix a colour."""
        return self.kept(colours)

    async def anybody(self, actor: Actor | None = None) -> Row:
        """Answer anybody."""
        return self.kept(actor)


async def paint(actor: Actor, cup_id: str) -> Row:
    """Paint what is no service's."""
    return Row(cup_id, "blue")


def _opened(row: Row) -> Reply:
    return created(wire(row), "/here") if row.colour == "red" else Reply(wire(row), 200)


def calls(cups: CupService) -> list[Call]:
    return [
        call("GET", "/cups/{id}", cups.read, returns=Cup, wire=wire, permission="things.read"),
        call("GET", "/found", cups.search, returns=Page[Cup], wire=wire, signed_in=True),
        call(
            "GET", "/cups", cups.list, returns=Page[Cup], wire=wire, tags=("china",), signed_in=True
        ),
        call("POST", "/cups", cups.make, returns=Cup, wire=wire, signed_in=True),
        call(
            "POST", "/cups/{id}/from/{spoon_id}", cups.fill, returns=Cup, wire=wire, signed_in=True
        ),
        call(
            "PATCH",
            "/cups/{id}",
            cups.change,
            returns=Cup,
            wire=wire,
            scope="things.write",
            signed_in=True,
        ),
        call("PATCH", "/cups/{id}/forget", cups.forget, returns=Cup, wire=wire, signed_in=True),
        call("DELETE", "/cups/{id}", cups.delete, object=("thing", "id"), action="delete"),
        call("PUT", "/cups/{id}/hot", partial(cups.wash, hot=True), signed_in=True),
        call(
            "POST",
            "/mixed",
            cups.mix,
            body=dict[str, int],
            returns=Cup,
            wire=wire,
            status=200,
            signed_in=True,
        ),
        call("GET", "/anybody", cups.anybody, returns=Cup, wire=wire, public=True),
        call(
            "POST",
            "/painted/{id}",
            paint,
            returns=Cup,
            wire=wire,
            location="/cups/{id}",
            signed_in=True,
        ),
    ]


async def send(app: SmallApp, method: str, path: str, json: bytes | None = None) -> Answer:
    return await app.request(method, f"/api/v1{path}", json)


BLUE = b'{"colour": "blue"}'
PLACE = f"/cups/{ID}"
RED = {"id": ID, "colour": "red"}


@pytest.mark.parametrize(
    "method, path, body, got, status, answer, location",
    [
        ("GET", PLACE, None, (ID,), 200, RED, None),
        (
            "GET",
            "/found?colour=red",
            None,
            (COACH, Wanted(colour="red")),
            200,
            {"items": [RED, RED], "nextCursor": "next"},
            None,
        ),
        ("GET", "/cups?limit=3", None, (3,), 200, {"items": [], "nextCursor": None}, None),
        ("POST", "/cups", BLUE, (COACH, "blue"), 201, RED, f"/api/v1/cups/{ID}"),
        (
            "POST",
            f"{PLACE}/from/{VISIBLE}",
            None,
            (ID, VISIBLE, "POST"),
            201,
            RED,
            f"/api/v1{PLACE}/from/{VISIBLE}/{ID}",
        ),
        ("PATCH", PLACE, BLUE, (7,), 200, {"id": ID, "colour": "blue"}, None),
        ("DELETE", PLACE, None, (ID,), 204, None, None),
        ("PUT", f"{PLACE}/hot", None, (ID, True), 204, None, None),
        ("POST", "/mixed", b'{"red": 2}', ({"red": 2},), 200, RED, None),
        ("GET", "/anybody", None, (None,), 200, RED, None),
        ("POST", f"/painted/{ID}", None, None, 201, {"id": ID, "colour": "blue"}, PLACE),
    ],
)
async def test_a_method_gets_what_it_asks_for(
    method: str, path: str, body: bytes | None, got: Any, status: int, answer: Any, location: Any
) -> None:
    cups = CupService()
    async with running(*calls(cups)) as app:
        reply = await send(app, method, path, body)
    assert reply.status == status
    assert cups.got == got
    assert reply.headers.get("Location") == location
    assert (reply.data if reply.content else None) == answer


async def test_what_is_declared_holds() -> None:
    """The permission, the policy and the models are kept before the method is called."""
    cups = CupService()
    async with running(*calls(cups)) as app:
        path = f"/api/v1{PLACE}"
        refused = [
            await app.request("GET", path, token="client"),
            await app.request("GET", path, token=None),
            await app.request("DELETE", f"/api/v1/cups/{VISIBLE}"),
            await app.request("POST", "/api/v1/cups", b'{"color": "blue"}'),
            await app.request("GET", "/api/v1/cups?limit=0"),
            await app.request("GET", "/api/v1/cups/7"),
        ]
    assert [reply.status for reply in refused] == [403, 401, 403, 422, 422, 404]
    assert cups.got is None


async def test_of_two_who_insist_on_one_state_one_wins() -> None:
    cups = CupService()
    async with running(*calls(cups)) as app:
        path = f"/api/v1{PLACE}"
        insist = {"If-Match": (await app.request("GET", path)).headers["ETag"]}
        sent = [
            app.request("PATCH", path, b'{"colour": "%d"}' % n, headers=insist) for n in range(8)
        ]
        replies = await asyncio.gather(*sent)
        read = await app.request("GET", path)
        with logged() as lines:
            forgot = await app.request("PATCH", f"{path}/forget", BLUE, headers=insist)
    assert sorted(reply.status for reply in replies) == [200] + [412] * 7
    [winner] = [reply for reply in replies if reply.status == 200]
    assert (winner.content, winner.headers["ETag"]) == (read.content, read.headers["ETag"])
    assert forgot.status == 500
    assert "CupService.forget" in lines.text
    assert "does not check the If-Match" in lines.text


async def test_it_is_documented_as_its_method_is() -> None:
    async with running(*calls(CupService())) as app:
        paths = app.http.openapi["paths"]
    read = paths["/api/v1/cups/{id}"]["get"]
    assert read["operationId"] == "getCup"
    assert (read["summary"], read["description"]) == ("Read a cup.", "A cup has a colour.")
    assert read["tags"] == ["tests"]
    assert paths["/api/v1/cups"]["get"]["tags"] == ["china"]
    assert paths["/api/v1/painted/{id}"]["post"]["operationId"] == "createPaintedOfId"
    assert paths["/api/v1/cups/{id}/hot"]["put"]["operationId"] == "putCupHot"
    assert {"200", "412"} <= paths["/api/v1/cups/{id}"]["patch"]["responses"].keys()
    assert set(paths["/api/v1/cups"]["post"]["responses"]) >= {"201", "422"}
    [limit, cursor] = paths["/api/v1/cups"]["get"]["parameters"]
    assert (limit["name"], cursor["name"]) == ("limit", "cursor")


class Wrong:
    """Methods that routes cannot call."""

    async def two(self, one: Colour, other: Named) -> None: ...

    async def one(self, one: Colour) -> None: ...

    async def bare(self, one: bytes, other: str) -> None: ...

    async def ids(self, first: str, second: str) -> None: ...

    async def actor(self, actor: Actor) -> None: ...

    async def insists(self, cup_id: str, if_match: IfMatch) -> Any: ...

    async def changes(self, cup_id: str) -> Any: ...

    async def rest(self, *ids: str) -> None: ...

    async def only(self, cup_id: str, /) -> None: ...

    async def later(self, change: "Change") -> None: ...

    async def rows(self) -> Any: ...

    async def nothing(self) -> None: ...

    def sync(self) -> None: ...


W = Wrong()
ANSWER: Any = {"returns": Cup, "wire": wire}


@pytest.mark.parametrize(
    "method, path, fn, options, why",
    [
        ("POST", "/x", W.two, {}, "Wrong.two): `one` and `other` may both be the body"),
        ("POST", "/x", W.two, {"body": Named}, "`one` is not the body that is declared"),
        ("POST", "/x", W.nothing, {"body": Named}, "nothing takes the body"),
        ("GET", "/x", W.nothing, {"query": PageQuery}, "nothing takes the query"),
        ("POST", "/x", W.one, {"body": Colour, "query": Colour}, "may be the query and the body"),
        ("PUT", "/x/{id}", W.bare, {}, "PUT /x/{id} (Wrong.bare): the route has nothing for `one`"),
        ("PUT", "/x/{id}", W.ids, {}, "the route has nothing for `second`"),
        ("PUT", "/x/{id}/{of_id}/{to_id}", W.ids, {}, "nothing takes `to_id` of its path"),
        ("PUT", "/x", W.actor, {"public": True}, "the route has nothing for `actor`"),
        ("PUT", "/x/{id}", W.insists, ANSWER, "the route has nothing for `if_match`"),
        ("PATCH", "/x/{id}", W.changes, ANSWER, "a PATCH takes an IfMatch"),
        ("PUT", "/x/{id}", W.rest, {}, "`ids` cannot be given by its name"),
        ("PUT", "/x/{id}", W.only, {}, "`cup_id` cannot be given by its name"),
        ("PUT", "/x", W.later, {}, "has an annotation that is nowhere: name 'Change'"),
        ("PUT", "/x", W.sync, {}, "is no coroutine function"),
        ("GET", "/x", W.rows, {}, "lacks `returns` or `wire`"),
        ("GET", "/x", W.rows, {"returns": Cup}, "lacks `returns` or `wire`"),
        ("GET", "/x", W.nothing, {"returns": Cup}, "declares an answer and gives none"),
        ("GET", "/x", W.nothing, {"status": 200}, "returns None, which is a 204"),
        ("GET", "/x", W.rows, {**ANSWER, "location": "/x"}, "a location goes with 201"),
        ("POST", "/x", W.rows, {"returns": Named, "wire": wire}, "needs a `location`"),
        ("POST", "/x", W.rows, {"reply": _opened, "location": "/x"}, "a location of its own"),
    ],
)
def test_what_cannot_hold_is_refused(
    method: str, path: str, fn: Callable[..., Awaitable[Any]], options: Any, why: str
) -> None:
    with pytest.raises(PluginError) as refused:
        call(method, path, fn, **options)
    assert str(refused.value).startswith(f"{method} {path} (Wrong.")
    assert why in str(refused.value)


async def test_an_answer_may_say_more() -> None:
    """A reply of its own, a location that a function makes, a body that is one of several."""
    cups = CupService()

    async def either(cup: Colour | Named) -> Row:
        """Make either."""
        return cups.kept(cup)

    body = Annotated[Colour | Named, Field(description="Either.")]
    several = [
        call(
            "POST",
            "/opened",
            cups.make,
            returns=Cup,
            reply=_opened,
            status=201,
            also=(200,),
            signed_in=True,
        ),
        call(
            "POST",
            "/made",
            cups.anybody,
            returns=Cup,
            wire=wire,
            location=lambda it: it.colour,
            signed_in=True,
        ),
        call("POST", "/either", either, body=body, returns=Cup, wire=wire, signed_in=True),
    ]
    async with running(*several) as app:
        first = await send(app, "POST", "/opened", BLUE)
        cups.cup = Row(ID, "blue")
        again = await send(app, "POST", "/opened", BLUE)
        made = await send(app, "POST", "/made")
        assert (await send(app, "POST", "/either", b'{"name": "Ida"}')).status == 201
    assert (first.status, first.headers["Location"], again.status) == (201, "/here", 200)
    assert made.headers["Location"] == "blue"
    assert cups.got == (Named(name="Ida"),)
