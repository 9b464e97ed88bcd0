"""Accounts as this plugin's code and the wire have them."""

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from wellio import (
    ABSENT,
    Id,
    Instant,
    Locale,
    Name,
    PageQuery,
    Password,
    Phone,
    Role,
    Row,
    TimeZone,
    Wire,
)
from wellio_auth.credentials.models import Secret

Status = Literal["active", "disabled"]


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What an account is made of; the password is hashed already."""

    email: str
    name: str
    role: str
    password_hash: str


@dataclass(frozen=True, slots=True)
class OwnAccount:
    """An account as its holder sees it, with what they may do."""

    user: Row
    permissions: frozenset[str]


def is_active(user: Row) -> bool:
    """Tell whether the holder of an account may sign in."""
    return bool(user["status"] == "active")


def is_coach(user: Row) -> bool:
    """Tell whether the holder of an account may look after clients."""
    return is_active(user) and user["role"] in {"owner", "coach"}


class PasswordChange(Wire):
    """`POST /auth/password`."""

    current: Secret
    new: Password


class MeChange(Wire):
    """`PATCH /me`; what is absent stays, null empties."""

    name: Name = ABSENT
    phone: Phone | None = ABSENT
    time_zone: TimeZone | None = ABSENT
    locale: Locale | None = ABSENT


PROFILE = ("phone", "time_zone", "locale")
"""What people say of themselves, and may leave open."""


class UserChange(Wire):
    """`PATCH /users/{id}`; what is absent stays."""

    name: Name = ABSENT
    role: Role = ABSENT
    status: Status = ABSENT


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


class User(UserBrief):
    """An account."""

    status: Status
    created_at: Instant


class Me(User):
    """One's own account."""

    phone: str | None
    time_zone: str | None = Field(description="Null where the practice's goes.")
    locale: str | None = Field(description="Null where the practice's goes.")
    permissions: list[str]
