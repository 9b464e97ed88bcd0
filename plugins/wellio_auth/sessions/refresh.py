"""Refresh tokens: their form, and what a token that comes back means. Pure: no clock, no database.

A token is `wr_<session>_<counter>_<secret>_<tag>`. The tag is an HMAC over the rest, so a forged
token is told from an old one, and only an old one can end a session. The database holds SHA-256
hashes alone: a child's secret is derived from its session, its counter and the `requestId` that
asked for it, so the answer to a lost request can be given again without having been stored.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Self

from wellio import Row
from wellio_auth.credentials.digest import digest

_FORM = re.compile(r"wr_([0-9a-f-]{36})_(0|[1-9][0-9]{0,17})_[0-9a-f]{64}_[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A token with a good tag: this server made it."""

    session_id: str
    counter: int
    digest: str


@dataclass(frozen=True, slots=True)
class Rotation:
    """Where a session stands; times in milliseconds UTC."""

    token_hash: str
    previous_hash: str | None
    request_hash: str | None
    rotated_at: int

    @classmethod
    def of(cls, session: Row) -> Self:
        """Return where a stored session stands."""
        return cls(*(session[field] for field in cls.__slots__))


class Verdict(Enum):
    """What to do with a token that came back.

    Attributes:
        ROTATE: It is the current one: make its child.
        REPEAT: Its child was made for this very request, and the answer got lost: give it again.
        IN_PROGRESS: It was replaced a moment ago for another request: a race between two tabs.
        REUSED: It is an old one: somebody holds a copy.
    """

    ROTATE = auto()
    REPEAT = auto()
    IN_PROGRESS = auto()
    REUSED = auto()


class RefreshTokens:
    """Makes and reads refresh tokens under the server's key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def make(self, session_id: str, counter: int, request_id: str) -> str:
        """Return the token that a request gets: the same for the same arguments.

        Args:
            session_id: The session.
            counter: The token's number; a session's first is 0.
            request_id: What makes the secret unpredictable to the session's other tokens.
        """
        secret = self._mac(f"secret|{session_id}|{counter}|{request_id}")
        head = f"wr_{session_id}_{counter}_{secret}"
        return f"{head}_{self._mac('tag|' + head)}"

    def read(self, text: str) -> RefreshToken | None:
        """Return the token of a text, or None when this server did not make it."""
        match = _FORM.fullmatch(text)
        if match is None:
            return None
        head, _, tag = text.rpartition("_")
        if not hmac.compare_digest(tag, self._mac("tag|" + head)):
            return None
        return RefreshToken(match[1], int(match[2]), digest(text))

    def _mac(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()


def judge(
    session: Rotation, token: RefreshToken, request_hash: str, now_ms: int, race_ms: int
) -> Verdict:
    """Decide what a good token means for its session.

    Args:
        session: Where the session stands.
        token: What came.
        request_hash: The digest of the `requestId` that came with it.
        now_ms: The time.
        race_ms: So long after a rotation, the previous token is a race and no theft.
    """
    if token.digest == session.token_hash:
        return Verdict.ROTATE
    if token.digest != session.previous_hash:
        return Verdict.REUSED
    if request_hash == session.request_hash:
        return Verdict.REPEAT
    if now_ms - session.rotated_at < race_ms:
        return Verdict.IN_PROGRESS
    return Verdict.REUSED
