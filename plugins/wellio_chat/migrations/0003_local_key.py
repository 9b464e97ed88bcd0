"""Keeps what makes a `localId` unique as a keyed hash, which stays when its sender is erased."""

import hashlib
from collections.abc import Callable

from wellio import Row, Tx

_ROWS = """
SELECT id, sender_id, conversation_id, local_id FROM chat_message
WHERE local_id IS NOT NULL AND id > :after ORDER BY id LIMIT 1000
"""
_SET = "UPDATE chat_message SET local_key = :local_key WHERE id = :id"


async def migrate(tx: Tx, derive: Callable[[str], bytes]) -> None:
    """Add `local_key`, which 0004 makes unique; who was erased before left nothing for it."""
    await tx.execute("ALTER TABLE chat_message ADD COLUMN local_key {bytes}")
    after, key = "", b""
    while rows := await tx.fetch_all(_ROWS, after=after):
        key, after = key or derive("chat.local_key"), rows[-1]["id"]
        await tx.execute_many(
            _SET, [{"id": row["id"], "local_key": _hash(row, key)} for row in rows]
        )


def _hash(row: Row, key: bytes) -> bytes:
    what = f"{row['sender_id']} {row['conversation_id']} {row['local_id']}".encode()
    return hashlib.blake2b(what, key=key, digest_size=16).digest()
