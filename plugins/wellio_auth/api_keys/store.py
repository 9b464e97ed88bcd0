"""The only SQL of API keys."""

from wellio import Database, Fragment, PageQuery, Row, Slice, Table, Tx

from .models import ApiKey

API_KEYS = Table("auth_api_key", ApiKey, "token_hash", order=("id",), descending=True)
_ALIVE = "(t.expires_at IS NULL OR t.expires_at > :now)"
_ONE = "WHERE t.id = :id AND (:holder = '' OR t.user_id = :holder) AND "
_OWN = "t.user_id = :holder AND "
_ABOUT = """
SELECT id, user_id, note, scopes, created_at, expires_at, last_used_at FROM auth_api_key
WHERE user_id = :user_id ORDER BY id
"""
_HOLDER = """
SELECT k.token_hash, k.scopes, k.expires_at, k.last_used_at, u.id AS user_id, u.role
FROM auth_api_key k JOIN auth_user u ON u.id = k.user_id
WHERE k.id = :id AND u.status = 'active' AND (k.expires_at IS NULL OR k.expires_at > :now)
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
    sql = API_KEYS.select + _ONE + _ALIVE
    return await db.fetch_one(sql, id=key_id, holder=holder, now=now_ms)


async def page(db: Database, query: PageQuery, holder: str, now_ms: int) -> Slice[Row]:
    """Return a page of keys that live, the newest first, of a holder or of any for ''."""
    alive = Fragment(_ALIVE, {"now": now_ms})
    if holder:
        alive = Fragment(_OWN + _ALIVE, {"holder": holder, "now": now_ms})
    return await API_KEYS.page(db, query, alive)


async def rows_about(db: Database, user_id: str) -> list[Row]:
    """Return all keys of a person, without hashes."""
    return await db.fetch_all(_ABOUT, user_id=user_id)


async def holder_of(db: Database, key_id: str, now_ms: int) -> Row | None:
    """Return a key that lives and its holder, if that account is active."""
    return await db.fetch_one(_HOLDER, id=key_id, now=now_ms)


async def count(tx: Tx, user_id: str, now_ms: int) -> int:
    """Count an account's keys that live."""
    sql = "SELECT COUNT(*) AS count FROM auth_api_key t WHERE t.user_id = :user_id AND "
    row = await tx.fetch_one(sql + _ALIVE, user_id=user_id, now=now_ms)
    return row["count"] if row else 0


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
