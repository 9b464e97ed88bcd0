"""A conversation's numbers and its log.

Whatever changes a conversation locks its head first, so that everything in it happens one after
the other: `seq` and `eventSeq` have no gaps, and watermarks need no care. Heads are locked in the
order of their ids, so that nobody waits in a circle.

A message is its own entry of the log, and `eventSeq` its `seq` and the other events before it. So
a head counts these alone, and a message writes nothing of it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from wellio import Tx

_LOCK = "SELECT c.id FROM chat_conversation c WHERE c.id {in ids} ORDER BY c.id {for_update}"
# Postgres numbers a transaction at its first lock. One that waited for a conversation may so have
# a lower number than the one before it there, and takes that one's: else its entries would come
# too early in the order of commits.
COLUMNS = """
c.id, c.kind, c.mode, c.title, c.client_id, c.members_version, c.other_events,
       COALESCE((SELECT MAX(m.seq) FROM chat_message m WHERE m.conversation_id = c.id), 0)
           AS last_seq,
       {commit above
           (SELECT m.xid FROM chat_message m WHERE m.conversation_id = c.id
            ORDER BY m.seq DESC LIMIT 1),
           (SELECT e.xid FROM chat_event e WHERE e.conversation_id = c.id
            ORDER BY e.event_seq DESC LIMIT 1)} AS xid
"""
"""Of `chat_conversation c`, locked: a `Head`."""

_HEADS = "SELECT " + COLUMNS + "FROM chat_conversation c WHERE c.id {in ids} ORDER BY c.id"
_OF_MESSAGE = "SELECT conversation_id FROM chat_message WHERE id = :id"
_INSERT_EVENTS = """
INSERT INTO chat_event (conversation_id, event_seq, nth, xid, kind, message_id, user_id, status,
                        seq, created_at)
SELECT e.conversation_id, e.event_seq, e.nth, e.xid, e.kind, e.message_id, e.user_id, e.status,
       e.seq, e.created_at
FROM {rows e (conversation_id text, event_seq int, nth int, xid int, kind text, message_id text,
              user_id text, status text, seq int, created_at int)}
"""
_UPDATE_HEADS = """
UPDATE chat_conversation
SET other_events = h.other_events, members_version = h.members_version
FROM {rows h (id text, other_events int, members_version int)}
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
    """A locked conversation: its numbers, and the events that this transaction adds to it.

    Attributes:
        id: Its id; so are `kind`, `mode`, `title`, `client_id` and `members_version` its own.
        other_events: How many entries of its log are no message.
        last_seq: The number of its last message.
        xid: The number of the commit of what this transaction adds.
        events: The rows of what is no message.
    """

    id: str
    kind: str
    mode: str
    title: str | None
    client_id: str | None
    members_version: int
    other_events: int
    last_seq: int
    xid: int
    events: list[dict[str, Any]] = field(default_factory=list)

    def add_message(self) -> tuple[int, int]:
        """Give a message the next numbers and return them: `seq` and `event_seq`."""
        self.last_seq += 1
        return self.last_seq, self.last_seq + self.other_events

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
        self.other_events += 1
        event_seq = self.last_seq + self.other_events
        self.events.append(
            {
                "conversation_id": self.id,
                "event_seq": event_seq,
                "nth": self.other_events,
                "xid": self.xid,
                "kind": kind,
                "message_id": message_id,
                "user_id": user_id,
                "status": status,
                "seq": seq,
                "created_at": at,
            }
        )
        return event_seq


async def lock(tx: Tx, conversation_ids: Collection[str]) -> dict[str, Head]:
    """Lock conversations; those that do not exist are missing in the result."""
    ids = list(conversation_ids)
    await tx.lock(_LOCK, ids=ids)
    return {row["id"]: Head(*row) for row in await tx.fetch_all(_HEADS, ids=ids)}


async def lock_of_message(tx: Tx, message_id: str) -> Head | None:
    """Lock the conversation of a message, if there is such a message."""
    row = await tx.fetch_one(_OF_MESSAGE, id=message_id)
    return (await lock(tx, [row[0]])).get(row[0]) if row else None


async def save(tx: Tx, heads: Collection[Head]) -> None:
    """Write the events of locked conversations that are no messages, and count them."""
    changed = [head for head in heads if head.events]
    if not changed:
        return
    await tx.execute(_INSERT_EVENTS, e=[event for head in changed for event in head.events])
    await tx.execute(
        _UPDATE_HEADS,
        h=[
            {
                "id": head.id,
                "other_events": head.other_events,
                "members_version": head.members_version,
            }
            for head in changed
        ],
    )


async def claim(tx: Tx, conversation_ids: Collection[str]) -> None:
    """Lock conversations whose heads are read together with something else, after this."""
    await tx.lock(_LOCK, ids=list(conversation_ids))


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
