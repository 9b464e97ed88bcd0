"""REST: messages, receipts and a conversation's log."""

from collections.abc import Sequence
from functools import partial

from orjson import Fragment

from wellio import Page, Reply, Wellio, call, created
from wellio_chat.conversations.models import LogEntry
from wellio_chat.conversations.wire import entry

from . import wire
from .batch import LocalIdReused, NobodyThere
from .catchup import CatchUpService, Resync
from .models import Marked, Message, RepeatedMessage, Sent, SentMessage
from .pages import Pages
from .service import MessageIsDeleted, MessageService


def routes(app: Wellio) -> Sequence[object]:
    """Serve `/messages`, and what is in a conversation."""
    messages = app.service(MessageService)
    return [*_in_conversation(app, messages), *_single(messages)]


def _in_conversation(app: Wellio, messages: MessageService) -> Sequence[object]:
    return [
        call(
            "GET",
            "/conversations/{id}/messages",
            app.service(Pages).read,
            returns=Page[Message],
            reply=Fragment,
            permission="chat.read",
        ),
        call(
            "POST",
            "/conversations/{id}/messages",
            messages.send,
            returns=SentMessage | RepeatedMessage,
            also=(200,),
            reply=_sent,
            told=("id", "duplicate"),
            permission="chat.send",
            errors=(LocalIdReused, NobodyThere),
        ),
        call(
            "POST",
            "/conversations/{id}/read",
            partial(messages.mark, is_read=True),
            returns=Marked,
            wire=wire.marked,
            status=200,
            permission="chat.read",
        ),
        call(
            "GET",
            "/conversations/{id}/events",
            app.service(CatchUpService).log,
            returns=Page[LogEntry],
            wire=entry,
            permission="chat.read",
            errors=(Resync,),
        ),
    ]


def _single(messages: MessageService) -> Sequence[object]:
    return [
        call(
            "GET",
            "/messages/{id}",
            messages.read,
            returns=Message,
            wire=wire.message,
            permission="chat.read",
        ),
        call(
            "PATCH",
            "/messages/{id}",
            messages.edit,
            returns=Message,
            wire=wire.message,
            object=("message", "id"),
            action="change",
            scope="chat.send",
            errors=(MessageIsDeleted,),
        ),
        call(
            "DELETE",
            "/messages/{id}",
            messages.delete,
            object=("message", "id"),
            action="change",
            scope="chat.send",
        ),
    ]


def _sent(sent: Sent) -> Reply:
    """Answer 201 with a new message, 200 with one that an earlier send stored."""
    message = wire.sent(sent)
    if sent.is_duplicate:
        return Reply({**message, "duplicate": True}, status=200)
    return created(message, f"/api/v1/messages/{message['id']}")
