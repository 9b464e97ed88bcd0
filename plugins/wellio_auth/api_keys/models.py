"""API keys as this plugin's code and the wire have them."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, StringConstraints

from wellio import Id, Instant, Line, Name, Row, Wire

Scope = Annotated[Line, StringConstraints(max_length=100)]


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A key that was just made, and what only its maker ever sees."""

    row: Row
    key: str


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


class ApiKey(Wire):
    """An API key."""

    id: Id
    user_id: Annotated[Id, Field(description="In whose name it acts.")]
    note: str
    scopes: list[str]
    created_at: Instant
    expires_at: Instant | None
    last_used_at: Annotated[Instant | None, Field(description="Right to the minute.")]


class ApiKeyMade(ApiKey):
    """An API key that was just made."""

    key: Annotated[str, Field(description="To be sent as a bearer token.")]
