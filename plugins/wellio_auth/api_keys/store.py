"""The only SQL of API keys."""

from collections.abc import Mapping
from typing import Any

from wellio import Database, Row, Tx

_KEY = """
SELECT id, user_id, note, scopes, created_at, expires_at, last_used_at FROM auth_api_key
WHERE (expires_at IS NULL OR expires_at > :now)
"""
_ONE = _KEY + "AND id = :id AND (:holder = '' OR user_id = :holder)"
_PAGE = (
    _KEY
    + "AND (:holder = '' OR user_id = :holder) AND (:before = '' OR id < :before) "
    + "ORDER BY id DESC LIMIT :limit"
)
_HOLDER = """
SELECT k.token_hash, k.scopes, k.expires_at, k.last_used_at, u.id AS user_id, u.role
FROM auth_api_key k JOIN auth_user u ON u.id = k.user_id
WHERE k.id = :id AND u.status = 'active' AND (k.expires_at IS NULL OR k.expires_at > :now)
"""
_INSERT = """
INSERT INTO auth_api_key (id, user_id, note, token_hash, scopes, created_at, expires_at)
VALUES (:id, :user_id, :note, :token_hash, :scopes, :created_at, :expires_at)
"""
_MARK_USED = """
UPDATE auth_api_key SET last_used_at = :now
WHERE id = :id AND (last_used_at IS NULL OR last_used_at <= :before)
"""
_DELETE = """
DELETE FROM auth_api_key WHERE id = :id AND (:holder = '' OR user_id = :holder)
RETURNING user_id
"""
_DELETE_EXPIRED = """
DELETE FROM auth_api_key WHERE id IN (
    SELECT id FROM auth_api_key WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit)
RETURNING id, user_id
"""


async def read(db: Database, key_id: str, holder: str, now_ms: int) -> Row | None:
    """Return a key of a holder, or of any for '', that lives."""
    return await db.fetch_one(_ONE, id=key_id, holder=holder, now=now_ms)


async def page(db: Database, holder: str, before: str, limit: int, now_ms: int) -> list[Row]:
    """Return keys that live, the newest first; '' is any holder, or from the top."""
    return await db.fetch_all(_PAGE, holder=holder, before=before, limit=limit, now=now_ms)


async def holder_of(db: Database, key_id: str, now_ms: int) -> Row | None:
    """Return a key that lives and its holder, if that account is active."""
    return await db.fetch_one(_HOLDER, id=key_id, now=now_ms)


async def count(tx: Tx, user_id: str) -> int:
    """Count an account's keys."""
    sql = "SELECT COUNT(*) AS count FROM auth_api_key WHERE user_id = :user_id"
    row = await tx.fetch_one(sql, user_id=user_id)
    return row["count"] if row else 0


async def insert(tx: Tx, values: Mapping[str, Any]) -> None:
    """Store a key, by the columns' names."""
    await tx.execute(_INSERT, **values)


async def mark_used(tx: Tx, key_id: str, now_ms: int, before_ms: int) -> None:
    """Say that a key was used, unless that was said after `before_ms`."""
    await tx.execute(_MARK_USED, id=key_id, now=now_ms, before=before_ms)


async def delete(tx: Tx, key_id: str, holder: str) -> str | None:
    """Delete a key of a holder, or of any for ''; return whose it was, None if there is none."""
    row = await tx.fetch_one(_DELETE, id=key_id, holder=holder)
    return row["user_id"] if row else None


async def delete_of(tx: Tx, user_id: str) -> list[str]:
    """Delete an account's keys, and return their ids."""
    sql = "DELETE FROM auth_api_key WHERE user_id = :user_id RETURNING id"
    return [row["id"] for row in await tx.fetch_all(sql, user_id=user_id)]


async def delete_expired(tx: Tx, now_ms: int, limit: int = 1000) -> list[tuple[str, str]]:
    """Delete keys whose time is up; return the id of each and whose it was."""
    rows = await tx.fetch_all(_DELETE_EXPIRED, now=now_ms, limit=limit)
    return [(row["id"], row["user_id"]) for row in rows]
