"""Reads and changes messages, and moves watermarks. The append stands in `append.py`."""

from collections.abc import Collection

from wellio import Database, Row, Tx
from wellio_chat.conversations.ledger import Head

# How far the slowest other member is: 2 read, 1 delivered, 0 sent. It never goes back: who joins
# counts as having read what was there, who leaves counts no longer, and with nobody left it is 2.
_STAGE = """
CASE WHEN m.sender_id = :viewer THEN COALESCE((
    SELECT MIN(CASE WHEN o.read_seq >= m.seq THEN 2 WHEN o.delivered_seq >= m.seq THEN 1 ELSE 0 END)
    FROM chat_member o
    WHERE o.conversation_id = m.conversation_id AND o.user_id <> m.sender_id
      AND o.removed_event_seq IS NULL), 2) END AS stage
"""
# The same for many messages of one conversation: the slowest is looked for once, as `w`.
_STAGE_OF_MANY = """
CASE WHEN m.sender_id = :viewer THEN
    CASE WHEN COALESCE(w.read_seq, m.seq) >= m.seq THEN 2 WHEN w.delivered_seq >= m.seq THEN 1
    ELSE 0 END END AS stage
"""
_SLOWEST = """
(SELECT MIN(read_seq) AS read_seq, MIN(delivered_seq) AS delivered_seq FROM chat_member
 WHERE conversation_id = :conversation_id AND user_id <> :viewer
   AND removed_event_seq IS NULL) AS w
"""
_PLAIN = (
    "m.id, m.conversation_id, m.sender_id, m.type, m.body, m.local_id, m.seq, m.created_at, "
    "m.edited_at, m.deleted_at, m.reply_to, m.origin, "
)
COLUMNS = _PLAIN + _STAGE
"""Of `chat_message m`, as somebody (`:viewer`) sees it; `wire.message` takes the row."""

_SELECT = "SELECT " + COLUMNS + "FROM chat_message m "
_IS_MEMBER = """
EXISTS (SELECT 1 FROM chat_member me WHERE me.conversation_id = m.conversation_id
        AND me.user_id = :viewer AND me.removed_event_seq IS NULL)
"""
_READ = _SELECT + "WHERE m.id = :id AND " + _IS_MEMBER
_LAST = (
    _SELECT
    + """JOIN chat_conversation c ON c.id = m.conversation_id AND m.seq = (
    SELECT MAX(n.seq) FROM chat_message n WHERE n.conversation_id = c.id)
WHERE c.id {in ids}
"""
)
# The membership does not depend on the message, so it is looked up once.
_HISTORY = (
    "SELECT "
    + _PLAIN
    + _STAGE_OF_MANY
    + "FROM chat_message m CROSS JOIN "
    + _SLOWEST
    + """
WHERE m.conversation_id = :conversation_id
  AND EXISTS (SELECT 1 FROM chat_member me WHERE me.conversation_id = :conversation_id
              AND me.user_id = :viewer AND me.removed_event_seq IS NULL)
"""
)
_BEFORE = _HISTORY + "AND m.seq < :before ORDER BY m.seq DESC LIMIT :limit"
_AFTER = _HISTORY + "AND m.seq > :after ORDER BY m.seq LIMIT :limit"
_VERSION = """
SELECT COALESCE((SELECT MAX(m.seq) FROM chat_message m WHERE m.conversation_id = c.id), 0)
           + c.other_events AS last_event_seq, c.members_version
FROM chat_member me JOIN chat_conversation c ON c.id = me.conversation_id
WHERE me.conversation_id = :conversation_id AND me.user_id = :viewer
  AND me.removed_event_seq IS NULL
"""
_EDIT = "UPDATE chat_message SET body = :body, edited_at = :at WHERE id = :id"
_DELETE = "UPDATE chat_message SET body = NULL, deleted_at = :at WHERE id = :id"
_WATERMARKS = """
SELECT m.seq, me.delivered_seq, me.read_seq, me.uncounted
FROM chat_message m
JOIN chat_member me ON me.conversation_id = m.conversation_id AND me.user_id = :user_id
                   AND me.removed_event_seq IS NULL
WHERE m.id = :message_id AND m.conversation_id = :conversation_id
"""
_ADVANCE = """
UPDATE chat_member
SET delivered_seq = :delivered_seq, read_seq = :read_seq, uncounted = :uncounted
WHERE conversation_id = :conversation_id AND user_id = :user_id
"""
_UNCOUNTED_ABOVE = """
SELECT COUNT(*) AS uncounted FROM chat_message
WHERE conversation_id = :conversation_id AND seq > :seq
  AND (sender_id = :user_id OR deleted_at IS NOT NULL)
"""
_UNCOUNT = """
UPDATE chat_member SET uncounted = uncounted + 1
WHERE conversation_id = :conversation_id AND read_seq < :seq AND user_id <> :sender_id
"""


async def read(db: Database | Tx, message_id: str, viewer: str) -> Row | None:
    """Return a message of one of the viewer's conversations."""
    return await db.fetch_one(_READ, id=message_id, viewer=viewer)


async def last(db: Database | Tx, conversation_ids: Collection[str], viewer: str) -> list[Row]:
    """Return the last message of each of the viewer's conversations that are named."""
    return await db.fetch_all(_LAST, ids=list(conversation_ids), viewer=viewer)


async def before(
    db: Database, conversation_id: str, viewer: str, seq: int, limit: int
) -> list[Row]:
    """Return messages below a number, newest first; none to who is no member."""
    return await db.fetch_all(
        _BEFORE, conversation_id=conversation_id, viewer=viewer, before=seq, limit=limit
    )


async def after(db: Database, conversation_id: str, viewer: str, seq: int, limit: int) -> list[Row]:
    """Return messages above a number, oldest first; none to who is no member."""
    return await db.fetch_all(
        _AFTER, conversation_id=conversation_id, viewer=viewer, after=seq, limit=limit
    )


async def version(db: Database, conversation_id: str, viewer: str) -> tuple[int, int] | None:
    """Return what moves with all that `before` and `after` show; None to who is no member."""
    row = await db.fetch_one(_VERSION, conversation_id=conversation_id, viewer=viewer)
    return (row[0], row[1]) if row else None


async def edit(tx: Tx, message_id: str, body: str, at: int) -> None:
    """Replace a message's text."""
    await tx.execute(_EDIT, id=message_id, body=body, at=at)


async def delete(tx: Tx, message: Row, at: int) -> None:
    """Take a message's content away; the hash of its first send stays, its key is for ever.

    It is nobody's to read any more; the caller holds the head.
    """
    await tx.execute(_DELETE, id=message["id"], at=at)
    await tx.execute(
        _UNCOUNT,
        conversation_id=message["conversation_id"],
        seq=message["seq"],
        sender_id=message["sender_id"],
    )


async def watermarks(tx: Tx, head: Head, user_id: str, message_id: str) -> Row | None:
    """Return a message's `seq` with a member's watermarks; None unless both are there."""
    return await tx.fetch_one(
        _WATERMARKS, conversation_id=head.id, user_id=user_id, message_id=message_id
    )


async def uncounted_above(tx: Tx, head: Head, user_id: str, seq: int) -> int:
    """Count what is no unread message above a number: a member's own ones, and deleted ones."""
    row = await tx.fetch_one(_UNCOUNTED_ABOVE, conversation_id=head.id, user_id=user_id, seq=seq)
    return row["uncounted"] if row else 0


async def advance(
    tx: Tx, head: Head, user_id: str, *, delivered_seq: int, read_seq: int, uncounted: int
) -> None:
    """Set a member's watermarks; the caller holds the head and has compared them."""
    await tx.execute(
        _ADVANCE,
        conversation_id=head.id,
        user_id=user_id,
        delivered_seq=delivered_seq,
        read_seq=read_seq,
        uncounted=uncounted,
    )
