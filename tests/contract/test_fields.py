"""Nobody writes a field that is not theirs, and no answer has one that it does not declare.

The models say which those are: answers are closed, so the check of every answer in every test
(`wellio.testing`) finds an undeclared member; `rules/` say which are not for everybody.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.contract.rules import EVENTS, RULES, TABLES
from wellio.http.etag import tag_of
from wellio.testing import Matrix, Reply, Rule, Sockets, World
from wellio.testing.world import NOWHERE, Credential

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


#: Who may read what a write answers with: the scope, beside the one that the write needs.
READERS = {
    **dict.fromkeys(
        (
            "POST /api/v1/conversations",
            "POST /api/v1/conversations/{id}/members",
            "POST /api/v1/conversations/{id}/messages",
            "POST /api/v1/conversations/{id}/read",
            "PATCH /api/v1/messages/{id}",
        ),
        "chat.read",
    ),
    **dict.fromkeys(
        (
            *("POST /api/v1/clients", "PATCH /api/v1/clients/{id}"),
            *("POST /api/v1/tags", "PATCH /api/v1/tags/{id}"),
        ),
        "clients.read",
    ),
    "PATCH /api/v1/practice": "*",
}


async def key_of(world: World, holder: str, *scopes: str) -> str:
    """Make a key that may do so much, and return its name."""
    body = {"note": "narrow", "scopes": sorted({*scopes} - {"*"})}
    made = await world.api(holder).post("/api-keys", body, status=201)
    world.people["narrow key"] = Credential(made.data["key"])
    return "narrow key"


async def test_a_write_answers_a_key_with_what_it_could_read(world: World) -> None:
    """Every write that keys may call and that has an answer; a conversation with words in it."""
    scopes = dict(pair for table in TABLES for pair in table.scopes.items())
    rules = [
        rule
        for rule in RULES
        if rule.call in scopes and rule.method != "GET" and rule.yes and rule.good[0] < 300
        if 204 not in rule.good and {"owner", "carl"} & {*rule.yes.split()}
    ]
    assert {rule.call for rule in rules} == READERS.keys()
    await world.fill("{message} {tag} {group}", "carls")
    for rule in rules:
        holder = "carl" if "carl" in rule.yes.split() else "owner"
        needed, reader = {scopes[rule.call], rule.scope}, READERS[rule.call]
        for held in (needed, {*needed, reader}):
            key = await key_of(world, holder, *held)
            path, body = [await world.fill(it, "carls") for it in (rule.path, rule.body)]
            reply = await world.api(key).request(rule.method, path, body)
            assert reply.status in rule.good, rule.call
            is_shown = reader in {*held, "*"}
            assert (len(reply.data) > 2) is is_shown, (rule.call, held, reply.data)
            if not is_shown:
                assert reply.data == {"id": reply.data["id"]}, (rule.call, held)
            if rule.method == "PATCH":  # its tag says no more than its answer
                tag = {"If-Match": f'"{tag_of(reply.content)}"'}
                await world.api(key).patch(path, body, headers=tag, status=200)
            await world.replace(rule.uses_up, holder)


async def test_no_other_way_of_writing_shows_a_key_more(
    world: World, shared_sockets: Sockets
) -> None:
    """The answer that a person got by the same Idempotency-Key, a repeated send, a socket."""
    path = await world.fill("/conversations/{direct}/messages", "carls")
    once = {"Idempotency-Key": "one send"}
    body = {"content": "chat-of-carls", "localId": "narrow"}
    key = await key_of(world, "carl", "chat.send")
    seen = await world.api("carl").post(path, body, headers=once, status=201)
    again = await world.api(key).post(path, body, headers=once, status=200)
    assert again.data == {"id": seen.data["id"], "duplicate": True}
    narrow = world.people[key]
    assert narrow
    socket = await shared_sockets.plain(world.app.url, narrow)
    conversation = path.split("/")[2]
    ack = await socket.call("send_message", {"conversationId": conversation, **body})
    assert ack == {"ok": True, "message": {"id": seen.data["id"]}, "duplicate": True}
    guess = f'"{tag_of(seen.content)}"'
    for tag in (guess, f'"{tag_of(again.content)}"'):
        edit = await world.api(key).patch(
            f"/messages/{seen.data['id']}", {}, headers={"If-Match": tag}
        )
        assert edit.status == 412, tag


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
        ({"source": "x", "unread": 1}, "carl's lesser key", ["is shown unread"]),
        ({"source": "x", "unread": 1}, "carl's chatting key", ["is shown source"]),
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
