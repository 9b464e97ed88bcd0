"""The append's statements: all messages that wait, in a few sets.

This is the hot path. Everything that a send depends on (membership, the key, the message that it
answers) is looked up here, under the conversation's lock, and nowhere else; what follows from it
is decided in `batch`.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from wellio import Row, Tx
from wellio_chat.conversations.ledger import Members

from .models import NewMessage

if TYPE_CHECKING:
    from wellio import Client

_HASH_BYTES = 16
_LOOK_UP = """
SELECT s.n, me.read_seq, me.delivered_seq, me.uncounted, known.id AS known_id,
       known.content_hash AS known_hash, parent.id AS parent_id
FROM {rows s (n int, conversation_id text, sender_id text, local_key bytes, reply_to text)}
JOIN chat_member me ON me.conversation_id = s.conversation_id AND me.user_id = s.sender_id
                   AND me.removed_event_seq IS NULL
LEFT JOIN chat_message known ON known.local_key = s.local_key
LEFT JOIN chat_message parent ON parent.id = s.reply_to
                   AND parent.conversation_id = s.conversation_id
"""
_INSERT = """
INSERT INTO chat_message (id, conversation_id, seq, event_seq, xid, mode, sender_id, type, body,
                          local_id, local_key, content_hash, reply_to, created_at)
SELECT m.id, m.conversation_id, m.seq, m.event_seq, m.xid, m.mode, m.sender_id, m.type, m.body,
       m.local_id, m.local_key, m.content_hash, m.reply_to, m.created_at
FROM {rows m (id text, conversation_id text, seq int, event_seq int, xid int, mode text,
              sender_id text, type text,
              body text, local_id text, local_key bytes, content_hash text, reply_to text,
              created_at int)}
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


@dataclass(frozen=True, slots=True)
class Draft:
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
    """Return what drafts depend on, by their place `n`; who is no member has no row.

    Returns:
        The sender's watermarks; `known_id` and `known_hash` of the message that an earlier send
        stored under the same key, `parent_id` of the one that is answered, or null.
    """
    return await tx.fetch_all(_LOOK_UP, s=_keys(drafts))


async def store(tx: Tx, messages: Sequence[dict[str, Any]]) -> None:
    """Insert numbered messages."""
    await tx.execute(_INSERT, m=messages)


async def advance(tx: Tx, senders: Collection[dict[str, Any]]) -> None:
    """Set the senders' watermarks."""
    await tx.execute(_ADVANCE_SENDERS, s=list(senders))


def _keys(drafts: Sequence[Draft]) -> list[dict[str, Any]]:
    return [
        {
            "n": n,
            "conversation_id": draft.conversation_id,
            "sender_id": draft.sender_id,
            "local_key": draft.local_key,
            "reply_to": draft.reply_to,
        }
        for n, draft in enumerate(drafts)
    ]
