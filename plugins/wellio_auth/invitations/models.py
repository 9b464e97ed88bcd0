"""Invitations as this plugin's code and the wire have them."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from wellio import Email, Id, Instant, Name, Password, Role, Row, Wire
from wellio_auth.credentials.models import Secret

Status = Literal["pending", "redeemed", "expired"]


@dataclass(frozen=True, slots=True)
class SeenInvitation:
    """An invitation as it is now; its link is known to who has just made it."""

    row: Row
    status: Status
    coach_id: str | None
    link: str | None = None


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


class StoredInvitation(Wire):
    """An invitation as it is stored."""

    id: Id
    email: str
    role: Role
    invited_by: Id | None
    created_at: Instant
    expires_at: Instant


class Invitation(StoredInvitation):
    """An invitation."""

    status: Status
    coach_id: Id | None


class InvitationMade(Invitation):
    """An invitation that was just made."""

    link: str
