"""Realtime: messages, receipts and catch-up over Socket.IO and `/ws`."""

from typing import Any

from wellio import Client, socket_event
from wellio_chat.conversations.models import SyncAck
from wellio_chat.conversations.wire import entry

from . import wire
from .batch import LocalIdReused, NobodyThere
from .catchup import CatchUpService, Resync
from .models import MarkAck, MarkMessage, SendAck, SendMessage, Sync
from .service import MessageService


class MessageSockets:
    """`send_message`, `mark_delivered`, `mark_read`, `sync`."""

    def __init__(self, messages: MessageService, catch_up: CatchUpService) -> None:
        self._messages, self._catch_up = messages, catch_up

    @socket_event(
        "send_message",
        body=SendMessage,
        ack=SendAck,
        permission="chat.send",
        errors=(LocalIdReused, NobodyThere),
    )
    async def send_message(self, client: Client, body: SendMessage) -> dict[str, Any]:
        """Send a message; the acknowledgement comes once it is durable."""
        sent = await self._messages.send(client.actor, body.conversation_id, body, client)
        message = wire.sent(sent)
        if not client.actor.can("chat.read"):  # as over HTTP: it is told what it wrote
            message = {"id": message["id"]}
        answer: dict[str, Any] = {"message": message}
        return {**answer, "duplicate": True} if sent.is_duplicate else answer

    @socket_event("mark_delivered", body=MarkMessage, ack=MarkAck, permission="chat.read")
    async def mark_delivered(self, client: Client, body: MarkMessage) -> dict[str, Any]:
        """Say that everything up to a message arrived."""
        marked = await self._messages.mark(client.actor, body.conversation_id, body, is_read=False)
        return wire.marked(marked)

    @socket_event("mark_read", body=MarkMessage, ack=MarkAck, permission="chat.read")
    async def mark_read(self, client: Client, body: MarkMessage) -> dict[str, Any]:
        """Say that everything up to a message was read."""
        marked = await self._messages.mark(client.actor, body.conversation_id, body, is_read=True)
        return wire.marked(marked)

    @socket_event("sync", body=Sync, ack=SyncAck, permission="chat.read", errors=(Resync,))
    async def sync(self, client: Client, body: Sync) -> dict[str, Any]:
        """Return what happened since a cursor, in all conversations."""
        missed = await self._catch_up.sync(client.actor, body.after)
        items = [entry(it) for it in missed.entries]
        return {"items": items, "next": missed.next, "hasMore": missed.has_more}
