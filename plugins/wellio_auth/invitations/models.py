"""Invitations on the wire."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import orjson
from pydantic import Field

from wellio import Email, Id, Instant, Name, Password, Row, Wire, rfc3339
from wellio_auth.accounts.models import Role
from wellio_auth.credentials.models import Secret


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


class InvitationOut(Wire):
    """An invitation; `link` is there only in the answer that made it."""

    id: Id
    email: str
    role: Role
    status: Literal["pending", "redeemed", "expired"]
    coach_id: Id | None
    invited_by: Id | None
    created_at: Instant
    expires_at: Instant
    link: str | None = None


def invitation_out(row: Row | Mapping[str, Any], now_ms: int) -> dict[str, Any]:
    """Return an invitation as the wire has it, without its link."""
    expired = row["expires_at"] <= now_ms
    return {
        "id": row["id"],
        "email": row["email"],
        "role": row["role"],
        "status": "redeemed" if row["redeemed_at"] else "expired" if expired else "pending",
        "coachId": orjson.loads(row["attributes"]).get("coachId"),
        "invitedBy": row["invited_by"],
        "createdAt": rfc3339(row["created_at"]),
        "expiresAt": rfc3339(row["expires_at"]),
    }
