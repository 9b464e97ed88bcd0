"""Sessions as this plugin's code and the wire have them."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from wellio import Email, Id, Instant, Row, Wire, rfc3339
from wellio_auth.accounts.models import User, UserBrief
from wellio_auth.credentials.models import Secret

from .refresh import Rotation


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session as a refresh sees it; times in milliseconds UTC."""

    rotation: Rotation
    user_id: str
    expires_at: int
    ends_at: int


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a login came from, as its owner will see it in the list of sessions."""

    ip: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class Grant:
    """A session that has just begun or gone on: what its answer is made of."""

    user: User
    session_id: str
    refresh_token: str


class Login(Wire):
    """`POST /auth/login`."""

    email: Email
    password: Secret


class Refresh(Wire):
    """`POST /auth/refresh`."""

    refresh_token: Secret
    request_id: Annotated[
        str,
        StringConstraints(pattern=r"^[!-~]{16,64}$"),
        Field(
            description="Random, kept by the client until it has the answer; a retry repeats it."
        ),
    ]


class LoginOut(Wire):
    """What a client keeps after a login, a refresh, a redeemed invitation or the set-up."""

    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    user: UserBrief


class SessionOut(Wire):
    """One login of one's own."""

    id: Id
    created_at: Instant
    last_seen_at: Instant
    expires_at: Instant
    ip: str
    user_agent: str
    current: bool


def session_out(row: Row, current_id: str | None) -> dict[str, Any]:
    """Return a session as its owner sees it."""
    return {
        "id": row["id"],
        "createdAt": rfc3339(row["created_at"]),
        "lastSeenAt": rfc3339(row["last_seen_at"]),
        "expiresAt": rfc3339(row["expires_at"]),
        "ip": row["ip"],
        "userAgent": row["user_agent"],
        "current": row["id"] == current_id,
    }
