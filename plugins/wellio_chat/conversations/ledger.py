"""A conversation's numbers and its log.

Whatever changes a conversation locks its head first, so that everything in it happens one after
the other: `seq` and `eventSeq` have no gaps, and watermarks need no care. Heads are locked in the
order of their ids, so that nobody waits in a circle.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from wellio import Row, Tx

_HEAD = """
SELECT c.id, c.kind, c.mode, c.title, c.last_seq, c.last_event_seq, c.members_version, c.xid,
       c.active_at, c.client_id
FROM chat_conversation c
"""
_LOCK = _HEAD + "WHERE c.id {in ids} ORDER BY c.id {for_update}"
_LOCK_OF_MESSAGE = (
    _HEAD
    + "WHERE c.id = (SELECT m.conversation_id FROM chat_message m WHERE m.id = :id) {for_update}"
)
_INSERT_EVENTS = """
INSERT INTO chat_event (conversation_id, event_seq, kind, message_id, user_id, status, seq,
                        created_at)
SELECT e.conversation_id, e.event_seq, e.kind, e.message_id, e.user_id, e.status, e.seq,
       e.created_at
FROM {rows e (conversation_id text, event_seq int, kind text, message_id text, user_id text,
              status text, seq int, created_at int)}
ORDER BY e.conversation_id, e.event_seq
RETURNING xid
"""
_KEEP_ORDER = """
UPDATE chat_event SET xid = c.xid
FROM chat_conversation c
WHERE c.id {in ids} AND chat_event.conversation_id = c.id
  AND chat_event.event_seq > c.last_event_seq
"""
_UPDATE_HEADS = """
UPDATE chat_conversation
SET last_seq = h.last_seq, last_event_seq = h.last_event_seq,
    members_version = h.members_version, xid = h.xid, active_at = h.active_at
FROM {rows h (id text, last_seq int, last_event_seq int, members_version int, xid int,
              active_at int)}
WHERE chat_conversation.id = h.id
"""
_MEMBERS = """
SELECT conversation_id, user_id FROM chat_member
WHERE conversation_id {in ids} AND removed_event_seq IS NULL
"""


class Members(NamedTuple):
    """Who is in a conversation, as of a version of its membership."""

    version: int
    user_ids: tuple[str, ...]


@dataclass(slots=True)
class Head:
    """A locked conversation: its numbers, and the events that this transaction adds to it."""

    id: str
    kind: str
    mode: str
    title: str | None
    last_seq: int
    last_event_seq: int
    members_version: int
    xid: int
    active_at: int
    client_id: str | None
    events: list[dict[str, Any]] = field(default_factory=list)

    def add_event(
        self,
        kind: str,
        at: int,
        *,
        message_id: str | None = None,
        user_id: str | None = None,
        status: str | None = None,
        seq: int | None = None,
    ) -> int:
        """Give an event the next number, which is returned; `save` writes it."""
        self.last_event_seq += 1
        self.events.append(
            {
                "conversation_id": self.id,
                "event_seq": self.last_event_seq,
                "kind": kind,
                "message_id": message_id,
                "user_id": user_id,
                "status": status,
                "seq": seq,
                "created_at": at,
            }
        )
        return self.last_event_seq


async def lock(tx: Tx, conversation_ids: Collection[str]) -> dict[str, Head]:
    """Lock conversations; those that do not exist are missing in the result."""
    rows = await tx.fetch_all(_LOCK, ids=list(conversation_ids))
    return {row["id"]: _head(row) for row in rows}


async def lock_of_message(tx: Tx, message_id: str) -> Head | None:
    """Lock the conversation of a message, if there is such a message."""
    row = await tx.fetch_one(_LOCK_OF_MESSAGE, id=message_id)
    return _head(row) if row else None


async def save(tx: Tx, heads: Collection[Head]) -> None:
    """Write the new events of locked conversations, and their numbers."""
    changed = [head for head in heads if head.events]
    if not changed:
        return
    rows = await tx.fetch_all(_INSERT_EVENTS, e=[event for h in changed for event in h.events])
    xid = rows[0]["xid"]
    # Postgres numbers a transaction at its first lock. One that waited for this conversation may
    # so have a lower number than the one before it here, and its events would come too early.
    overtaken = [head.id for head in changed if head.xid > xid]
    if overtaken:
        await tx.execute(_KEEP_ORDER, ids=overtaken)
    await tx.execute(
        _UPDATE_HEADS,
        h=[
            {
                "id": head.id,
                "last_seq": head.last_seq,
                "last_event_seq": head.last_event_seq,
                "members_version": head.members_version,
                "xid": max(head.xid, xid),
                "active_at": head.active_at,
            }
            for head in changed
        ],
    )


async def members(
    tx: Tx, heads: Collection[Head], known: Mapping[str, Members | None]
) -> dict[str, Members]:
    """Return the members of locked conversations, reading only what is not known or is stale."""
    found: dict[str, Members] = {}
    stale: dict[str, list[str]] = {}
    for head in heads:
        have = known.get(head.id)
        if have is not None and have.version == head.members_version:
            found[head.id] = have
        else:
            stale[head.id] = []
    if stale:
        for row in await tx.fetch_all(_MEMBERS, ids=list(stale)):
            stale[row["conversation_id"]].append(row["user_id"])
        for head in heads:
            if head.id in stale:
                found[head.id] = Members(head.members_version, tuple(stale[head.id]))
    return found


def _head(row: Row) -> Head:
    return Head(*row)
