"""REST: the list of tags."""

from typing import Any

from aiohttp import web

from wellio import IF_MATCH, Conflict, Page, PageQuery, Reply, created, endpoint, no_content

from .models import Tag, TagName
from .service import TagService


def _made(tag: dict[str, Any]) -> Reply:
    return created(tag, f"/api/v1/tags/{tag['id']}")


class TagApi:
    """`/tags`: staff read and keep them."""

    def __init__(self, tags: TagService) -> None:
        self._tags = tags

    @endpoint("GET", "/tags", query=PageQuery, returns=Page[Tag], permission="clients.read")
    async def list(self, request: web.Request, query: PageQuery) -> dict[str, Any]:
        """List the tags by name."""
        return await self._tags.list(query)

    @endpoint(
        "POST",
        "/tags",
        body=TagName,
        returns=Tag,
        status=201,
        reply=_made,
        permission="clients.manage",
        errors=(Conflict,),
    )
    async def create(self, request: web.Request, body: TagName) -> dict[str, Any]:
        """Make a tag."""
        return await self._tags.create(body.name)

    @endpoint("GET", "/tags/{id}", returns=Tag, permission="clients.read")
    async def read(self, request: web.Request) -> dict[str, Any]:
        """Read one tag."""
        return await self._tags.read(request.match_info["id"])

    @endpoint(
        "PATCH",
        "/tags/{id}",
        body=TagName,
        returns=Tag,
        permission="clients.manage",
        errors=(Conflict,),
    )
    async def rename(self, request: web.Request, body: TagName) -> dict[str, Any]:
        """Give a tag another name."""
        return await self._tags.rename(request.match_info["id"], body.name, request[IF_MATCH])

    @endpoint("DELETE", "/tags/{id}", status=204, permission="clients.manage")
    async def delete(self, request: web.Request) -> Reply:
        """Delete a tag, also from the clients that bear it."""
        await self._tags.delete(request.match_info["id"])
        return no_content()
