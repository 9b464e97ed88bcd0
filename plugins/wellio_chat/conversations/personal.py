"""What the chat stores about one person: read for them, taken away from everybody."""

from collections.abc import Collection

from wellio import Database, Row, Tx

_EXPORT = {
    "chat_conversation": """
SELECT c.id, c.kind, c.mode, c.title, c.state, c.created_at
FROM chat_conversation c JOIN chat_member m ON m.conversation_id = c.id
WHERE m.user_id = :user_id ORDER BY c.id
""",
    "chat_member": """
SELECT conversation_id, joined_at, delivered_seq, read_seq, archived_at, muted_until,
       removed_event_seq
FROM chat_member WHERE user_id = :user_id ORDER BY conversation_id
""",
    "chat_message": """
SELECT id, conversation_id, seq, type, body, local_id, reply_to, created_at, edited_at, deleted_at
FROM chat_message
WHERE conversation_id IN (SELECT conversation_id FROM chat_member WHERE user_id = :user_id)
  AND sender_id = :user_id
ORDER BY conversation_id, seq
""",
    "chat_event": """
SELECT conversation_id, event_seq, kind, message_id, status, seq, created_at
FROM chat_event
WHERE user_id = :user_id
  AND conversation_id IN (SELECT conversation_id FROM chat_member WHERE user_id = :user_id)
ORDER BY conversation_id, event_seq
""",
}
# Who was ever a member still has a row, and whoever wrote was one: so what somebody wrote is looked
# for in these conversations, and their messages need no index of their senders.
_CONVERSATIONS = "SELECT conversation_id FROM chat_member WHERE user_id = :user_id"
_LEGIBLE = """
SELECT id, conversation_id, seq FROM chat_message
WHERE conversation_id IN (SELECT conversation_id FROM chat_member WHERE user_id = :user_id)
  AND sender_id = :user_id AND deleted_at IS NULL
ORDER BY conversation_id, seq
"""
_BLANK = """
UPDATE chat_message
SET body = NULL, deleted_at = COALESCE(deleted_at, :at), local_id = NULL, sender_id = NULL
WHERE conversation_id IN (SELECT conversation_id FROM chat_member WHERE user_id = :user_id)
  AND sender_id = :user_id
"""
_UNCOUNT = """
UPDATE chat_member SET uncounted = uncounted + (
    SELECT COUNT(*) FROM chat_message m
    WHERE m.conversation_id = chat_member.conversation_id AND m.seq > chat_member.read_seq
      AND m.sender_id = :user_id AND m.deleted_at IS NULL)
WHERE user_id <> :user_id AND conversation_id IN (
    SELECT conversation_id FROM chat_member WHERE user_id = :user_id)
"""
_LEAVE_ALL = "DELETE FROM chat_member WHERE user_id = :user_id"
_TURN_PAGES = """
UPDATE chat_conversation SET members_version = members_version + 1 WHERE id {in ids}
"""
_MEMBERSHIPS = """
SELECT conversation_id FROM chat_member WHERE user_id = :user_id AND removed_event_seq IS NULL
"""


async def export(db: Database, user_id: str) -> dict[str, list[Row]]:
    """Return a person's rows by table."""
    return {table: await db.fetch_all(sql, user_id=user_id) for table, sql in _EXPORT.items()}


async def conversations(tx: Tx, user_id: str) -> list[str]:
    """Return every conversation that the person was ever in."""
    rows = await tx.fetch_all(_CONVERSATIONS, user_id=user_id)
    return [row["conversation_id"] for row in rows]


async def memberships(tx: Tx, user_id: str) -> list[str]:
    """Return the conversations that the person is in now."""
    rows = await tx.fetch_all(_MEMBERSHIPS, user_id=user_id)
    return [row["conversation_id"] for row in rows]


async def legible(tx: Tx, user_id: str) -> list[Row]:
    """Return `id`, `conversation_id`, `seq` of the person's messages that are not deleted."""
    return await tx.fetch_all(_LEGIBLE, user_id=user_id)


async def erase(tx: Tx, user_id: str, at: int) -> None:
    """Empty the person's messages, forget their own keys, end the memberships.

    What stays of a key is a hash under a key of ours, which is unique for ever.
    """
    await tx.execute(_UNCOUNT, user_id=user_id)
    await tx.execute(_BLANK, user_id=user_id, at=at)
    await tx.execute(_LEAVE_ALL, user_id=user_id)


async def turn_pages(tx: Tx, conversation_ids: Collection[str]) -> None:
    """Have everybody read these conversations anew: not everything that was erased is an event."""
    await tx.execute(_TURN_PAGES, ids=list(conversation_ids))
