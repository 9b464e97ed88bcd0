"""Reads the log: one conversation's, or all of a person's in the order of commit."""

from wellio import Database, Row

from . import store

_COLUMNS = (
    "SELECT e.xid, e.position, e.conversation_id AS log_of, e.event_seq, e.kind, e.message_id, "
    "e.user_id, e.status, e.seq AS up_to, e.created_at AS happened_at, " + store.COLUMNS
)
_LOG = (
    _COLUMNS
    + """
FROM chat_member me
JOIN chat_event e ON e.conversation_id = me.conversation_id
LEFT JOIN chat_message m ON m.id = e.message_id
WHERE me.conversation_id = :conversation_id AND me.user_id = :viewer
  AND me.removed_event_seq IS NULL AND e.event_seq > :after
ORDER BY e.event_seq
LIMIT :limit
"""
)
# Within a conversation event_seq has no gaps and follows (xid, position). So the next page of each
# is a range of event_seq from its first event past the cursor: a few seeks, whatever lies before.
# (One comparison of pairs would do, but SQLite does not seek by a pair that holds the rowid.)
# Who was removed learns of that event and of nothing else there. What is not settled is told of,
# but never as a condition: Postgres would read the log from its start.
_SYNC = (
    """
WITH mine AS MATERIALIZED (
    SELECT me.conversation_id, me.removed_event_seq,
           COALESCE(me.removed_event_seq,
               (SELECT n.event_seq FROM chat_event n
                WHERE n.conversation_id = me.conversation_id
                  AND n.xid = :xid AND n.position > :position
                ORDER BY n.position LIMIT 1),
               (SELECT n.event_seq FROM chat_event n
                WHERE n.conversation_id = me.conversation_id AND n.xid > :xid
                ORDER BY n.xid, n.position LIMIT 1)) AS first_seq
    FROM chat_member me WHERE me.user_id = :viewer
)
"""
    + _COLUMNS
    + """, {settled e.xid} AS is_settled
FROM mine
JOIN chat_event e ON e.conversation_id = mine.conversation_id
    AND e.event_seq >= mine.first_seq AND e.event_seq < mine.first_seq + :limit
LEFT JOIN chat_message m ON m.id = e.message_id
WHERE mine.removed_event_seq IS NULL
   OR (e.event_seq = mine.removed_event_seq
       AND (e.xid > :xid OR (e.xid = :xid AND e.position > :position)))
ORDER BY e.xid, e.position
LIMIT :limit
"""
)
# The last event of each of one's conversations whose place is certain, and of these the last.
_LAST = """
SELECT e.xid, e.position, e.created_at AS happened_at
FROM chat_member me
JOIN chat_event e ON e.conversation_id = me.conversation_id AND e.event_seq = COALESCE(
    me.removed_event_seq,
    (SELECT n.event_seq FROM chat_event n
     WHERE n.conversation_id = me.conversation_id AND {settled n.xid}
     ORDER BY n.event_seq DESC LIMIT 1))
WHERE me.user_id = :viewer AND {settled e.xid}
ORDER BY e.xid DESC, e.position DESC
LIMIT 1
"""
_IS_OURS = """
SELECT 1 FROM chat_event WHERE position = :position AND xid = :xid AND created_at = :at
"""


async def log(db: Database, conversation_id: str, viewer: str, after: int, limit: int) -> list[Row]:
    """Return a conversation's events above a number; none to who is no member."""
    return await db.fetch_all(
        _LOG, conversation_id=conversation_id, viewer=viewer, after=after, limit=limit
    )


async def sync(db: Database, viewer: str, xid: int, position: int, limit: int) -> list[Row]:
    """Return the events past a position of all the viewer's conversations.

    Those with `is_settled` come first, in the order of commit; others may yet come between the
    rest, which on Postgres waits for transactions that are still open.
    """
    return await db.fetch_all(_SYNC, viewer=viewer, xid=xid, position=position, limit=limit)


async def last(db: Database, viewer: str) -> Row | None:
    """Return the last event of all the viewer's conversations behind which nothing can yet come."""
    return await db.fetch_one(_LAST, viewer=viewer)


async def is_ours(db: Database, xid: int, position: int, at: int) -> bool:
    """Tell whether an event with this position, transaction and time is in the log."""
    return await db.fetch_one(_IS_OURS, xid=xid, position=position, at=at) is not None
