"""REST: messages, receipts and a conversation's log."""

from typing import Any

from aiohttp import web
from orjson import Fragment

from wellio import (
    ACTOR,
    IF_MATCH,
    Conflict,
    Gone,
    Page,
    Reply,
    created,
    endpoint,
    no_content,
)

from .batch import Sent
from .catchup import CatchUpService
from .history import HistoryService
from .models import (
    Edit,
    HistoryQuery,
    LogEntry,
    LogQuery,
    Mark,
    Marked,
    Message,
    NewMessage,
    SentMessage,
)
from .service import MessageService

Json = dict[str, Any]


def _sent(sent: Sent) -> Reply:
    if sent.is_duplicate:
        return Reply({**sent.message, "duplicate": True}, status=200)
    return created(sent.message, f"/api/v1/messages/{sent.message['id']}")


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
