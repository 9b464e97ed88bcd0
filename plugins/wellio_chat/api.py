"""REST: conversations, their members and their messages."""

from typing import Any

from aiohttp import web
from orjson import Fragment

from wellio import (
    ACTOR,
    IF_MATCH,
    Conflict,
    Gone,
    NotFound,
    Page,
    PageQuery,
    Reply,
    created,
    endpoint,
    no_content,
)

from .models import (
    Conversation,
    Edit,
    HistoryQuery,
    LogEntry,
    LogQuery,
    Mark,
    Marked,
    Message,
    NewConversation,
    NewMember,
    NewMessage,
    SentMessage,
)
from .service.catchup import CatchUpService
from .service.conversations import ConversationService
from .service.history import HistoryService
from .service.messages import MessageService
from .store.append import Sent

Json = dict[str, Any]


def _made(conversation: Json) -> Reply:
    return created(conversation, f"/api/v1/conversations/{conversation['id']}")


def _opened(opened: tuple[Json, bool]) -> Reply:
    conversation, is_new = opened
    return _made(conversation) if is_new else Reply(conversation, status=200)


def _sent(sent: Sent) -> Reply:
    if sent.is_duplicate:
        return Reply({**sent.message, "duplicate": True}, status=200)
    return created(sent.message, f"/api/v1/messages/{sent.message['id']}")


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


class MessagesApi:
    """Messages, receipts and a conversation's log."""

    def __init__(
        self, messages: MessageService, history: HistoryService, catch_up: CatchUpService
    ) -> None:
        self._messages, self._history, self._catch_up = messages, history, catch_up

    @endpoint(
        "GET",
        "/conversations/{id}/messages",
        query=HistoryQuery,
        returns=Page[Message],
        permission="chat.read",
    )
    async def history(self, request: web.Request, query: HistoryQuery) -> Fragment:
        """List messages, newest first; with `afterSeq` ascending from there."""
        return await self._history.read(request[ACTOR], request.match_info["id"], query)

    @endpoint(
        "POST",
        "/conversations/{id}/messages",
        body=NewMessage,
        returns=SentMessage,
        status=201,
        also=(200,),
        reply=_sent,
        permission="chat.send",
        errors=(Conflict,),
    )
    async def send(self, request: web.Request, body: NewMessage) -> Sent:
        """Send a message. The same `localId` again answers 200 with the stored one."""
        return await self._messages.send(request[ACTOR], request.match_info["id"], body)

    @endpoint("POST", "/conversations/{id}/read", body=Mark, returns=Marked, permission="chat.read")
    async def mark_read(self, request: web.Request, body: Mark) -> Json:
        """Say that you read everything up to a message."""
        return await self._messages.mark(
            request[ACTOR], request.match_info["id"], body.message_id, is_read=True
        )

    @endpoint(
        "GET",
        "/conversations/{id}/events",
        query=LogQuery,
        returns=Page[LogEntry],
        permission="chat.read",
        errors=(Gone,),
    )
    async def log(self, request: web.Request, query: LogQuery) -> Json:
        """List what happened in a conversation after an `eventSeq`."""
        return await self._catch_up.log(request[ACTOR], request.match_info["id"], query)

    @endpoint("GET", "/messages/{id}", returns=Message, permission="chat.read")
    async def read(self, request: web.Request) -> Json:
        """Read one message."""
        return await self._messages.read(request[ACTOR], request.match_info["id"])

    @endpoint(
        "PATCH",
        "/messages/{id}",
        body=Edit,
        returns=Message,
        object=("message", "id"),
        action="change",
        scope="chat.send",
        errors=(Conflict,),
    )
    async def edit(self, request: web.Request, body: Edit) -> Json:
        """Change the content of your message."""
        return await self._messages.edit(
            request[ACTOR], request.match_info["id"], body, request[IF_MATCH]
        )

    @endpoint(
        "DELETE",
        "/messages/{id}",
        status=204,
        object=("message", "id"),
        action="change",
        scope="chat.send",
    )
    async def delete(self, request: web.Request) -> Reply:
        """Take the content of your message away; its place stays."""
        await self._messages.delete(request[ACTOR], request.match_info["id"])
        return no_content()
