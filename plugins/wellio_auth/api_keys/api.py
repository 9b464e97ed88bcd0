"""REST for API keys: for people who signed in, never for a key."""

from typing import Any

from aiohttp import web

from wellio import ACTOR, Conflict, NotFound, Page, PageQuery, Reply, created, endpoint, no_content
from wellio_auth.permissions import CREATE_API_KEYS

from .models import ApiKeyOut, NewApiKey
from .service import ApiKeys


class ApiKeysApi:
    """`/api-keys`."""

    def __init__(self, keys: ApiKeys) -> None:
        self._keys = keys

    @endpoint(
        "POST",
        "/api-keys",
        body=NewApiKey,
        returns=ApiKeyOut,
        status=201,
        secret=True,
        permission=CREATE_API_KEYS,
        errors=(Conflict,),
    )
    async def create(self, request: web.Request, body: NewApiKey) -> Reply:
        """Make a key for a program that acts in your name.

        The answer, and nothing else ever, holds the key. It can do what its scopes say, as far as
        you may still do it, and ends with your account.
        """
        made = await self._keys.create(request[ACTOR], body)
        return created(made, f"/api/v1/api-keys/{made['id']}")

    @endpoint(
        "GET", "/api-keys", query=PageQuery, returns=Page[ApiKeyOut], permission=CREATE_API_KEYS
    )
    async def list(self, request: web.Request, query: PageQuery) -> dict[str, Any]:
        """List your keys, the owner everybody's, the newest first."""
        return await self._keys.list(request[ACTOR], query)

    @endpoint(
        "GET",
        "/api-keys/{id}",
        returns=ApiKeyOut,
        permission=CREATE_API_KEYS,
        errors=(NotFound,),
    )
    async def read(self, request: web.Request) -> dict[str, Any]:
        """Read what a key may do, and when it was last used."""
        return await self._keys.get(request[ACTOR], request.match_info["id"])

    @endpoint(
        "DELETE", "/api-keys/{id}", status=204, permission=CREATE_API_KEYS, errors=(NotFound,)
    )
    async def revoke(self, request: web.Request) -> Reply:
        """End a key, its sockets included, at once."""
        await self._keys.revoke(request[ACTOR], request.match_info["id"])
        return no_content()
