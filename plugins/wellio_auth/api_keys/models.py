"""API keys on the wire."""

from collections.abc import Mapping
from typing import Annotated, Any

import orjson
from pydantic import Field, StringConstraints

from wellio import Id, Instant, Line, Name, Row, Wire, rfc3339

Scope = Annotated[Line, StringConstraints(max_length=100)]


class NewApiKey(Wire):
    """`POST /api-keys`."""

    note: Annotated[Name, Field(description="What it is for.")]
    scopes: Annotated[
        tuple[Scope, ...],
        Field(min_length=1, max_length=100, description="Permissions that its maker holds."),
    ]
    expires_at: Annotated[
        Instant | None, Field(description="When it ends; without it, when somebody ends it.")
    ] = None


class ApiKeyOut(Wire):
    """An API key; `key` is there only in the answer that made it."""

    id: Id
    user_id: Annotated[Id, Field(description="In whose name it acts.")]
    note: str
    scopes: list[str]
    created_at: Instant
    expires_at: Instant | None
    last_used_at: Annotated[Instant | None, Field(description="Right to the minute.")]
    key: Annotated[str | None, Field(description="To be sent as a bearer token.")] = None


def api_key_out(row: Row | Mapping[str, Any]) -> dict[str, Any]:
    """Return a key as the wire has it, without what proves it."""
    expires_at, last_used_at = row["expires_at"], row["last_used_at"]
    return {
        "id": row["id"],
        "userId": row["user_id"],
        "note": row["note"],
        "scopes": orjson.loads(row["scopes"]),
        "createdAt": rfc3339(row["created_at"]),
        "expiresAt": None if expires_at is None else rfc3339(expires_at),
        "lastUsedAt": None if last_used_at is None else rfc3339(last_used_at),
    }
