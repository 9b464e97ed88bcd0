"""Makes and reads conversations, and their members."""

from collections.abc import Collection, Sequence

from wellio import Database, Row, Tx

from .entry import Opening
from .ledger import Head

_NEWEST = """
LEFT JOIN chat_message last ON last.conversation_id = c.id AND last.seq = (
    SELECT MAX(n.seq) FROM chat_message n WHERE n.conversation_id = c.id)
"""
# As one member (`:viewer`) sees it.
_SELECT = (
    """
SELECT c.id AS conversation_id, c.kind, c.mode, c.title, COALESCE(last.seq, 0) AS last_seq,
       COALESCE(last.seq, 0) + c.other_events AS last_event_seq, c.created_at,
       COALESCE(last.created_at, c.created_at) AS active_at,
       COALESCE(last.seq, 0) - me.read_seq - me.uncounted AS unread
FROM chat_member me JOIN chat_conversation c ON c.id = me.conversation_id
"""
    + _NEWEST
    + "WHERE me.user_id = :viewer AND me.removed_event_seq IS NULL "
)
_READ = _SELECT + "AND me.conversation_id = :id"
_PAGE = (
    "SELECT * FROM ("
    + _SELECT
    + """) AS mine WHERE (mine.active_at, mine.conversation_id) < (:active_at, :id)
ORDER BY mine.active_at DESC, mine.conversation_id DESC LIMIT :limit
"""
)
_UNREAD = "SELECT COALESCE(SUM(mine.unread), 0) AS unread FROM (" + _SELECT + ") AS mine"
# Who was taken in while their account was erased is a member and has no name any more.
_MEMBERS = """
SELECT m.conversation_id, m.user_id, u.name, u.role, m.joined_at, m.delivered_seq, m.read_seq
FROM chat_member m JOIN auth_v_user u ON u.id = m.user_id
WHERE m.conversation_id {in ids} AND m.removed_event_seq IS NULL AND u.status <> 'erased'
ORDER BY m.conversation_id, m.joined_at, m.user_id
"""
_ROLE_IN = """
SELECT c.kind, u.role
FROM chat_conversation c
JOIN chat_member me ON me.conversation_id = c.id AND me.user_id = :user_id
                   AND me.removed_event_seq IS NULL
JOIN auth_v_user u ON u.id = me.user_id
WHERE c.id = :id
"""
_VERSION = """
SELECT c.members_version FROM chat_conversation c
JOIN chat_member me ON me.conversation_id = c.id AND me.user_id = :user_id
                   AND me.removed_event_seq IS NULL
WHERE c.id = :id
"""
_INSERT = """
INSERT INTO chat_conversation (id, kind, title, pair_key, created_at)
VALUES (:id, :kind, :title, :pair_key, :at)
ON CONFLICT (pair_key) DO NOTHING
"""
_JOIN = """
INSERT INTO chat_member (conversation_id, user_id, joined_at, delivered_seq, read_seq)
SELECT j.conversation_id, j.user_id, j.joined_at, j.last_seq, j.last_seq
FROM {rows j (conversation_id text, user_id text, joined_at int, last_seq int)}
WHERE TRUE
ON CONFLICT (conversation_id, user_id) DO UPDATE
SET joined_at = excluded.joined_at, delivered_seq = excluded.delivered_seq,
    read_seq = excluded.read_seq, uncounted = 0, removed_event_seq = NULL
"""
_LEAVE = """
UPDATE chat_member SET removed_event_seq = :event_seq
WHERE conversation_id = :conversation_id AND user_id = :user_id
"""
_OPENING = """
SELECT c.kind, c.title, c.created_at, m.user_id
FROM chat_conversation c
LEFT JOIN chat_member m ON m.conversation_id = c.id AND m.removed_event_seq IS NULL
WHERE c.id = :id
"""
_IN_IT = """
SELECT user_id FROM chat_member
WHERE conversation_id = :conversation_id AND removed_event_seq IS NULL
"""
_CONTACTS = """
SELECT DISTINCT o.user_id
FROM chat_member me JOIN chat_member o ON o.conversation_id = me.conversation_id
WHERE me.user_id = :user_id AND me.removed_event_seq IS NULL
  AND o.user_id <> :user_id AND o.removed_event_seq IS NULL
"""


async def read(db: Database | Tx, conversation_id: str, viewer: str) -> Row | None:
    """Return one of the viewer's conversations."""
    return await db.fetch_one(_READ, id=conversation_id, viewer=viewer)


async def page(db: Database, viewer: str, before: tuple[int, str], limit: int) -> list[Row]:
    """Return the viewer's conversations, newest activity first, below `(active_at, id)`."""
    active_at, conversation_id = before
    return await db.fetch_all(
        _PAGE, viewer=viewer, active_at=active_at, id=conversation_id, limit=limit
    )


async def unread(db: Database, viewer: str) -> int:
    """Return how many messages wait for the viewer in all conversations."""
    row = await db.fetch_one(_UNREAD, viewer=viewer)
    return int(row["unread"]) if row else 0


async def members(db: Database | Tx, conversation_ids: Collection[str]) -> list[Row]:
    """Return the members of conversations with name, role and watermarks."""
    return await db.fetch_all(_MEMBERS, ids=list(conversation_ids))


async def user_ids(db: Database | Tx, conversation_id: str) -> tuple[str, ...]:
    """Return who is in a conversation."""
    rows = await db.fetch_all(_IN_IT, conversation_id=conversation_id)
    return tuple(row["user_id"] for row in rows)


async def opening(db: Database, conversation_id: str) -> Opening:
    """Return how a conversation was opened, with its members of now."""
    rows = await db.fetch_all(_OPENING, id=conversation_id)
    first, members = rows[0], (row["user_id"] for row in rows)
    member_ids = [user_id for user_id in members if user_id is not None]
    return Opening(first["kind"], first["title"], first["created_at"], member_ids)


async def role_in(db: Database, conversation_id: str, user_id: str) -> Row | None:
    """Return the conversation's kind and a member's role; None to who is no member."""
    return await db.fetch_one(_ROLE_IN, id=conversation_id, user_id=user_id)


async def members_version(db: Database, conversation_id: str, user_id: str) -> int | None:
    """Return the version of the membership; None to who is no member."""
    row = await db.fetch_one(_VERSION, id=conversation_id, user_id=user_id)
    return row["members_version"] if row else None


async def insert(
    tx: Tx, conversation_id: str, kind: str, title: str | None, pair_key: str | None, at: int
) -> bool:
    """Store a conversation; False if there is one of these two people already."""
    touched = await tx.execute(
        _INSERT, id=conversation_id, kind=kind, title=title, pair_key=pair_key, at=at
    )
    return touched > 0


async def of_pair(tx: Tx, pair_key: str) -> str | None:
    """Return the direct conversation of two people."""
    row = await tx.fetch_one(
        "SELECT id FROM chat_conversation WHERE pair_key = :pair_key", pair_key=pair_key
    )
    return row["id"] if row else None


async def join(tx: Tx, head: Head, user_ids: Sequence[str], at: int) -> None:
    """Make people members, from the last message on; what came before counts as read."""
    await tx.execute(
        _JOIN,
        j=[
            {
                "conversation_id": head.id,
                "user_id": user_id,
                "joined_at": at,
                "last_seq": head.last_seq,
            }
            for user_id in user_ids
        ],
    )


async def leave(tx: Tx, conversation_id: str, user_id: str, event_seq: int) -> None:
    """End a membership with an event."""
    await tx.execute(_LEAVE, conversation_id=conversation_id, user_id=user_id, event_seq=event_seq)


async def contacts(db: Database, user_id: str) -> list[str]:
    """Return who shares a conversation with somebody."""
    return [row["user_id"] for row in await db.fetch_all(_CONTACTS, user_id=user_id)]
