"""The part of the description that OpenAPI has no word for: what goes over sockets.

`x-socket-events` says it to programs that know of it. `ClientEvents` and `ServerEvents` among the
schemas say the same to those that make types of schemas.
"""

from typing import Any

from wellio.realtime import EventRouter

from .codes import codes_of
from .schemas import Json, Schemas

_PARTS = ("data", "ack")
_REFUSAL: Json = {
    "type": "object",
    "description": "The acknowledgement of an event that was refused.",
    "properties": {
        "ok": {"const": False},
        "error": {"$ref": "#/components/schemas/Problem"},
    },
    "required": ["ok", "error"],
    "additionalProperties": False,
}


def describe_sockets(sockets: EventRouter, schemas: Schemas) -> tuple[Json, Json]:
    """Return `x-socket-events`, and the schemas that it brings."""
    client: Json = {}
    for event in sockets.events:
        told: Json = {"summary": event.summary}
        if event.permission is not None:
            told["permission"] = event.permission
        if event.body is not None:
            told["data"] = schemas[event.name, "body"]
        if event.errors:
            told["errors"] = list(codes_of(event.errors))
        client[event.name] = {**told, "ack": _ack(schemas[event.name, "returns"])}
    server = {
        sent.name: {
            "summary": (sent.data.__doc__ or "").partition("\n")[0],
            "data": schemas[sent.name, "emits"],
        }
        for sent in sockets.emitted
    }
    components = {
        "Refusal": _REFUSAL,
        "ClientEvents": _object(
            "What clients send over sockets, by the event's name, and its acknowledgement.",
            {
                name: _object(it["summary"], {part: it[part] for part in _PARTS if part in it})
                for name, it in client.items()
            },
        ),
        "ServerEvents": _object(
            "What the server sends over sockets, by the event's name.",
            {name: it["data"] for name, it in server.items()},
        ),
    }
    return {"client": client, "server": server}, components


def _ack(schema: Any) -> Json:
    return {"oneOf": [schema, {"$ref": "#/components/schemas/Refusal"}]}


def _object(description: str, properties: Json) -> Json:
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": sorted(properties),
        "additionalProperties": False,
    }
