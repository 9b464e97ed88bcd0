"""Accounts as this plugin's code and the wire have them."""

from dataclasses import dataclass
from typing import Any, Literal

from wellio import Actor, Id, Instant, Name, PageQuery, Password, Wire, rfc3339
from wellio_auth.credentials.models import Secret

Role = Literal["owner", "coach", "assistant", "client"]
Status = Literal["active", "disabled"]


@dataclass(frozen=True, slots=True)
class User:
    """An account as it is stored, and not erased; times in milliseconds UTC."""

    id: str
    email: str
    name: str
    role: str
    status: str
    password_hash: str | None
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


class UserBrief(Wire):
    """The account in a login's answer."""

    id: Id
    email: str
    name: str
    role: Role


class UserOut(UserBrief):
    """An account."""

    status: Status
    created_at: Instant


class MeOut(UserOut):
    """One's own account."""

    permissions: list[str]


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
