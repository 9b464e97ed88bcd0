"""The only SQL of sessions."""

from typing import Any

from wellio import Database, Fragment, PageQuery, Row, Slice, Table, Tx

from .models import StoredSession
from .refresh import Rotation

Reader = Database | Tx

SESSIONS = Table(
    "auth_session",
    StoredSession,
    *("user_id", "token_hash", "previous_hash", "request_hash", "rotated_at int", "ends_at int"),
    order=("last_seen_at",),
    descending=True,
)
_OF_USER = "t.user_id = :user_id AND t.expires_at > :now"
_ROTATE = """
UPDATE auth_session SET token_hash = :token_hash, previous_hash = :previous_hash,
    request_hash = :request_hash, rotated_at = :at, last_seen_at = :at, expires_at = :expires_at
WHERE id = :id
"""
_ORIGINS = """
SELECT u.email, s.ip, s.user_agent FROM auth_session s JOIN auth_user u ON u.id = s.user_id
WHERE s.expires_at > :now ORDER BY s.last_seen_at DESC LIMIT :limit
"""
_LATEST_TIME = """
SELECT MAX(at) AS at FROM (
    SELECT at FROM auth_time UNION ALL SELECT last_seen_at FROM auth_session
    UNION ALL SELECT rotated_at FROM auth_session) AS known
"""
_KEEP_TIME = """
INSERT INTO auth_time (id, at) VALUES (1, :now)
ON CONFLICT (id) DO UPDATE SET at = excluded.at WHERE auth_time.at < excluded.at
"""
_ABOUT = """
SELECT id, user_id, created_at, last_seen_at, expires_at, ends_at, ip, user_agent
FROM auth_session WHERE user_id = :user_id ORDER BY last_seen_at DESC, id DESC
"""
_DELETE = """
DELETE FROM auth_session
WHERE user_id = :user_id AND (:only = '' OR id = :only) AND id <> :but
RETURNING id
"""
_DELETE_EXPIRED_OF_USER = """
DELETE FROM auth_session WHERE user_id = :user_id AND expires_at <= :now RETURNING id
"""
_DELETE_EXPIRED = """
DELETE FROM auth_session WHERE expires_at <= :now AND id IN (
    SELECT id FROM auth_session WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit)
RETURNING id
"""
_DELETE_SURPLUS = """
DELETE FROM auth_session WHERE user_id = :user_id AND id NOT IN (
    SELECT id FROM auth_session WHERE user_id = :user_id
    ORDER BY last_seen_at DESC, id DESC LIMIT :keep)
RETURNING id
"""


async def lock_session(tx: Tx, session_id: str) -> Row | None:
    """Return a session that nobody else refreshes or ends until the commit, or None."""
    return await tx.fetch_one(SESSIONS.select + "WHERE t.id = :id {for_update}", id=session_id)


async def rotate_session(tx: Tx, session_id: str, rotation: Rotation, expires_at: int) -> None:
    """Store where a session stands after a refresh."""
    await tx.execute(
        _ROTATE,
        id=session_id,
        token_hash=rotation.token_hash,
        previous_hash=rotation.previous_hash,
        request_hash=rotation.request_hash,
        at=rotation.rotated_at,
        expires_at=expires_at,
    )


async def read(db: Reader, session_id: str, user_id: str, now_ms: int) -> Row | None:
    """Return a session of a person that lives, or None."""
    sql = SESSIONS.select + "WHERE t.id = :id AND " + _OF_USER
    return await db.fetch_one(sql, id=session_id, user_id=user_id, now=now_ms)


async def page(db: Reader, query: PageQuery, user_id: str, now_ms: int) -> Slice[Row]:
    """Return a page of the sessions of a person that live, the one used last first."""
    return await SESSIONS.page(db, query, Fragment(_OF_USER, {"user_id": user_id, "now": now_ms}))


async def session_origins(db: Reader, now_ms: int, limit: int) -> list[Row]:
    """Return `(email, ip, user_agent)` of each live session's login, the one used last first."""
    return await db.fetch_all(_ORIGINS, now=now_ms, limit=limit)


async def rows_about(db: Reader, user_id: str) -> list[Row]:
    """Return all sessions of a person, without hashes."""
    return await db.fetch_all(_ABOUT, user_id=user_id)


async def delete_sessions(tx: Tx, user_id: str, *, only: str = "", but: str = "") -> list[str]:
    """End a person's sessions: all, `only` one, or all `but` one; return the ids that ended."""
    return await _ids(tx, _DELETE, user_id=user_id, only=only, but=but)


async def delete_expired_of(tx: Tx, user_id: str, now_ms: int) -> list[str]:
    """Forget a person's sessions that ran out by themselves; return their ids."""
    return await _ids(tx, _DELETE_EXPIRED_OF_USER, user_id=user_id, now=now_ms)


async def delete_expired_sessions(tx: Tx, now_ms: int, limit: int) -> list[str]:
    """Forget sessions that ran out by themselves; return their ids."""
    return await _ids(tx, _DELETE_EXPIRED, now=now_ms, limit=limit)


async def delete_surplus_sessions(tx: Tx, user_id: str, keep: int) -> list[str]:
    """End all but the `keep` sessions that were used last; return the ids that ended."""
    return await _ids(tx, _DELETE_SURPLUS, user_id=user_id, keep=keep)


async def _ids(tx: Tx, sql: str, **params: Any) -> list[str]:
    return [row["id"] for row in await tx.fetch_all(sql, **params)]


async def latest_time(db: Reader) -> int:
    """Return the latest instant by which a session was made or went on, or that was kept; or 0."""
    row = await db.fetch_one(_LATEST_TIME)
    return (row["at"] if row else None) or 0


async def keep_time(tx: Tx, now_ms: int) -> None:
    """Store an instant, unless a later one is."""
    await tx.execute(_KEEP_TIME, now=now_ms)
