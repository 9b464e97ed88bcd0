"""Wins, as they are stored and on the wire."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, StringConstraints

from wellio import ABSENT, Ack, Id, Instant, Table, VisibleText, Wire

WinText = Annotated[VisibleText, StringConstraints(strip_whitespace=True)]


class NewWin(Wire):
    """A win that somebody notes."""

    text: WinText = Field(description="Up to `max_length` characters.")


class NewWinOf(NewWin):
    """The same over a socket, where no path names the client."""

    client_id: Id


class WinChange(Wire):
    """A change of what is given."""

    text: WinText = ABSENT


class Share(Wire):
    """Where a win is told of."""

    conversation_id: Id


class Win(Wire):
    """A small win of a client's."""

    id: Id
    client_id: Id
    author_id: Id | None = Field(description="Null when that account is gone.")
    text: str
    created_at: Instant


class WinAck(Ack):
    """A win is stored."""

    win: Win


class WinNoted(Wire):
    """Somebody noted a win of a client whom you look after, or of yours."""

    client_id: Id
    win_id: Id


class WinCount(Wire):
    """How many wins a client has; a moment may pass before a new one counts."""

    wins: int
    last_at: Instant | None
    badges: list[str]


@dataclass(frozen=True, slots=True)
class Tally:
    """How many wins a client has, when the last one was noted, and what that earned."""

    wins: int
    last_at: int | None
    badges: Sequence[str]


#: A picture's key in `app.storage` is nobody's to see, so it is no field of `Win`.
WINS = Table("hello_win", Win, "picture", order=("created_at",), descending=True)
