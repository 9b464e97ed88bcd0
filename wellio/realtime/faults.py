"""What goes wrong between a peer and us, apart from our own bugs."""

from collections.abc import Mapping
from typing import Any


class ProtocolError(Exception):
    """The peer sent what its protocol does not allow; its connection is closed."""


class Refused(Exception):
    """The application does not let this peer in.

    Attributes:
        message: One line for people; Socket.IO shows it as `error.message`.
        data: What programs read, as JSON; Socket.IO shows it as `error.data`.
    """

    def __init__(self, message: str, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.data = data


class Disconnected(Exception):
    """The peer left before it acknowledged an event."""
