"""Reads the log: one conversation's, or all of a person's in the order of commit.

A message is its own entry. Within a conversation `event_seq` has no gaps and `xid` never falls, so
a page from anywhere is a range of `seq` and one of `event_seq`: a few seeks, whatever lies before.
"""

from typing import NamedTuple

from wellio import Database, Row

from . import store


class Place(NamedTuple):
    """A place in the order of commit: behind an entry."""

    xid: int
    conversation_id: str
    event_seq: int


START = Place(0, "", 0)

_MESSAGE = """
SELECT m.xid AS xid, m.conversation_id AS log_of, m.event_seq AS event_seq,
       'new_message' AS kind, m.id AS message_id, CAST(NULL AS TEXT) AS user_id,
       CAST(NULL AS TEXT) AS status, CAST(NULL AS BIGINT) AS up_to, m.created_at AS happened_at
"""
_EVENT = """
SELECT e.xid, e.conversation_id, e.event_seq, e.kind, e.message_id, e.user_id, e.status,
       e.seq AS up_to, e.created_at AS happened_at
"""
_COLUMNS = (
    "SELECT p.xid, p.log_of, p.event_seq, p.kind, p.message_id, p.user_id, p.status, p.up_to, "
    "p.happened_at, " + store.COLUMNS
)
# `others` of the first :after entries are no messages.
_LOG = (
    """
WITH place AS MATERIALIZED (
    SELECT me.conversation_id,
           COALESCE((SELECT n.nth FROM chat_event n
                     WHERE n.conversation_id = me.conversation_id AND n.event_seq <= :after
                     ORDER BY n.event_seq DESC LIMIT 1), 0) AS others
    FROM chat_member me
    WHERE me.conversation_id = :conversation_id AND me.user_id = :viewer
      AND me.removed_event_seq IS NULL
), page AS MATERIALIZED (
"""
    + _MESSAGE
    + """
    FROM place JOIN chat_message m ON m.conversation_id = place.conversation_id
        AND m.seq > :after - place.others AND m.seq <= :after - place.others + :limit
    UNION ALL
"""
    + _EVENT
    + """
    FROM place JOIN chat_event e ON e.conversation_id = place.conversation_id
        AND e.event_seq > :after AND e.event_seq <= CAST(:after AS BIGINT) + :limit
    ORDER BY event_seq LIMIT :limit
)
"""
    + _COLUMNS
    + "FROM page p LEFT JOIN chat_message m ON m.id = p.message_id ORDER BY p.event_seq"
)
# Of what has the cursor's own xid, the conversations before its own are all told, those behind it
# not at all: `upto` is the last event_seq that is. Where its place is among a conversation's
# messages is found by halving: up to `low` they are told, above `low + size` they are not. (Looked
# up as values: of a join Postgres may make a walk over all messages.) Of the others an index says
# it. Who was removed learns of that event and of nothing else there. What is not settled is told
# of, but never as a condition: Postgres would read the log from its start.
_SYNC = (
    """
WITH RECURSIVE mine AS MATERIALIZED (
    SELECT me.conversation_id,
           CASE WHEN me.conversation_id < :conversation_id THEN 9007199254740992
                WHEN me.conversation_id = :conversation_id THEN :event_seq ELSE 0 END AS upto,
           COALESCE((SELECT MAX(n.seq) FROM chat_message n
                     WHERE n.conversation_id = me.conversation_id), 0) AS last_seq
    FROM chat_member me WHERE me.user_id = :viewer AND me.removed_event_seq IS NULL
), ends AS MATERIALIZED (
    SELECT mine.conversation_id, mine.upto, mine.last_seq,
           COALESCE((SELECT (n.xid, n.event_seq) <= (:xid, mine.upto) FROM chat_message n
                     WHERE n.conversation_id = mine.conversation_id AND n.seq = mine.last_seq),
                    FALSE) AS is_told
    FROM mine
), halves (conversation_id, upto, low, size) AS (
    SELECT ends.conversation_id, ends.upto,
           CASE WHEN ends.is_told THEN ends.last_seq ELSE 0 END,
           CASE WHEN ends.is_told OR :xid = 0 THEN 0 ELSE ends.last_seq END
    FROM ends
    UNION ALL
    SELECT h.conversation_id, h.upto,
           h.low + CASE WHEN (
               SELECT (n.xid, n.event_seq) <= (:xid, h.upto) FROM chat_message n
               WHERE n.conversation_id = h.conversation_id AND n.seq = h.low + (h.size + 1) / 2)
               THEN (h.size + 1) / 2 ELSE 0 END,
           h.size / 2
    FROM halves h WHERE h.size > 0
), told AS MATERIALIZED (
    SELECT h.conversation_id, h.low AS seq,
           h.low + COALESCE((
               SELECT n.nth FROM chat_event n
               WHERE n.conversation_id = h.conversation_id
                 AND (n.xid, n.event_seq) <= (:xid, h.upto)
               ORDER BY n.xid DESC, n.event_seq DESC LIMIT 1), 0) AS event_seq
    FROM halves h WHERE h.size = 0
), page AS MATERIALIZED (
"""
    + _MESSAGE
    + """
    FROM told JOIN chat_message m ON m.conversation_id = told.conversation_id
        AND m.seq > told.seq AND m.seq <= told.seq + :limit
    UNION ALL
"""
    + _EVENT
    + """
    FROM told JOIN chat_event e ON e.conversation_id = told.conversation_id
        AND e.event_seq > told.event_seq AND e.event_seq <= told.event_seq + :limit
    UNION ALL
"""
    + _EVENT
    + """
    FROM chat_member me JOIN chat_event e ON e.conversation_id = me.conversation_id
        AND e.event_seq = me.removed_event_seq
        AND (e.xid, e.conversation_id, e.event_seq) > (:xid, :conversation_id, :event_seq)
    WHERE me.user_id = :viewer AND me.removed_event_seq IS NOT NULL
    ORDER BY xid, log_of, event_seq LIMIT :limit
)
"""
    + _COLUMNS
    + """, {settled p.xid} AS is_settled
FROM page p LEFT JOIN chat_message m ON m.id = p.message_id
ORDER BY p.xid, p.log_of, p.event_seq
"""
)
# The last entries of each of one's conversations whose place is certain, and of these the last.
_LAST = """
SELECT e.xid, e.log_of, e.event_seq, e.happened_at
FROM (
    SELECT m.xid, m.conversation_id AS log_of, m.event_seq, m.created_at AS happened_at
    FROM chat_member me
    JOIN chat_message m ON m.conversation_id = me.conversation_id AND m.seq = (
        SELECT n.seq FROM chat_message n
        WHERE n.conversation_id = me.conversation_id AND {settled n.xid}
        ORDER BY n.seq DESC LIMIT 1)
    WHERE me.user_id = :viewer AND me.removed_event_seq IS NULL
    UNION ALL
    SELECT n.xid, n.conversation_id, n.event_seq, n.created_at
    FROM chat_member me
    JOIN chat_event n ON n.conversation_id = me.conversation_id AND n.event_seq = COALESCE(
        me.removed_event_seq,
        (SELECT o.event_seq FROM chat_event o
         WHERE o.conversation_id = me.conversation_id AND {settled o.xid}
         ORDER BY o.event_seq DESC LIMIT 1))
    WHERE me.user_id = :viewer AND {settled n.xid}
) AS e
ORDER BY e.xid DESC, e.log_of DESC, e.event_seq DESC
LIMIT 1
"""
_IS_OURS = """
SELECT 1 FROM chat_event
WHERE conversation_id = :conversation_id AND event_seq = :event_seq AND xid = :xid
  AND created_at = :at
UNION ALL
SELECT 1 FROM chat_message m
WHERE m.conversation_id = :conversation_id AND m.seq = :event_seq - COALESCE((
        SELECT n.nth FROM chat_event n
        WHERE n.conversation_id = :conversation_id AND n.event_seq <= :event_seq
        ORDER BY n.event_seq DESC LIMIT 1), 0)
  AND m.event_seq = :event_seq AND m.xid = :xid AND m.created_at = :at
"""


async def log(db: Database, conversation_id: str, viewer: str, after: int, limit: int) -> list[Row]:
    """Return a conversation's entries above a number; none to who is no member."""
    return await db.fetch_all(
        _LOG, conversation_id=conversation_id, viewer=viewer, after=after, limit=limit
    )


async def sync(db: Database, viewer: str, after: Place, limit: int) -> list[Row]:
    """Return the entries past a place of all the viewer's conversations.

    Those with `is_settled` come first, in the order of commit; others may yet come between the
    rest, which on Postgres waits for transactions that are still open.
    """
    return await db.fetch_all(_SYNC, viewer=viewer, limit=limit, **after._asdict())


async def last(db: Database, viewer: str) -> Row | None:
    """Return the last entry of all the viewer's conversations behind which nothing can yet come."""
    return await db.fetch_one(_LAST, viewer=viewer)


async def is_ours(db: Database, place: Place, at: int) -> bool:
    """Tell whether an entry with this place and time is in the log."""
    return await db.fetch_one(_IS_OURS, at=at, **place._asdict()) is not None
