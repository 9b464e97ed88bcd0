"""What goes wrong between a peer and us, apart from our own bugs."""

from collections.abc import Mapping
from typing import Any, Final

TRY_AGAIN: Final = 1013
"""The WebSocket close code of what holds for now only (IANA's registry: "Try Again Later")."""


class ProtocolError(Exception):
    """The peer sent what its protocol does not allow; its connection is closed."""


class Refused(Exception):
    """The application does not let this peer in.

    Attributes:
        message: One line for people; Socket.IO shows it as `error.message`.
        data: What programs read, as JSON; Socket.IO shows it as `error.data`.
        is_final: Trying again is of no use. Socket.IO can refuse in no other way: a client that is
            to come back is hung up on.
    """

    def __init__(
        self, message: str, data: Mapping[str, Any] | None = None, *, is_final: bool = True
    ) -> None:
        super().__init__(message)
        self.message = message
        self.data = data
        self.is_final = is_final

    @property
    def code(self) -> str:
        """Why, in a word for logs and close frames."""
        return str((self.data or {}).get("code", self.message))


class Disconnected(Exception):
    """The peer left before it acknowledged an event."""
