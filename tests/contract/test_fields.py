"""Nobody writes a field that is not theirs, and no answer has one that it does not declare.

The models say which those are: answers are closed, so the check of every answer in every test
(`wellio.testing`) finds an undeclared member; `rules/` say which are not for everybody.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.contract.rules import EVENTS, RULES
from wellio.testing import Matrix, Reply, Rule, Sockets, World
from wellio.testing.world import NOWHERE

pytestmark = pytest.mark.asyncio(loop_scope="module")

Json = Mapping[str, Any]
#: What somebody might try to set beside what they may: each is a column or a member somewhere.
INJECTED: Json = {
    "role": "owner",
    "id": NOWHERE,
    "ownerId": NOWHERE,
    "userId": NOWHERE,
    "verified": True,
    "mode": "e2ee",
    "seq": 1,
    "status": "active",
    "createdAt": "2026-03-01T09:30:00.000Z",
    "permissions": ["users.manage"],
    "__proto__": {"role": "owner"},
}
#: Answers, and members of models, that hold what nobody can declare beforehand, and why.
OPEN_ANSWERS = {
    "GET /api/v1/dashboard": "a member for each plugin's section",
    "GET /openapi.json": "OpenAPI's own form",
}
OPEN_MEMBERS = {
    ("Client", "metadata"): "free-form",
    ("Health", "plugins"): "one for each plugin",
    ("Health", "checks"): "one for each check",
    ("PluginHealth", "checks"): "one for each check",
}


def resolved(schema: Json, schemas: Json) -> Json:
    """Return what a schema refers to, or itself."""
    while "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    return schema


def objects(schema: Json, schemas: Json, where: tuple[str, ...]) -> Iterator[tuple[Any, Json]]:
    """Find every schema of an object in an answer, and where it stands: its model, its member."""
    schema = resolved(schema, schemas)
    for part in (it for kind in ("anyOf", "allOf", "oneOf") for it in schema.get(kind, ())):
        yield from objects(part, schemas, where)
    if "items" in schema:
        yield from objects(schema["items"], schemas, where)
    if schema.get("type") == "object":
        yield where, schema
        for name, member in schema.get("properties", {}).items():
            yield from objects(member, schemas, (schema.get("title", "?"), name))
        if isinstance(more := schema.get("additionalProperties"), dict):
            yield from objects(more, schemas, where)


async def test_answers_have_no_member_that_is_not_declared(world: World) -> None:
    openapi = world.app.openapi
    schemas, is_open = openapi["components"]["schemas"], set()
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            for status, answer in operation["responses"].items():
                if status >= "300" or "content" not in answer:
                    continue
                (media,) = answer["content"].values()
                for where, schema in objects(media["schema"], schemas, ()):
                    if schema.get("additionalProperties") is not False:
                        is_open.add(where or f"{method.upper()} {path}")
    assert is_open == OPEN_ANSWERS.keys() | OPEN_MEMBERS.keys()


async def test_what_is_not_for_everybody_would_be_found(world: World) -> None:
    matrix = Matrix(world)
    shown = {"items": [{"source": "x", "key": "wk_", "passwordHash": None}], "status": "read"}
    message = {"senderId": "other", "status": "read"}
    for data, caller, found in (
        (shown, "mia", ["is shown source", "is shown key", "is told key again"]),
        (shown, "carl", ["is told key again"]),
        ({"tokenHash": "x"}, "owner", ["is shown tokenHash"]),
        (message, "mia", ["is shown how far somebody else's message got"]),
        ({**message, "senderId": "mine"}, "mia", []),
        ({"metadata": {"source": "x"}}, "carl", []),
    ):
        reply = Reply(200, {}, data, b"")
        assert list(matrix.overexposed(reply, "GET /api/v1/me", caller, "mine")) == found


def succeeding(rules: tuple[Rule, ...]) -> list[Rule]:
    """Return the rules by which somebody sends a body that is good."""
    return [rule for rule in rules if rule.yes and rule.good[0] < 300 and rule.body is not None]


def extra(schema: Json, schemas: Json) -> Json:
    """Return what of `INJECTED` a body does not declare."""
    declared = resolved(schema, schemas).get("properties", {})
    return {name: value for name, value in INJECTED.items() if name not in declared}


async def test_a_good_body_with_more_in_it_is_refused_and_changes_nothing(world: World) -> None:
    openapi = world.app.openapi
    paths, schemas = openapi["paths"], openapi["components"]["schemas"]
    rules = {rule.call: rule for rule in reversed(succeeding(RULES))}
    unproven = {
        f"{method.upper()} {path}"
        for path, methods in paths.items()
        for method, operation in methods.items()
        if "requestBody" in operation and operation.get("security") != []
    } - rules.keys()
    assert unproven == {"POST /api/v1/auth/password"}  # the next test has it
    for call, rule in rules.items():
        method, _, template = call.partition(" ")
        schema = paths[template][method.lower()]["requestBody"]["content"]["application/json"]
        injected = extra(schema["schema"], schemas)
        path, body = await world.fill(rule.path, "carls"), await world.fill(rule.body, "carls")
        world.app.bus.clear()
        for name, value in injected.items():
            sent = {**body, name: value}
            reply = await world.api(rule.yes.split()[0]).request(method, path, sent, status=422)
            assert [(it["pointer"], it["code"]) for it in reply.data["errors"]] == [
                (f"/{name}", "extra_forbidden")
            ], call
        assert world.app.bus.names == [], call


def nested(schema: Json, schemas: Json, at: str = "") -> Iterator[tuple[str, Json]]:
    """Find every object in a body, and the pointer to it."""
    schema = resolved(schema, schemas)
    yield at, schema
    for name, member in schema.get("properties", {}).items():
        if "properties" in resolved(member, schemas):
            yield from nested(member, schemas, f"{at}/{name}")


def injecting(schema: Json, schemas: Json) -> Json:
    """Return a body with everything undeclared in every object of it, and nothing else."""
    schema, body = resolved(schema, schemas), dict(extra(schema, schemas))
    for name, member in schema.get("properties", {}).items():
        if "properties" in resolved(member, schemas):
            body[name] = injecting(member, schemas)
    return body


async def test_no_object_in_any_body_takes_more(world: World) -> None:
    """Those of the endpoints that nobody signs in for too, and those inside others."""
    openapi = world.app.openapi
    schemas, seen = openapi["components"]["schemas"], 0
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            if "requestBody" not in operation:
                continue
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            call = f"{method.upper()} {path}"
            rule = next((it for it in RULES if it.call == call and it.yes), None)
            target = f"/{path}" if rule is None else await world.fill(rule.path, "carls")
            api = world.api(rule.yes.split()[0] if rule else "nobody")
            reply = await api.request(method.upper(), target, injecting(schema, schemas))
            assert reply.status == 422, call
            refused = {
                it["pointer"] for it in reply.data["errors"] if it["code"] == "extra_forbidden"
            }
            expected = {
                f"{at}/{name}"
                for at, inner in nested(schema, schemas)
                for name in extra(inner, schemas)
            }
            assert refused == expected, call
            seen += len(expected)
    assert seen > 200


async def test_no_socket_event_takes_more(world: World, shared_sockets: Sockets) -> None:
    assert world.app.app.hooks.of("register_socket_events")
    for rule in EVENTS:
        credential = world.people[rule.yes.split()[0]]
        assert credential is not None
        socket = await shared_sockets.plain(world.app.url, credential)
        body = await world.fill(rule.body, "carls")
        world.app.bus.clear()
        for name, value in INJECTED.items():
            ack = await socket.call(rule.call, {**body, name: value})
            assert not ack["ok"], rule.call
            assert [(it["pointer"], it["code"]) for it in ack["error"]["errors"]] == [
                (f"/{name}", "extra_forbidden")
            ], rule.call
        assert world.app.bus.names == [], rule.call
        assert (await socket.call(rule.call, body))["ok"], rule.call
