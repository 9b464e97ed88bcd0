"""Sends, edits, deletes and marks messages, and reads one."""

from wellio import (
    ABSENT,
    Actor,
    Client,
    Conflict,
    Forbidden,
    IfMatch,
    NotFound,
    Row,
    Tx,
    Wellio,
    invalid,
    new_id,
)
from wellio_chat.config import ChatConfig
from wellio_chat.conversations import ledger
from wellio_chat.conversations.broadcast import Broadcast
from wellio_chat.conversations.entry import Entry
from wellio_chat.conversations.ledger import Head, Members
from wellio_chat.events import MessageDeleted, MessageEdited, MessageRead

from . import store
from .append import Draft, content_hash, local_key
from .batch import Appender
from .models import Edit, Mark, NewMessage, Sent, Watermarks


class MessageIsDeleted(Conflict):
    """409: what was deleted cannot be changed any more."""

    default_code, default_detail = "message_deleted", "This message was deleted."


class MessageService:
    """What a member does with messages; to everybody else they do not exist."""

    def __init__(self, app: Wellio) -> None:
        self._db, self._bus, self._clock = app.db, app.bus, app.clock
        self._broadcast = app.service(Broadcast)
        settings = app.settings(ChatConfig)
        self._budget = app.limits.budget("messages", settings.messages)
        self._text_bytes = settings.text_bytes
        # Keyed, so that a deleted message cannot be guessed from what stays of it.
        self._hash_key = app.crypto.derive("chat.local_id")
        self._local_key = app.crypto.derive("chat.local_key")
        # Kept, since waiting sends form a batch only under one and the same function.
        self._append = Appender(app.bus, self._broadcast).append

    async def send(
        self,
        actor: Actor,
        conversation_id: str,
        message: NewMessage,
        origin: Client | None = None,
    ) -> Sent:
        """Send a message; it is durable when this returns.

        The same `localId` again stores and tells nothing, and returns what is stored.

        Args:
            actor: Who sends.
            conversation_id: Where to.
            message: What.
            origin: The socket it came from, which is not told of its own message.

        Raises:
            NotFound: The actor is no member.
            Conflict: `local_id_reused`, `nobody_there`.
            Invalid: The content is too long, or `replyTo` is no message of this conversation.
            TooManyRequests: The actor sent too many.
        """
        self._budget.spend(actor.user_id)
        self._check_length(message.content)
        draft = Draft(
            id=new_id(),
            conversation_id=conversation_id,
            sender_id=actor.user_id,
            type=message.type,
            content=message.content,
            local_id=message.local_id,
            local_key=None
            if message.local_id is None
            else local_key(actor.user_id, conversation_id, message.local_id, self._local_key),
            content_hash=None
            if message.local_id is None
            else content_hash(message, self._hash_key),
            reply_to=message.reply_to,
            created_at=self._clock.now_ms(),
            members=self._broadcast.known(conversation_id),
            origin=origin,
        )
        return await self._db.write_batched(self._append, draft)

    async def read(self, actor: Actor, message_id: str) -> Row:
        """Read one message."""
        return _found(await store.read(self._db, message_id, actor.user_id))

    async def edit(self, actor: Actor, message_id: str, edit: Edit, if_match: IfMatch) -> Row:
        """Change the content of your message.

        Raises:
            NotFound: There is no such message, or the actor is no member any more.
            Conflict: `message_deleted`.
            PreconditionFailed: It is in another state than the actor insists on.
        """
        if edit.content is not ABSENT:
            self._check_length(edit.content)
        now = self._clock.now_ms()
        return await self._db.write(self._edit, actor, message_id, edit.content, if_match, now)

    async def delete(self, actor: Actor, message_id: str) -> None:
        """Take the content of your message away; its place stays. Again is no mistake."""
        await self._db.write(self._delete, actor, message_id, self._clock.now_ms())

    async def mark(
        self, actor: Actor, conversation_id: str, upto: Mark, *, is_read: bool
    ) -> Watermarks:
        """Say that you read, or received, everything up to a message.

        The watermarks never go back, and what is read is delivered too.

        Returns:
            The actor's watermarks afterwards.

        Raises:
            NotFound: It is no message of a conversation of theirs.
        """
        return await self._db.write(
            self._mark,
            actor,
            conversation_id,
            upto.message_id,
            "read" if is_read else "delivered",
            self._clock.now_ms(),
            self._broadcast.known(conversation_id),
        )

    async def _edit(
        self, tx: Tx, actor: Actor, message_id: str, content: str, if_match: IfMatch, at: int
    ) -> Row:
        head, row = await self._own(tx, actor, message_id)
        if row["deleted_at"] is not None:
            raise MessageIsDeleted
        if_match.check(tx, row)
        if content is ABSENT or row["body"] == content:
            return row
        await store.edit(tx, message_id, content, at)
        event_seq = head.add_event("message_updated", at, message_id=message_id)
        await ledger.save(tx, [head])
        event = MessageEdited(
            at=at,
            actor_id=actor.user_id,
            client_id=head.client_id,
            message_id=message_id,
            conversation_id=head.id,
        )
        await self._bus.publish(tx, event)
        changed = _found(await store.read(tx, message_id, actor.user_id))
        entry = Entry(head.id, event_seq, "message_updated", changed)
        await self._broadcast.announce(tx, head, entry)
        return changed

    async def _delete(self, tx: Tx, actor: Actor, message_id: str, at: int) -> None:
        head, row = await self._own(tx, actor, message_id)
        if row["deleted_at"] is not None:
            return
        await store.delete(tx, row, at)
        event_seq = head.add_event("message_deleted", at, message_id=message_id)
        await ledger.save(tx, [head])
        event = MessageDeleted(
            at=at,
            actor_id=actor.user_id,
            client_id=head.client_id,
            message_id=message_id,
            conversation_id=head.id,
        )
        await self._bus.publish(tx, event)
        gone = {"id": message_id, "seq": row["seq"], "deleted_at": at}
        entry = Entry(head.id, event_seq, "message_deleted", gone)
        await self._broadcast.announce(tx, head, entry)

    async def _own(self, tx: Tx, actor: Actor, message_id: str) -> tuple[Head, Row]:
        """Lock the conversation of a message and return both, if it is the actor's to change."""
        head = await ledger.lock_of_message(tx, message_id)
        row = await store.read(tx, message_id, actor.user_id)
        if head is None or row is None:
            raise NotFound
        if row["sender_id"] != actor.user_id:
            raise Forbidden("Only its sender may change a message.")
        return head, row

    async def _mark(
        self,
        tx: Tx,
        actor: Actor,
        conversation_id: str,
        message_id: str,
        status: str,
        at: int,
        known: Members | None,
    ) -> Watermarks:
        head = (await ledger.lock(tx, [conversation_id])).get(conversation_id)
        if head is None:
            raise NotFound
        row = await store.watermarks(tx, head, actor.user_id, message_id)
        if row is None:
            raise NotFound
        seq, uncounted = row["seq"], row["uncounted"]
        delivered_seq = max(row["delivered_seq"], seq)
        read_seq = max(row["read_seq"], seq) if status == "read" else row["read_seq"]
        if (delivered_seq, read_seq) != (row["delivered_seq"], row["read_seq"]):
            if read_seq > row["read_seq"]:
                uncounted = await store.uncounted_above(tx, head, actor.user_id, read_seq)
            await store.advance(
                tx,
                head,
                actor.user_id,
                delivered_seq=delivered_seq,
                read_seq=read_seq,
                uncounted=uncounted,
            )
            await self._tell_status(tx, head, actor.user_id, message_id, status, seq, at, known)
        unread = head.last_seq - read_seq - uncounted
        return Watermarks(delivered_seq, read_seq, unread)

    async def _tell_status(
        self,
        tx: Tx,
        head: Head,
        user_id: str,
        message_id: str,
        status: str,
        seq: int,
        at: int,
        known: Members | None,
    ) -> None:
        event_seq = head.add_event(
            "message_status", at, message_id=message_id, user_id=user_id, status=status, seq=seq
        )
        await ledger.save(tx, [head])
        if status == "read":
            event = MessageRead(
                at=at,
                actor_id=user_id,
                client_id=head.client_id,
                message_id=message_id,
                conversation_id=head.id,
                user_id=user_id,
            )
            await self._bus.publish(tx, event)
        entry = Entry(
            head.id,
            event_seq,
            "message_status",
            message_id=message_id,
            user_id=user_id,
            status=status,
            seq=seq,
        )
        await self._broadcast.announce(tx, head, entry, known)

    def _check_length(self, content: str) -> None:
        if len(content.encode()) > self._text_bytes:
            raise invalid(
                "/content", "too_long", f"must be at most {self._text_bytes} bytes of UTF-8"
            )


def _found(row: Row | None) -> Row:
    if row is None:
        raise NotFound
    return row
