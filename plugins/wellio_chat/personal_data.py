"""What the chat stores about a person, handed out and taken away.

An erased person's messages become tombstones: the others see that something stood there, and
`seq` keeps no gap. The log tells of it, so that their devices forget the contents too.
"""

from typing import Any, ClassVar

from wellio import Event, Row, Tx, Wellio

from .conversations import ledger, personal
from .conversations.broadcast import Broadcast, Notice
from .conversations.entry import Entry
from .conversations.ledger import Head, Members
from .events import MemberRemoved, MessageDeleted


class ChatData:
    """Memberships, own messages and receipts."""

    tables: ClassVar[tuple[str, ...]] = (
        "chat_conversation",
        "chat_member",
        "chat_message",
        "chat_event",
    )

    def __init__(self, app: Wellio) -> None:
        self._db, self._bus, self._clock = app.db, app.bus, app.clock
        self._broadcast = app.service(Broadcast)

    async def export(self, user_id: str) -> dict[str, list[dict[str, Any]]]:
        """Return the person's conversations, memberships, own messages and receipts."""
        return {
            table: [dict(zip(row.keys(), row, strict=True)) for row in rows]
            for table, rows in (await personal.export(self._db, user_id)).items()
        }

    async def erase(self, tx: Tx, user_id: str) -> None:
        """Turn the person's messages into tombstones and take them out of everything."""
        at = self._clock.now_ms()
        heads = await ledger.lock(tx, await personal.conversations(tx, user_id))
        messages = await personal.legible(tx, user_id)
        joined = await personal.memberships(tx, user_id)
        await personal.erase(tx, user_id, at)
        deleted = [_blank(heads[row["conversation_id"]], row, at) for row in messages]
        left = [_leave(heads[conversation_id], user_id, at) for conversation_id in joined]
        await ledger.save(tx, heads.values())
        await personal.turn_pages(tx, heads)
        await self._bus.publish(tx, *(event for event, _ in deleted))
        for event, _ in left:
            await self._bus.publish(tx, event, subject_id=user_id)
        members: dict[str, Members] = await ledger.members(tx, heads.values(), {})
        tx.after_commit(
            self._broadcast.send,
            [Notice(members[it.conversation_id], it) for _, it in (*deleted, *left)],
        )


def _blank(head: Head, row: Row, at: int) -> tuple[Event, Entry]:
    """Log that a message became a tombstone."""
    event_seq = head.add_event("message_deleted", at, message_id=row["id"])
    event = MessageDeleted(
        at=at, client_id=head.client_id, message_id=row["id"], conversation_id=head.id
    )
    gone = {"id": row["id"], "seq": row["seq"], "deleted_at": at}
    return event, Entry(head.id, event_seq, "message_deleted", gone)


def _leave(head: Head, user_id: str, at: int) -> tuple[Event, Entry]:
    """Log that the person is not in a conversation any more."""
    head.members_version += 1
    event_seq = head.add_event("member_removed", at, user_id=user_id)
    event = MemberRemoved(at=at, client_id=head.client_id, conversation_id=head.id, user_id=user_id)
    return event, Entry(head.id, event_seq, "member_removed", user_id=user_id)
