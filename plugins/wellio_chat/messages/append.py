"""The append's statements: all messages that wait, in a few sets.

This is the hot path. Everything that a send depends on (membership, the key, the message that it
answers) is looked up here, under the conversation's lock, and nowhere else; what follows from it
is decided in `batch`. What goes through here are tuples: objects would cost as much as the SQL.
"""

import hashlib
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from wellio import Row, Tx
from wellio_chat.conversations import ledger
from wellio_chat.conversations.ledger import Members

from .models import NewMessage

if TYPE_CHECKING:
    from wellio import Client

_HASH_BYTES = 16
_SENDERS = (
    "SELECT me.user_id, me.read_seq, me.delivered_seq, me.uncounted, "
    + ledger.COLUMNS
    + """
FROM {rows s (conversation_id text, sender_id text)}
JOIN chat_member me ON me.conversation_id = s.conversation_id AND me.user_id = s.sender_id
                   AND me.removed_event_seq IS NULL
JOIN chat_conversation c ON c.id = s.conversation_id
"""
)
_KNOWN = """
SELECT m.local_key, m.id, m.content_hash
FROM {rows k (local_key bytes)} JOIN chat_message m ON m.local_key = k.local_key
"""
_PARENTS = "SELECT id, conversation_id FROM chat_message WHERE id {in ids}"
_INSERT = """
INSERT INTO chat_message {values (id text, conversation_id text, seq int, event_seq int, xid int,
    mode text, sender_id text, type text, body text, local_id text, local_key bytes,
    content_hash text, reply_to text, created_at int)}
"""
_ADVANCE_SENDERS = """
UPDATE chat_member
SET read_seq = s.read_seq, delivered_seq = s.delivered_seq, uncounted = s.uncounted
FROM {rows s (conversation_id text, user_id text, read_seq int, delivered_seq int,
              uncounted int)}
WHERE chat_member.conversation_id = s.conversation_id AND chat_member.user_id = s.user_id
"""


def content_hash(message: NewMessage, key: bytes) -> str:
    """Return what two sends with one `localId` have in common, in hexadecimal; keyed."""
    what = orjson.dumps([message.type, message.content, message.reply_to])
    return hashlib.blake2b(what, key=key, digest_size=_HASH_BYTES).hexdigest()


def local_key(sender_id: str, conversation_id: str, local_id: str, key: bytes) -> bytes:
    """Return what is unique for ever: a sender's own key in a conversation, keyed, 16 bytes.

    It says nothing of them without the key, so it stays when they are erased. Migration 0003 of
    the chat computes the same.
    """
    what = f"{sender_id} {conversation_id} {local_id}".encode()
    return hashlib.blake2b(what, key=key, digest_size=_HASH_BYTES).digest()


class Draft(NamedTuple):
    """A message that waits to be sent.

    Attributes:
        id: The message's id, if it is stored.
        conversation_id: Where to.
        sender_id: Who sends it.
        type: `text`.
        content: Its text.
        local_id: The sender's own key, or None.
        local_key: That key as it is stored for ever (`local_key`).
        content_hash: What another send with that key must equal; None without a key.
        reply_to: The message that it answers, or None.
        created_at: Milliseconds UTC.
        members: Who is in the conversation, as far as this process knows.
        origin: The socket that it came from, which gets the acknowledgement instead.
    """

    id: str
    conversation_id: str
    sender_id: str
    type: str
    content: str
    local_id: str | None
    local_key: bytes | None
    content_hash: str | None
    reply_to: str | None
    created_at: int
    members: Members | None
    origin: "Client | None"


async def look_up(tx: Tx, drafts: Sequence[Draft]) -> list[Row]:
    """Lock the drafts' conversations, and return each sender's watermarks there, and its head.

    Returns:
        `user_id`, `read_seq`, `delivered_seq`, `uncounted` and the columns of a `Head`; who is no
        member has no row.
    """
    pairs = dict.fromkeys((draft.conversation_id, draft.sender_id) for draft in drafts)
    await ledger.claim(tx, {conversation_id for conversation_id, _ in pairs})
    return await tx.fetch_all(_SENDERS, s=list(pairs))


async def known(tx: Tx, drafts: Sequence[Draft]) -> dict[bytes, tuple[str, str]]:
    """Return `id` and `content_hash` of what earlier sends stored under the drafts' keys."""
    keys = {draft.local_key for draft in drafts} - {None}
    if not keys:
        return {}
    rows = await tx.fetch_all(_KNOWN, k=[(key,) for key in keys])
    return {key: (id_, same) for key, id_, same in rows}


async def parents(tx: Tx, drafts: Sequence[Draft]) -> dict[str, str]:
    """Return the conversations of the messages that are answered."""
    ids = {draft.reply_to for draft in drafts} - {None}
    if not ids:
        return {}
    return {row[0]: row[1] for row in await tx.fetch_all(_PARENTS, ids=list(ids))}


async def store(tx: Tx, messages: Sequence[tuple[Any, ...]]) -> None:
    """Insert numbered messages."""
    await tx.insert(_INSERT, messages)


async def advance(tx: Tx, senders: Collection[tuple[Any, ...]]) -> None:
    """Set the senders' watermarks."""
    await tx.execute(_ADVANCE_SENDERS, s=list(senders))
