"""Wins on the wire."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from wellio import Id, Instant, Row, Text, Wire, rfc3339

# Two steps: what is stripped first is measured then.
WinText = Annotated[Text, StringConstraints(strip_whitespace=True), StringConstraints(min_length=1)]


class NewWin(Wire):
    """A win that somebody notes."""

    text: WinText = Field(description="Up to `max_length` characters.")


class NewWinOf(NewWin):
    """The same over a socket, where no path names the client."""

    client_id: Id


class Win(Wire):
    """A small win of a client's."""

    id: Id
    client_id: Id
    author_id: Id | None = Field(description="Null when that account is gone.")
    text: str
    created_at: Instant


class WinCount(Wire):
    """How many wins a client has; a moment may pass before a new one counts."""

    wins: int
    last_at: Instant | None


def win_wire(row: Row | Mapping[str, Any]) -> dict[str, Any]:
    """Return a win as it stands on the wire."""
    return {
        "id": row["id"],
        "clientId": row["client_id"],
        "authorId": row["author_id"],
        "text": row["body"],
        "createdAt": rfc3339(row["created_at"]),
    }
