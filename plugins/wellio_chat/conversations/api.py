"""REST: conversations and their members."""

from typing import Any

from aiohttp import web

from wellio import (
    ACTOR,
    Conflict,
    NotFound,
    Page,
    PageQuery,
    Reply,
    created,
    endpoint,
    no_content,
)

from .models import Conversation, NewConversation, NewMember
from .service import ConversationService

Json = dict[str, Any]


def _made(conversation: Json) -> Reply:
    return created(conversation, f"/api/v1/conversations/{conversation['id']}")


def _opened(opened: tuple[Json, bool]) -> Reply:
    conversation, is_new = opened
    return _made(conversation) if is_new else Reply(conversation, status=200)


class ConversationsApi:
    """`/conversations` and who is in them."""

    def __init__(self, conversations: ConversationService) -> None:
        self._conversations = conversations

    @endpoint(
        "GET", "/conversations", query=PageQuery, returns=Page[Conversation], permission="chat.read"
    )
    async def inbox(self, request: web.Request, query: PageQuery) -> Json:
        """List your conversations, newest activity first."""
        return await self._conversations.inbox(request[ACTOR], query)

    @endpoint(
        "POST",
        "/conversations",
        body=NewConversation,
        returns=Conversation,
        status=201,
        also=(200,),
        reply=_opened,
        permission="chat.send",
        errors=(NotFound,),
    )
    async def open(self, request: web.Request, body: NewConversation) -> tuple[Json, bool]:
        """Open a conversation. A direct one that exists already is answered with 200."""
        return await self._conversations.open(request[ACTOR], body)

    @endpoint("GET", "/conversations/{id}", returns=Conversation, permission="chat.read")
    async def read(self, request: web.Request) -> Json:
        """Read one conversation."""
        return await self._conversations.read(request[ACTOR], request.match_info["id"])

    @endpoint(
        "POST",
        "/conversations/{id}/members",
        body=NewMember,
        returns=Conversation,
        status=201,
        reply=_made,
        object=("conversation", "id"),
        action="manage",
        scope="chat.manage_groups",
        errors=(Conflict,),
    )
    async def add_member(self, request: web.Request, body: NewMember) -> Json:
        """Take somebody into a group; they see all of its history."""
        conversation_id = request.match_info["id"]
        return await self._conversations.add_member(request[ACTOR], conversation_id, body.user_id)

    @endpoint(
        "DELETE",
        "/conversations/{id}/members/{user_id}",
        status=204,
        object=("conversation", "id"),
        scope="chat.manage_groups",
        errors=(Conflict,),
    )
    async def remove_member(self, request: web.Request) -> Reply:
        """Take somebody out of a group (staff), or leave it yourself."""
        actor, ids = request[ACTOR], request.match_info
        if ids["user_id"] != actor.user_id:
            actor.require("chat.manage_groups")
        await self._conversations.remove_member(actor, ids["id"], ids["user_id"])
        return no_content()
