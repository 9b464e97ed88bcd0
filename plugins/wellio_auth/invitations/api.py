"""REST for invitations."""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from wellio import (
    Conflict,
    Forbidden,
    NotFound,
    Page,
    TooManyRequests,
    Wellio,
    call,
    endpoint,
)
from wellio_auth.accounts.service import AccountExists
from wellio_auth.permissions import CREATE_INVITATIONS
from wellio_auth.sessions.api import MADE_ACCOUNT, login, origin_of
from wellio_auth.sessions.models import SignedIn, Tokens

from .models import Invitation, InvitationMade, Redemption, SeenInvitation
from .service import Invitations, UnusableInvitation
from .store import INVITATIONS


def routes(app: Wellio) -> Sequence[object]:
    """Return the routes of `/invitations`."""
    invitations, one = app.service(Invitations), "/invitations/{id}"
    permission = CREATE_INVITATIONS
    return [
        call(
            *("POST", "/invitations", invitations.create),
            returns=InvitationMade,
            wire=_made,
            secret=True,
            permission=permission,
            errors=(Forbidden, AccountExists),
        ),
        call(
            *("GET", "/invitations", invitations.list),
            returns=Page[Invitation],
            wire=_seen,
            permission=permission,
        ),
        call(
            *("GET", one, invitations.get),
            returns=Invitation,
            wire=_seen,
            permission=permission,
            errors=(NotFound,),
        ),
        call("DELETE", one, invitations.revoke, permission=permission, errors=(NotFound,)),
        RedemptionApi(invitations),
    ]


class RedemptionApi:
    """`/invitations/redeem`."""

    def __init__(self, invitations: Invitations) -> None:
        self._invitations = invitations

    @endpoint(
        "POST",
        "/invitations/redeem",
        body=Redemption,
        returns=Tokens,
        wire=login,
        status=201,
        location=MADE_ACCOUNT,
        secret=True,
        public=True,
        errors=(UnusableInvitation, Conflict, TooManyRequests),
    )
    async def redeem(self, request: web.Request, body: Redemption) -> SignedIn:
        """Make the account that an invitation is for, and sign in."""
        return await self._invitations.redeem(body, origin_of(request))


def _seen(invitation: SeenInvitation) -> dict[str, Any]:
    return {
        **INVITATIONS.wire(invitation.row),
        "status": invitation.status,
        "coachId": invitation.coach_id,
    }


def _made(invitation: SeenInvitation) -> dict[str, Any]:
    return {**_seen(invitation), "link": invitation.link}
