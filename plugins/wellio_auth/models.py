"""Accounts, sessions and invitations as this plugin's code and the wire have them."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from wellio import (
    Actor,
    Currency,
    Email,
    Id,
    Locale,
    Name,
    PageQuery,
    Password,
    Row,
    Text,
    TimeZone,
    Wire,
    rfc3339,
)

from .refresh import Rotation

Role = Literal["owner", "coach", "assistant", "client"]
Status = Literal["active", "disabled"]
Secret = Annotated[Text, StringConstraints(max_length=512)]
"""A token or an existing password: its form is nobody's business before it is compared."""
Timestamp = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


# ------------------------------------------------------------------------------------ inside


@dataclass(frozen=True, slots=True)
class User:
    """An account as it is stored; times in milliseconds UTC."""

    id: str
    email: str
    name: str
    role: str
    status: str
    password_hash: str
    created_at: int

    @property
    def is_active(self) -> bool:
        """Tell whether the person may sign in."""
        return self.status == "active"


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What an account is made of; the password is hashed already."""

    email: str
    name: str
    role: str
    password_hash: str


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


# --------------------------------------------------------------------------------- requests


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


class PasswordChange(Wire):
    """`POST /auth/password`."""

    current: Secret
    new: Password


class MeChange(Wire):
    """`PATCH /me`."""

    name: Name | None = None


class UserChange(Wire):
    """`PATCH /users/{id}`; what is absent stays."""

    name: Name | None = None
    role: Role | None = None
    status: Status | None = None


class UserQuery(PageQuery):
    """`GET /users`."""

    role: Role | None = None
    status: Status | None = None


class NewInvitation(Wire):
    """`POST /invitations`."""

    email: Email
    role: Role
    coach_id: Annotated[
        Id | None, Field(description="Whom the client is assigned to; a coach's own by default.")
    ] = None


class Redemption(Wire):
    """`POST /invitations/redeem`."""

    token: Secret
    name: Name
    password: Password


class PracticeSetup(Wire):
    """The practice as the set-up describes it."""

    name: Name
    time_zone: TimeZone
    currency: Currency
    locale: Locale


class OwnerSetup(Wire):
    """The first account."""

    name: Name
    email: Email
    password: Password


class NewUser(BaseModel):
    """`wellio user create`, and the owner whom `[setup]` names."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    email: Email
    name: Name
    role: Role
    coach: Annotated[Email | None, Field(description="Whom a client is assigned to.")] = None
    password: Annotated[SecretStr, Field(min_length=10, max_length=256)]


class SetupRequest(Wire):
    """`POST /setup`."""

    token: Secret
    practice: PracticeSetup
    owner: OwnerSetup


# ---------------------------------------------------------------------------------- answers


class UserBrief(Wire):
    """The account in a login's answer."""

    id: Id
    email: str
    name: str
    role: Role


class UserOut(UserBrief):
    """An account."""

    status: Status
    created_at: Timestamp


class MeOut(UserOut):
    """One's own account."""

    permissions: list[str]


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
    created_at: Timestamp
    last_seen_at: Timestamp
    expires_at: Timestamp
    ip: str
    user_agent: str
    current: bool


class InvitationOut(Wire):
    """An invitation; `link` is there only in the answer that made it."""

    id: Id
    email: str
    role: Role
    status: Literal["pending", "redeemed", "expired"]
    coach_id: Id | None
    invited_by: Id | None
    created_at: Timestamp
    expires_at: Timestamp
    link: str | None = None


def user_brief(user: User) -> dict[str, Any]:
    """Return an account as a login's answer has it."""
    return {"id": user.id, "email": user.email, "name": user.name, "role": user.role}


def user_out(user: User) -> dict[str, Any]:
    """Return an account as its lists have it."""
    return {
        **user_brief(user),
        "status": user.status,
        "createdAt": rfc3339(user.created_at),
    }


def me_out(user: User, actor: Actor) -> dict[str, Any]:
    """Return an account as its holder sees it, with what they may do."""
    return {**user_out(user), "permissions": sorted(actor.permissions)}


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
