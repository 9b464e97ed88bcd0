"""REST for accounts: one's own, and everybody's for the owner."""

from typing import Any

from aiohttp import web

from wellio import (
    ACTOR,
    IF_MATCH,
    Conflict,
    NotFound,
    Page,
    Reply,
    TooManyRequests,
    endpoint,
    no_content,
)
from wellio_auth.permissions import MANAGE_USERS, READ_USERS

from .models import (
    MeChange,
    MeOut,
    PasswordChange,
    UserChange,
    UserOut,
    UserQuery,
    me_out,
    user_out,
)
from .service import Accounts


class AccountsApi:
    """One's own account, and everybody's for the owner."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    @endpoint("GET", "/me", returns=MeOut, scope="*")
    async def me(self, request: web.Request) -> dict[str, Any]:
        """Read one's own account, and what one may do."""
        actor = request[ACTOR]
        return me_out(await self._accounts.get(actor.user_id), actor)

    @endpoint("PATCH", "/me", body=MeChange, returns=MeOut)
    async def change_me(self, request: web.Request, body: MeChange) -> dict[str, Any]:
        """Change one's own account."""
        actor = request[ACTOR]
        return me_out(await self._accounts.rename(actor, body, request[IF_MATCH]), actor)

    @endpoint("GET", "/users", query=UserQuery, returns=Page[UserOut], permission=READ_USERS)
    async def list(self, request: web.Request, query: UserQuery) -> dict[str, Any]:
        """List accounts by name."""
        return await self._accounts.list(query)

    @endpoint("GET", "/users/{id}", returns=UserOut, permission=READ_USERS, errors=(NotFound,))
    async def read(self, request: web.Request) -> dict[str, Any]:
        """Read an account."""
        return user_out(await self._accounts.get(request.match_info["id"]))

    @endpoint(
        "PATCH",
        "/users/{id}",
        body=UserChange,
        returns=UserOut,
        permission=MANAGE_USERS,
        errors=(NotFound, Conflict),
    )
    async def change(self, request: web.Request, body: UserChange) -> dict[str, Any]:
        """Change an account's name, role or status.

        It takes effect at once: the sessions and sockets of a disabled person end.
        """
        user = await self._accounts.change(
            request[ACTOR], request.match_info["id"], body, request[IF_MATCH]
        )
        return user_out(user)

    @endpoint(
        "POST",
        "/auth/password",
        body=PasswordChange,
        status=204,
        errors=(TooManyRequests,),
    )
    async def change_password(self, request: web.Request, body: PasswordChange) -> Reply:
        """Change one's password; one's other sessions end."""
        await self._accounts.change_password(request[ACTOR], body)
        return no_content()
