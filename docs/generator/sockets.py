"""`docs/sockets.md`: what goes over Socket.IO and `/ws`, in both directions."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from docs.generator import text
from wellio import Wellio
from wellio.http import Http

_INTRODUCTION = """\
The same events go over Socket.IO and over `/ws`, with the same data. A question mark stands behind what may be left out; an `id` is a UUID, an `instant` RFC 3339. `/openapi.json` says all of this to programs: `x-socket-events`, and `ClientEvents` and `ServerEvents` among its schemas. [api.md](api.md) says how a connection is opened."""  # noqa: E501 - a paragraph is a line
_CLIENT = """\
## What clients send

Each event is acknowledged: by `{"ok": true}` with what stands in the table, or by `{"ok": false, "error": problem}`.
"""  # noqa: E501 - a paragraph is a line
_SERVER = """\
## What the server sends

What carries an `eventSeq` stands in the conversation's log too, so that nobody misses it: `sync` and `GET /conversations/{id}/events` tell it again with the same data. The others are hints of the moment.
"""  # noqa: E501 - a paragraph is a line
_MODELS = "## What they hold\n"
_FORMATS = {"uuid": "id", "date-time": "instant"}
Json = Mapping[str, Any]


def page(app: Wellio) -> str:
    """Return the page."""
    openapi = app.service(Http).openapi
    events, schemas = openapi["x-socket-events"], openapi["components"]["schemas"]
    client = [
        (
            f"`{name}`",
            event["summary"],
            _members(event["data"], schemas) if "data" in event else "",
            _members(event["ack"]["oneOf"][0], schemas, but="ok"),
            f"`{event['permission']}`" if "permission" in event else "",
        )
        for name, event in events["client"].items()
    ]
    server = [
        (f"`{name}`", event["summary"], f"`{_kind(event['data'])}`")
        for name, event in events["server"].items()
    ]
    models = [
        (f"`{name}`", schemas[name]["description"], _members(schemas[name], schemas))
        for name in _named(events, schemas)
    ]
    return text.page(
        "Socket events",
        _INTRODUCTION,
        _CLIENT,
        text.table(("Event", "", "Data", "Acknowledgement", "Permission"), client),
        *_described(events, schemas),
        _SERVER,
        text.table(("Event", "", "Data"), server),
        _MODELS,
        text.table(("", "", "Members"), models),
    )


def _described(events: Json, schemas: Json) -> Iterator[str]:
    """Yield a line for each field of an event that says more than its type."""
    for name, event in events["client"].items():
        data = schemas[_name(event["data"])] if "$ref" in event.get("data", {}) else {}
        for field, schema in data.get("properties", {}).items():
            if "description" in schema:
                yield f"* `{field}` of `{name}`: {schema['description']}"


def _members(schema: Json, schemas: Json, but: str = "") -> str:
    if "$ref" in schema:
        schema = schemas[_name(schema)]
    if "properties" not in schema:
        return f"`{_kind(schema)}`"
    required = schema.get("required", ())
    return ", ".join(
        f"`{name}{'' if name in required else '?'}: {_kind(it)}`"
        for name, it in schema["properties"].items()
        if name != but
    )


def _kind(schema: Json) -> str:
    """Return what a value is, in a word or as a choice."""
    if "$ref" in schema:
        return _name(schema)
    if choices := schema.get("anyOf", schema.get("oneOf")):
        return " | ".join(map(_kind, choices))
    if "const" in schema or "enum" in schema:
        return " | ".join(map(json.dumps, schema.get("enum", [schema.get("const")])))
    if schema.get("type") == "array":
        return f"list[{_kind(schema['items'])}]"
    return _FORMATS.get(schema.get("format", "")) or str(schema.get("type", "any"))


def _named(events: Json, schemas: Json) -> Iterator[str]:
    """Yield the models of what the server sends, and those that stand in others."""
    waiting = [_name(event["data"]) for event in events["server"].values()]
    acks = (event["ack"]["oneOf"][0] for event in events["client"].values())
    waiting += [name for ack in acks for name in _within(schemas[_name(ack)])]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop(0)
        if name not in seen:
            seen.add(name)
            yield name
            waiting += _within(schemas[name])


def _within(node: Any) -> Iterator[str]:
    """Yield the names of the models that a schema refers to."""
    if isinstance(node, dict):
        if "$ref" in node:
            yield _name(node)
        for value in node.values():
            yield from _within(value)
    elif isinstance(node, list):
        for value in node:
            yield from _within(value)


def _name(reference: Json) -> str:
    return str(reference["$ref"]).rpartition("/")[2]
