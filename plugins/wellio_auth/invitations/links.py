"""The links of invitations: their tokens are made when they are needed, and stored nowhere."""

import base64
import hashlib
import hmac

from wellio import Wellio


class InvitationLinks:
    """Makes the token of an invitation from its id, the same at every call.

    It is an HMAC-SHA-256 under a key of its own, so whoever reads rows, events and jobs learns ids
    and hashes of tokens, and cannot make one.
    """

    def __init__(self, app: Wellio) -> None:
        self._key = app.crypto.derive("auth.invitation")
        self._base_url = app.config.server.url

    def token(self, invitation_id: str) -> str:
        """Return the invitation's token: 43 characters that are safe in a URL."""
        mac = hmac.digest(self._key, invitation_id.encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(mac).decode().rstrip("=")

    def link(self, invitation_id: str) -> str:
        """Return the address that redeems it; its fragment reaches no server's log."""
        return f"{self._base_url}/invite#token={self.token(invitation_id)}"
