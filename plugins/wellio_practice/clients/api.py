"""REST: client records, their coaches and their tags."""

from typing import Any

from aiohttp import web

from wellio import ACTOR, IF_MATCH, Page, Reply, created, endpoint, no_content

from .models import Client, ClientChange, ClientQuery, NewClient
from .service import ClientService


def _made(client: dict[str, Any]) -> Reply:
    return created(client, f"/api/v1/clients/{client['id']}")


class ClientApi:
    """`/clients`."""

    def __init__(self, clients: ClientService) -> None:
        self._clients = clients

    @endpoint("GET", "/clients", query=ClientQuery, returns=Page[Client], scope="clients.read")
    async def search(self, request: web.Request, query: ClientQuery) -> dict[str, Any]:
        """List the clients that you may see, by name; a client sees their own record."""
        return await self._clients.search(request[ACTOR], query)

    @endpoint(
        "POST",
        "/clients",
        body=NewClient,
        returns=Client,
        status=201,
        reply=_made,
        permission="clients.manage",
    )
    async def create(self, request: web.Request, body: NewClient) -> dict[str, Any]:
        """Make a record of somebody who may or may not get an account."""
        return await self._clients.create(request[ACTOR], body)

    @endpoint("GET", "/clients/{id}", returns=Client, object=("client", "id"), scope="clients.read")
    async def read(self, request: web.Request) -> dict[str, Any]:
        """Read one client."""
        return await self._clients.read(request[ACTOR], request.match_info["id"])

    @endpoint(
        "PATCH",
        "/clients/{id}",
        body=ClientChange,
        returns=Client,
        object=("client", "id"),
        action="update",
        scope="clients.manage",
    )
    async def change(self, request: web.Request, body: ClientChange) -> dict[str, Any]:
        """Change the fields that are given; null empties one."""
        return await self._clients.change(
            request[ACTOR], request.match_info["id"], body, request[IF_MATCH]
        )

    @endpoint(
        "PUT",
        "/clients/{id}/coaches/{coach_id}",
        status=204,
        object=("client", "id"),
        action="assign",
        scope="clients.manage",
    )
    async def assign(self, request: web.Request) -> Reply:
        """Have a coach look after a client."""
        ids = request.match_info
        await self._clients.assign(request[ACTOR], ids["id"], ids["coach_id"])
        return no_content()

    @endpoint(
        "DELETE",
        "/clients/{id}/coaches/{coach_id}",
        status=204,
        object=("client", "id"),
        action="assign",
        scope="clients.manage",
    )
    async def unassign(self, request: web.Request) -> Reply:
        """End that a coach looks after a client."""
        ids = request.match_info
        await self._clients.unassign(request[ACTOR], ids["id"], ids["coach_id"])
        return no_content()

    @endpoint(
        "PUT",
        "/clients/{id}/tags/{tag_id}",
        status=204,
        object=("client", "id"),
        action="update",
        scope="clients.manage",
    )
    async def tag(self, request: web.Request) -> Reply:
        """Put a tag on a client."""
        ids = request.match_info
        await self._clients.tag(request[ACTOR], ids["id"], ids["tag_id"])
        return no_content()

    @endpoint(
        "DELETE",
        "/clients/{id}/tags/{tag_id}",
        status=204,
        object=("client", "id"),
        action="update",
        scope="clients.manage",
    )
    async def untag(self, request: web.Request) -> Reply:
        """Take a tag off a client."""
        ids = request.match_info
        await self._clients.untag(request[ACTOR], ids["id"], ids["tag_id"])
        return no_content()
