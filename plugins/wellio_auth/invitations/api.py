"""REST for invitations."""

from typing import Any

from aiohttp import web

from wellio import (
    ACTOR,
    Conflict,
    Forbidden,
    Gone,
    NotFound,
    Page,
    PageQuery,
    Reply,
    TooManyRequests,
    created,
    endpoint,
    no_content,
)
from wellio_auth.permissions import CREATE_INVITATIONS
from wellio_auth.sessions.api import MADE_ACCOUNT, origin_of
from wellio_auth.sessions.models import LoginOut

from .models import InvitationOut, NewInvitation, Redemption
from .service import Invitations


class InvitationsApi:
    """`/invitations`."""

    def __init__(self, invitations: Invitations) -> None:
        self._invitations = invitations

    @endpoint(
        "POST",
        "/invitations",
        body=NewInvitation,
        returns=InvitationOut,
        status=201,
        secret=True,
        permission=CREATE_INVITATIONS,
        errors=(Forbidden, Conflict),
    )
    async def create(self, request: web.Request, body: NewInvitation) -> Reply:
        """Invite somebody by mail: the owner anybody, a coach clients of their own.

        The answer holds the link too, and no later one does.
        """
        made = await self._invitations.create(request[ACTOR], body)
        return created(made, f"/api/v1/invitations/{made['id']}")

    @endpoint(
        "GET",
        "/invitations",
        query=PageQuery,
        returns=Page[InvitationOut],
        permission=CREATE_INVITATIONS,
    )
    async def list(self, request: web.Request, query: PageQuery) -> dict[str, Any]:
        """List one's invitations, the owner everybody's, the newest first."""
        return await self._invitations.list(request[ACTOR], query)

    @endpoint(
        "GET",
        "/invitations/{id}",
        returns=InvitationOut,
        permission=CREATE_INVITATIONS,
        errors=(NotFound,),
    )
    async def read(self, request: web.Request) -> dict[str, Any]:
        """Read an invitation."""
        return await self._invitations.get(request[ACTOR], request.match_info["id"])

    @endpoint(
        "DELETE",
        "/invitations/{id}",
        status=204,
        permission=CREATE_INVITATIONS,
        errors=(NotFound,),
    )
    async def revoke(self, request: web.Request) -> Reply:
        """Take back an invitation that was not used."""
        await self._invitations.revoke(request[ACTOR], request.match_info["id"])
        return no_content()

    @endpoint(
        "POST",
        "/invitations/redeem",
        body=Redemption,
        returns=LoginOut,
        status=201,
        secret=True,
        public=True,
        errors=(Gone, Conflict, TooManyRequests),
    )
    async def redeem(self, request: web.Request, body: Redemption) -> Reply:
        """Make the account that an invitation is for, and sign in."""
        return created(await self._invitations.redeem(body, origin_of(request)), MADE_ACCOUNT)
