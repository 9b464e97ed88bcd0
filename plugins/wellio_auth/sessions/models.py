"""Sessions as this plugin's code and the wire have them."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from wellio import Email, Form, Id, Instant, Row, Wire
from wellio_auth.accounts.models import UserBrief
from wellio_auth.credentials.models import Secret


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a login came from, as its owner will see it in the list of sessions."""

    ip: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class Grant:
    """A session that has just begun or gone on; of its account `id, email, name, role` at least."""

    user: Row
    session_id: str
    refresh_token: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a client keeps of a session."""

    user: Row
    access_token: str
    refresh_token: str
    expires_in_s: int


@dataclass(frozen=True, slots=True)
class OwnSession:
    """A session as its holder sees it."""

    row: Row
    is_current: bool


class Login(Wire):
    """`POST /auth/login`."""

    email: Email
    password: Secret


class Refresh(Wire):
    """`POST /auth/refresh`."""

    refresh_token: Secret
    request_id: Annotated[
        str,
        Form(r"[!-~]{16,64}", "must be 16 to 64 visible characters of ASCII"),
        Field(
            description="Random, kept by the client until it has the answer; a retry repeats it."
        ),
    ]


class Tokens(Wire):
    """What a client keeps after a login, a refresh, a redeemed invitation or the set-up."""

    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    user: UserBrief


class StoredSession(Wire):
    """One login, as it is stored."""

    id: Id
    created_at: Instant
    last_seen_at: Instant
    expires_at: Instant
    ip: str
    user_agent: str


class Session(StoredSession):
    """One login of one's own."""

    current: bool
