"""The conventions of the wire, held against every endpoint alike."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.contract.rules import PUBLIC, RULES
from wellio.testing import Api, Reply, World
from wellio.testing.world import NOWHERE

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: What the edge refuses, before any statement.
AT_THE_EDGE = pytest.mark.sqlite("what is refused here reaches no database")
#: Sent everywhere, and never to come back in a problem.
MARKER = "Zxq7Marker"
UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
CAMEL = re.compile(r"[a-z]+([A-Z0-9][a-z0-9]*)*")
CODE = re.compile(r"[a-z]+(_[a-z0-9]+)*")
PARAMETER = re.compile(r"\{[^}]*\}")
#: What only pydantic, Python or a class of ours would say.
THEIR_WORDS = re.compile(
    r"[Ii]nput|dictionary|instance|\bvalid\b|tuple|None|isoformat|as documented"
    r"|\w+(Error|Change|Query)\b"
)
JSON = {"Content-Type": "application/json"}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Call:
    """An endpoint, and somebody who may call it with a thing of theirs.

    Attributes:
        name: The method and path as OpenAPI has them.
        method: The method.
        path: The path with ids of things that exist.
        api: The caller's client.
        operation: What OpenAPI says.
    """

    name: str
    method: str
    path: str
    api: Api
    operation: Mapping[str, Any]

    @property
    def schema(self) -> Mapping[str, Any] | None:
        body = self.operation.get("requestBody")
        schema: Mapping[str, Any] | None = body and body["content"]["application/json"]["schema"]
        return schema

    @property
    def query(self) -> list[str]:
        return [it["name"] for it in self.operation["parameters"] if it.get("in") == "query"]

    async def send(self, **options: Any) -> Reply:
        return await self.api.request(self.method, self.path, **options)


async def calls(world: World) -> AsyncIterator[Call]:
    """Yield every endpoint once."""
    openapi = world.app.openapi["paths"]
    callable_by = [(rule.call, rule.path, rule.yes.split()) for rule in RULES]
    callable_by += [(rule.call, rule.path, ["nobody"]) for rule in PUBLIC]
    for name, (path, callers) in {name: (path, by) for name, path, by in callable_by if by}.items():
        method, _, template = name.partition(" ")
        operation = openapi[template][method.lower()]
        api = world.api("carl" if "carl" in callers else callers[0])
        yield Call(name, method, await world.fill(path, "carls"), api, operation)


def problem(reply: Reply, status: int, what: str) -> Any:
    """Check that an answer is a problem of a status, in full form, and return it."""
    data = reply.data
    assert reply.status == status, f"{what}: {reply.status} {reply.content.decode()}"
    assert reply.headers["Content-Type"] == "application/problem+json", what
    assert reply.headers["Cache-Control"] == "no-store", what
    members = {"type", "title", "status", "detail", "code", "requestId"}
    assert data.keys() >= members, what
    assert data.keys() - members <= {"errors", "retryAfter"}, what
    assert data["status"] == status, what
    assert all(isinstance(data[it], str) and data[it] for it in members - {"status"}), what
    assert CODE.fullmatch(data["code"]), what
    assert data["requestId"] == reply.headers["X-Request-Id"], what
    assert ("errors" in data) == (status == 422), what
    for error in data.get("errors", ()):
        assert error.keys() == {"pointer", "code", "message"}, what
        assert CODE.fullmatch(error["code"]), what
        assert error["message"], what
        assert not THEIR_WORDS.search(error["message"]), f"{what}: {error}"
    assert MARKER not in reply.content.decode(), what
    return data


def pointers(reply: Reply, what: str) -> list[str]:
    return [error["pointer"] for error in problem(reply, 422, what)["errors"]]


def filled(schema: Any, schemas: Mapping[str, Any], leaf: Any) -> Any:
    """Return a body that has something in every field."""
    if "$ref" in schema:
        return filled(schemas[schema["$ref"].rpartition("/")[2]], schemas, leaf)
    if "properties" not in schema:
        return leaf
    return {name: filled(it, schemas, leaf) for name, it in schema["properties"].items()}


@AT_THE_EDGE
@pytest.mark.parametrize(
    "leaf",
    [MARKER, {MARKER: MARKER}, [MARKER], None, True, 10**18, "2026-13-45T99:00:00Z", "\u0000"],
    ids=["text", "object", "list", "null", "true", "number", "instant", "NUL"],
)
async def test_a_bad_body_is_a_422_that_names_the_unknown_field(world: World, leaf: Any) -> None:
    schemas = world.app.openapi["components"]["schemas"]
    async for call in calls(world):
        if call.schema is not None:
            body = {**filled(call.schema, schemas, leaf), "fieldOfNobody": MARKER}
            assert "/fieldOfNobody" in pointers(await call.send(json=body), call.name)


@AT_THE_EDGE
async def test_a_body_that_is_no_object_is_told_so(world: World) -> None:
    async for call in calls(world):
        if call.schema is not None:
            for body in (b"null", b"[]", b"1", b'"x"', b"true"):
                (error,) = problem(await call.send(content=body, headers=JSON), 422, call.name)[
                    "errors"
                ]
                assert error == {
                    "pointer": "",
                    "code": "wrong_type",
                    "message": "must be an object",
                }, call.name


@AT_THE_EDGE
async def test_every_wrong_field_is_named_at_once(world: World) -> None:
    schemas = world.app.openapi["components"]["schemas"]
    async for call in calls(world):
        if call.schema is not None:
            body = {**filled(call.schema, schemas, 1.5), "fieldOfNobody": 1}
            assert {f"/{name}".partition("/")[2] for name in body} <= {
                pointer.split("/")[1] for pointer in pointers(await call.send(json=body), call.name)
            }, call.name


@AT_THE_EDGE
async def test_a_bad_query_is_a_422_that_names_the_unknown_field(world: World) -> None:
    async for call in calls(world):
        if call.query:
            query = dict.fromkeys([*call.query, "fieldOfNobody"], MARKER)
            named = pointers(await call.send(query=query), call.name)
            assert {"/fieldOfNobody", "/limit"} <= set(named), call.name


@AT_THE_EDGE
@pytest.mark.parametrize("limit", ["0", "101", "-1", "abc", "", "1.5", "9" * 400])
async def test_limits_are_1_to_100(world: World, limit: str) -> None:
    async for call in calls(world):
        if "limit" in call.query:
            assert pointers(await call.send(query={"limit": limit}), call.name) == ["/limit"]


@AT_THE_EDGE
@pytest.mark.parametrize(
    "cursor", ["garbage", "!!!", "WzEsMl0", "W10", "bnVsbA", "é", "\x00", MARKER, "A" * 600]
)
async def test_a_cursor_of_nobody_is_a_422(world: World, cursor: str) -> None:
    async for call in calls(world):
        if "cursor" in call.query:
            reply = await call.send(query={"cursor": cursor})
            assert pointers(reply, call.name) == ["/cursor"], call.name


async def test_pages_hold_everything_once(world: World) -> None:
    for kind in ("tag", "invitation", "api_key", "message", "group") * 2:
        await world.id_of(kind, "carls")
        await world.replace(kind, "carl")
    async for call in calls(world):
        if "limit" not in call.query:
            continue
        whole = (await call.send(query={"limit": 100}, status=200)).data
        items: list[Any] = []
        query: dict[str, Any] = {"limit": 1, "cursor": None}
        while query["cursor"] or not items:
            page = (await call.send(query={k: v for k, v in query.items() if v}, status=200)).data
            assert len(page["items"]) == 1, call.name
            items += page["items"]
            query["cursor"] = page["nextCursor"]
        assert whole["nextCursor"] is None, call.name
        assert items == whole["items"], call.name
        assert len(items) > 1, call.name


MALFORMED = (
    b"",
    b"{",
    b'{"a": %s}' % MARKER.encode(),
    b'{"a": 1, "a": 2}',
    b"\xff\xfe",
    b"[" * 100 + b"]" * 100,
    b'{"a": NaN}',
)


@AT_THE_EDGE
async def test_what_is_no_json_is_a_400(world: World) -> None:
    async for call in calls(world):
        for content in MALFORMED if call.schema is not None else ():
            problem(await call.send(content=content, headers=JSON), 400, f"{call.name} {content!r}")


@AT_THE_EDGE
@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/xml", MARKER, "application/json; charset=latin-1"]
)
async def test_another_content_type_is_a_415(world: World, media_type: str) -> None:
    async for call in calls(world):
        if call.schema is not None:
            headers = {"Content-Type": media_type}
            problem(await call.send(content=b"{}", headers=headers), 415, call.name)


@AT_THE_EDGE
@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")  # on purpose
async def test_a_large_body_is_a_413(world: World) -> None:
    content = b'{"a": "' + b"x" * 1024 * 1024 + b'"}'
    async for call in calls(world):
        if call.schema is not None:
            problem(await call.send(content=content, headers=JSON), 413, call.name)


@AT_THE_EDGE
async def test_another_method_is_a_405_that_names_those_there_are(world: World) -> None:
    openapi = world.app.openapi["paths"]
    there: dict[str, set[str]] = {path: set() for path in openapi}
    for path, methods in there.items():  # of `/a/{id}` too for `/a/b`
        for template, operations in openapi.items():
            if re.fullmatch(PARAMETER.sub("[^/]+", template), path):
                methods |= {method.upper() for method in operations}
    for path, methods in there.items():
        for method in {*METHODS, "TRACE"} - methods:
            reply = await world.api("nobody").request(method, f"/{PARAMETER.sub(NOWHERE, path)}")
            problem(reply, 405, f"{method} {path}")
            assert methods <= set(reply.headers["Allow"].split(", ")), path


@AT_THE_EDGE
async def test_an_unknown_path_is_a_404(world: World) -> None:
    for path in (f"/{MARKER}", f"//{MARKER}", f"/clients/{MARKER}", f"/clients/%00{MARKER}"):
        for caller in ("owner", "nobody"):
            status = 401 if caller == "nobody" and "clients" in path else 404
            problem(await world.api(caller).get(path), status, path)


async def test_problems_that_reading_alone_does_not_find_echo_nothing(world: World) -> None:
    api, sent = world.api("carl"), {"content": MARKER, "localId": MARKER}
    messages = await world.fill("/conversations/{direct}/messages", "carls")
    await api.post("/tags", {"name": MARKER}, status=201)
    await api.post(messages, sent, status=201)
    password = f"{MARKER} and a long one"
    for status, path, body in (
        (401, "/auth/login", {"email": f"{MARKER}@x.example", "password": MARKER}),
        (401, "/auth/refresh", {"refreshToken": f"wr_{MARKER}", "requestId": MARKER * 2}),
        (410, "/invitations/redeem", {"token": MARKER, "name": MARKER, "password": password}),
        (422, "/auth/password", {"current": MARKER, "new": password}),
        (409, "/tags", {"name": MARKER.upper()}),
        (409, messages, {**sent, "content": MARKER * 2}),
        (422, messages, {"content": MARKER * 2000}),
    ):
        problem(await api.post(path, body), status, path)
    for token in (MARKER, f"{MARKER}.{MARKER}.{MARKER}"):
        problem(await api.get("/me", headers={"Authorization": f"Bearer {token}"}), 401, token)
    problem(await api.get("/me", headers={"Authorization": MARKER}), 401, "no scheme")


async def test_every_answer_has_a_request_id_and_is_not_stored(world: World) -> None:
    for given in ("a-sane-id.of_8", "x" * 128):
        headers = {"X-Request-Id": given}
        for path, status in (("/me", 200), ("/nothing", 404), ("/users?limit=0", 422)):
            reply = await world.api("owner").get(path, headers=headers)
            assert reply.status == status
            assert reply.headers["X-Request-Id"] == given
            assert reply.headers["Cache-Control"] == "no-store"
            assert status == 200 or problem(reply, status, path)["requestId"] == given
    made = set()
    for given in ("short", "x" * 129, f"{MARKER} {MARKER}", f"<{MARKER}>", "é" * 10):
        reply = await world.api("owner").get("/nothing", headers={"X-Request-Id": given})
        made.add(problem(reply, 404, given)["requestId"])
    assert len(made) == 5


async def test_what_succeeds_has_the_form_of_the_wire(world: World) -> None:
    for rule in RULES:
        if not rule.yes or rule.good[0] >= 400:
            continue
        caller = rule.yes.split()[0]
        method, path = rule.call.partition(" ")[0], await world.fill(rule.path, "carls")
        reply = await world.api(caller).request(method, path, await world.fill(rule.body, "carls"))
        assert reply.status in rule.good, rule.call
        assert reply.headers["Cache-Control"] == "no-store", rule.call
        assert list(misshapen(reply.data)) == [], rule.call
        if reply.status == 201:
            location, made = reply.headers["Location"].removeprefix("/api/v1"), reply.data
            api = world.api(caller)
            if "accessToken" in made:  # an account, and who asks is signed in to it
                api, made = replace(api, token=made["accessToken"]), made["user"]
            found = await api.get(location, status=200)
            assert found.data["id"] == made["id"], rule.call
        await world.replace(rule.uses_up, caller)


def misshapen(data: Any, name: str = "") -> Iterator[str]:
    """Find names that are not camelCase, times that are not RFC 3339, ids that are no UUIDv7."""
    match data:
        case dict():
            for key, value in data.items():
                if not CAMEL.fullmatch(key):
                    yield key
                yield from misshapen(value, key)
        case list():
            for value in data:
                yield from misshapen(value, name.removesuffix("s"))
        case str() if re.search(r"(^i|I)d$", name) and name != "localId":
            if not UUID7.fullmatch(data):
                yield f"{name}: {data}"
        case str() if (
            name.endswith("At") or name == "lastSeen" or re.match(r"\d{4}-\d\d-\d\dT", data)
        ):
            if not INSTANT.fullmatch(data):
                yield f"{name}: {data}"


@pytest.mark.parametrize(
    "data",
    [
        {"snake_case": 1},
        {"Pascal": 1},
        {"items": [{"createdAt": "2026-03-01T09:30:00Z"}]},
        {"createdAt": "2026-03-01T09:30:00.000+00:00"},
        {"from": "2026-03-01T09:30:00.000"},
        {"userId": "7d444840-9dc0-41d1-b245-5ffdce74fad2"},
        {"memberIds": ["7"]},
    ],
)
async def test_what_is_misshapen_is_found(data: Any) -> None:
    assert list(misshapen(data))
