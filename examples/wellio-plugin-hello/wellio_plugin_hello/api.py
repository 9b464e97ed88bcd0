"""REST: parse, call the service, answer."""

from typing import Any

from aiohttp import web

from wellio import ACTOR, Page, PageQuery, Reply, created, endpoint, no_content

from .models import NewWin, Win, WinCount
from .service import WinService


def _made(win: dict[str, Any]) -> Reply:
    return created(win, f"/api/v1/clients/{win['clientId']}/wins")


class WinApi:
    """`/clients/{id}/wins`: for whoever the practice lets see the client."""

    def __init__(self, wins: WinService) -> None:
        self._wins = wins

    @endpoint(
        "GET",
        "/clients/{id}/wins",
        query=PageQuery,
        returns=Page[Win],
        permission="hello.read",
        object=("client", "id"),
    )
    async def list(self, request: web.Request, query: PageQuery) -> dict[str, Any]:
        """List a client's wins, the newest first."""
        return await self._wins.list(request.match_info["id"], query)

    @endpoint(
        "POST",
        "/clients/{id}/wins",
        body=NewWin,
        returns=Win,
        status=201,
        reply=_made,
        permission="hello.note",
        object=("client", "id"),
    )
    async def note(self, request: web.Request, body: NewWin) -> dict[str, Any]:
        """Note a win."""
        return await self._wins.note(request[ACTOR], request.match_info["id"], body.text)

    @endpoint(
        "DELETE",
        "/clients/{id}/wins/{win_id}",
        status=204,
        permission="hello.note",
        object=("client", "id"),
    )
    async def withdraw(self, request: web.Request) -> Reply:
        """Take a win back that one noted."""
        ids = request.match_info
        await self._wins.withdraw(request[ACTOR], ids["id"], ids["win_id"])
        return no_content()

    @endpoint(
        "GET",
        "/clients/{id}/win-count",
        returns=WinCount,
        permission="hello.read",
        object=("client", "id"),
    )
    async def count(self, request: web.Request) -> dict[str, Any]:
        """Say how many wins a client has."""
        return await self._wins.count(request.match_info["id"])
