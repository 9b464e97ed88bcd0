"""How the hubs of several processes hear each other.

A hub hands everything that concerns users to its backplane and acts on what comes back, so that one
process and many are the same code. What is carried here are hints: the truth is in the database,
and a client that missed one catches up.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple, Protocol


class Kind(StrEnum):
    """What an envelope asks of every hub."""

    EMIT = "emit"
    CLOSE_SESSION = "close_session"
    CLOSE_USER = "close_user"
    RECONNECT_USER = "reconnect_user"


class Envelope(NamedTuple):
    """One request to all hubs.

    Attributes:
        kind: What to do.
        targets: User ids, or the id of the session to close.
        event: The event to emit, or the reason of a close.
        data: The event's data as JSON text.
        exclude: The id of a client that gets nothing.
        permission: What a client must hold to get it; None asks for nothing.
    """

    kind: Kind
    targets: tuple[str, ...]
    event: str
    data: bytes = b"null"
    exclude: str | None = None
    permission: str | None = None


class Backplane(Protocol):
    """Carries envelopes to every hub, the sender's own included, in the sender's order."""

    def publish(self, envelope: Envelope) -> None:
        """Send an envelope; never blocks, and may lose it when what carries it is away."""

    def subscribe(self, receive: Callable[[Envelope], None]) -> None:
        """Call this on the event loop with every envelope."""


class LocalBackplane:
    """The backplane of a single process: a call."""

    def __init__(self) -> None:
        self._receivers: list[Callable[[Envelope], None]] = []

    def publish(self, envelope: Envelope) -> None:
        """Hand the envelope to every hub at once."""
        for receive in self._receivers:
            receive(envelope)

    def subscribe(self, receive: Callable[[Envelope], None]) -> None:
        """Add a hub."""
        self._receivers.append(receive)
