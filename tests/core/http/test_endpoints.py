"""Endpoints: what is checked, in which order, and what handlers may return."""

from typing import Any

import pytest
from aiohttp import web

from tests.core.http.small_app import COACH, HIDDEN, ID, VISIBLE, running
from wellio.errors import Conflict, PluginError
from wellio.http import ACTOR, Reply, created, endpoint, no_content
from wellio.wire import Id, Name, Wire


class NewThing(Wire):
    name: Name
    size_m: int = 1


class Thing(NewThing):
    id: Id


class Filter(Wire):
    at_most: int = 10
    tag: tuple[str, ...] = ()


class NameTaken(Conflict):
    """409: another thing has this name."""

    default_code = "name_taken"


class ThingApi:
    @endpoint("GET", "/things", query=Filter, returns=dict[str, Any], signed_in=True)
    async def search(self, request: web.Request, query: Filter) -> dict[str, Any]:
        """List things.

        And say for whom.
        """
        return {"atMost": query.at_most, "tag": list(query.tag), "for": request[ACTOR].user_id}

    @endpoint(
        "POST",
        "/things",
        body=NewThing,
        query=Filter,
        returns=Thing,
        status=201,
        also=(200,),
        permission="things.write",
        errors=(NameTaken,),
    )
    async def create(self, request: web.Request, query: Filter, body: NewThing) -> Reply:
        """Make a thing."""
        thing = {"id": ID, "name": body.name, "sizeM": body.size_m}
        if body.name == "taken":
            raise NameTaken
        if body.name == "there":
            return Reply(thing, 200, {"X-Note": "was there"})
        return created(thing, f"/api/v1/things/{ID}")

    @endpoint(
        "PATCH",
        "/things/{id}/parts/{part}",
        body=NewThing,
        returns=Thing,
        permission="things.write",
        object=("thing", "id"),
        action="update",
    )
    async def change(self, request: web.Request, body: NewThing) -> dict[str, Any]:
        """Change a thing."""
        return {"id": request.match_info["id"], "name": body.name}

    @endpoint("DELETE", "/things/{id}", status=204, object=("thing", "id"))
    async def delete(self, request: web.Request) -> Reply:
        """Delete a thing."""
        return no_content()

    @endpoint("GET", "//stream", public=True, media_type="text/plain")
    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Stream."""
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        await response.write(b"bytes")
        return response


CHANGE = f"/api/v1/things/{ID}/parts/a"
GOOD = b'{"name": "Cup", "sizeM": 2}'
BAD = b'{"name": "", "colour": "red"}'


@pytest.mark.parametrize(
    "method, path, body, token, status",
    [
        # Each has everything wrong that comes later in the order.
        ("PATCH", "/api/v1/things/none/parts/a?x=1", BAD, None, 401),
        ("PATCH", "/api/v1/things/none/parts/a?x=1", BAD, "nobody", 401),
        ("PATCH", "/api/v1/things/none/parts/a", BAD, "client", 403),
        ("PATCH", "/api/v1/things/none/parts/a", BAD, "coach", 404),
        ("PATCH", f"/api/v1/things/{ID.upper()}/parts/a", BAD, "coach", 422),
        ("PATCH", f"/api/v1/things/{ID}/parts/%00", BAD, "coach", 404),
        ("PATCH", f"/api/v1/things/{HIDDEN}/parts/a", BAD, "coach", 404),
        ("PATCH", f"/api/v1/things/{VISIBLE}/parts/a", BAD, "coach", 403),
        ("PATCH", CHANGE, BAD, "coach", 422),
        ("PATCH", CHANGE, GOOD, "coach", 200),
        ("DELETE", f"/api/v1/things/{ID}", None, "client", 204),
        ("DELETE", f"/api/v1/things/{HIDDEN}", None, "client", 404),
        ("POST", "/api/v1/things", b'{"name": "taken"}', "coach", 409),
        ("GET", "/stream", None, None, 200),
        ("GET", "/api/v1/thing", None, None, 404),
        ("PUT", "/api/v1/things", None, None, 405),
    ],
)
async def test_what_is_wrong_first_is_answered(
    method: str, path: str, body: bytes | None, token: str | None, status: int
) -> None:
    async with running(ThingApi()) as app:
        answer = await app.request(method, path, body, token=token)
    assert answer.status == status
    if status == 401:
        assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_replies() -> None:
    async with running(ThingApi()) as app:
        new = await app.request("POST", "/api/v1/things", GOOD)
        assert (new.status, new.data) == (201, {"id": ID, "name": "Cup", "sizeM": 2})
        assert new.headers["Location"] == f"/api/v1/things/{ID}"
        old = await app.request("POST", "/api/v1/things", b'{"name": "there"}')
        assert (old.status, old.headers["X-Note"]) == (200, "was there")
        gone = await app.request("DELETE", f"/api/v1/things/{ID}")
        assert (gone.status, gone.content) == (204, b"")
        assert "Content-Type" not in gone.headers
        assert (await app.request("GET", "/stream")).content == b"bytes"


async def test_query_and_actor_reach_the_handler() -> None:
    async with running(ThingApi()) as app:
        path = "/api/v1/things?atMost=3&tag=a&tag=b"
        assert (await app.request("GET", path)).data == {
            "atMost": 3,
            "tag": ["a", "b"],
            "for": COACH.user_id,
        }


async def test_everything_wrong_with_query_and_body_is_named_at_once_and_not_echoed() -> None:
    body = b'{"name": "", "sizeM": "s3cret", "colour": "s3cret"}'
    async with running(ThingApi()) as app:
        path = "/api/v1/things?atMost=1&atMost=s3cret&page=s3cret"
        answer = await app.request("POST", path, body)
    assert answer.status == 422
    assert b"s3cret" not in answer.content
    assert [(it["pointer"], it["code"]) for it in answer.data["errors"]] == [
        ("/atMost", "duplicate"),
        ("/atMost", "wrong_type"),
        ("/page", "extra_forbidden"),
        ("/name", "too_short"),
        ("/sizeM", "wrong_type"),
        ("/colour", "extra_forbidden"),
    ]


async def test_a_snake_case_name_is_no_name_on_the_wire() -> None:
    async with running(ThingApi()) as app:
        answer = await app.request("POST", "/api/v1/things", b'{"name": "Cup", "size_m": 2}')
    assert [it["pointer"] for it in answer.data["errors"]] == ["/size_m"]


async def test_head_is_a_get_without_its_body(subtests: Any) -> None:
    async with running(ThingApi()) as app:
        for method, path, status in [
            ("HEAD", "/api/v1/things", 200),
            ("HEAD", "/api/v1/nothing", 404),
            ("HEAD", f"/api/v1/things/{ID}", 405),
        ]:
            with subtests.test(path):
                answer = await app.request(method, path, documented=False)
                assert (answer.status, answer.content) == (status, b"")


@pytest.mark.parametrize("method, status", [("OPTIONS", 204), ("PUT", 405), ("TRACE", 405)])
async def test_other_methods_learn_which_there_are(method: str, status: int) -> None:
    async with running(ThingApi()) as app:
        answer = await app.request(method, "/api/v1/things", token=None)
    assert answer.status == status
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS, POST"


def asking(**options: Any) -> object:
    """Return an object with `GET /asking`, which asks for something."""

    class AskingApi:
        @endpoint("GET", "/asking", status=204, signed_in="permission" not in options, **options)
        async def read(self, request: web.Request) -> Reply:
            """Ask."""
            return no_content()

    return AskingApi()


@pytest.mark.parametrize(
    "options, person, key, documented",
    [
        ({}, 204, 403, None),
        ({"scope": "*"}, 204, 204, []),
        ({"scope": "things.read"}, 204, 204, ["things.read"]),
        ({"scope": "things.write"}, 204, 403, ["things.write"]),
        ({"permission": "things.read"}, 204, 204, ["things.read"]),
        ({"permission": "things.write"}, 204, 403, ["things.write"]),
        ({"permission": "things.own"}, 403, 403, None),
    ],
)
async def test_an_endpoint_is_closed_to_keys_unless_it_says_what_they_need(
    options: dict[str, str], person: int, key: int, documented: list[str] | None
) -> None:
    async with running(asking(**options)) as app:
        answers = [await app.request("GET", "/api/v1/asking", token=it) for it in ("coach", "key")]
        operation = app.http.openapi["paths"]["/api/v1/asking"]["get"]
    assert [answer.status for answer in answers] == [person, key]
    expected = documented if documented is None else [{"bearer": []}, {"apiKey": documented}]
    assert operation.get("security") == expected


def broken(**options: Any) -> object:
    """Return an object with one endpoint that cannot hold."""
    given = {"method": "GET", "path": "/broken/{id}", **options}

    class BrokenApi:
        @endpoint(given.pop("method"), given.pop("path"), **given)
        async def broken(self, request: web.Request) -> Reply:
            return no_content()

    return BrokenApi()


@pytest.mark.parametrize(
    "api, message",
    [
        (broken(body=NewThing), "takes"),
        (broken(permission="things.none"), "permission things.none"),
        (broken(scope="things.none"), "permission things.none"),
        (broken(scope="*", permission="things.read"), "an API key needs too"),
        (broken(public=True, scope="*"), "public"),
        (broken(object=("planet", "id")), "policy of planet"),
        (broken(object=("thing", "thing_id")), "thing_id is not in its path"),
        (broken(public=True, permission="things.read"), "public"),
        (broken(), "who may call it"),
        (broken(scope="things.read"), "who may call it"),
        (broken(signed_in=True, permission="things.read"), "or it is not"),
        (broken(signed_in=True, public=True), "or it is not"),
        (broken(path="/things", method="POST", public=True), "the same"),
        (broken(path="/things/{other}", method="DELETE", signed_in=True), "the same"),
    ],
)
async def test_a_declaration_that_cannot_hold_stops_the_start(api: object, message: str) -> None:
    with pytest.raises(PluginError, match=message):
        async with running(ThingApi(), api):
            pass


async def test_two_endpoints_of_one_name_stop_the_start() -> None:
    class OtherApi:
        @endpoint("GET", "/first/things", signed_in=True)
        async def read(self, request: web.Request) -> Reply:
            return no_content()

        @endpoint("GET", "/second", name="getFirstThings", signed_in=True)
        async def read_more(self, request: web.Request) -> Reply:
            return no_content()

    with pytest.raises(PluginError, match="the same name"):
        async with running(OtherApi()):
            pass


async def test_a_route_that_is_no_endpoint_goes_through_the_gateway_too() -> None:
    async def teapot(_request: web.Request) -> web.Response:
        raise web.HTTPForbidden(text="s3cret")

    async with running(routes=[web.get("/teapot", teapot)]) as app:
        answer = await app.request("GET", "/teapot", documented=False)
    assert (answer.status, answer.data["code"]) == (403, "forbidden")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert b"s3cret" not in answer.content
