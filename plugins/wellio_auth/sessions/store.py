"""The only SQL of sessions."""

from wellio import Database, Row, Tx

from .models import Origin, StoredSession
from .refresh import Rotation

Reader = Database | Tx

_INSERT_SESSION = """
INSERT INTO auth_session (id, user_id, token_hash, rotated_at, created_at, last_seen_at,
    expires_at, ends_at, ip, user_agent)
VALUES (:id, :user_id, :token_hash, :now, :now, :now, :expires_at, :ends_at, :ip, :user_agent)
"""
_LOCK_SESSION = """
SELECT token_hash, previous_hash, request_hash, rotated_at, user_id, expires_at, ends_at
FROM auth_session WHERE id = :id {for_update}
"""
_ROTATE = """
UPDATE auth_session SET token_hash = :token_hash, previous_hash = :previous_hash,
    request_hash = :request_hash, rotated_at = :at, last_seen_at = :at, expires_at = :expires_at
WHERE id = :id
"""
_SESSIONS = """
SELECT id, created_at, last_seen_at, expires_at, ip, user_agent FROM auth_session
WHERE user_id = :user_id AND expires_at > :now
ORDER BY last_seen_at DESC, id DESC
"""
_PLACES = """
SELECT u.email, s.ip FROM auth_session s JOIN auth_user u ON u.id = s.user_id
WHERE s.expires_at > :now ORDER BY s.last_seen_at DESC LIMIT :limit
"""
_DELETE_SESSIONS = """
DELETE FROM auth_session
WHERE user_id = :user_id AND (:only = '' OR id = :only) AND id <> :but
RETURNING id
"""
_DELETE_EXPIRED = """
DELETE FROM auth_session WHERE expires_at <= :now AND id IN (
    SELECT id FROM auth_session
    WHERE expires_at <= :now AND (:user_id = '' OR user_id = :user_id)
    ORDER BY expires_at LIMIT :limit)
RETURNING id
"""
_DELETE_SURPLUS = """
DELETE FROM auth_session WHERE user_id = :user_id AND id NOT IN (
    SELECT id FROM auth_session WHERE user_id = :user_id
    ORDER BY last_seen_at DESC, id DESC LIMIT :keep)
RETURNING id
"""


async def insert_session(
    tx: Tx,
    session_id: str,
    user_id: str,
    token_hash: str,
    origin: Origin,
    *,
    now_ms: int,
    expires_at: int,
    ends_at: int,
) -> None:
    """Store a session that begins."""
    await tx.execute(
        _INSERT_SESSION,
        id=session_id,
        user_id=user_id,
        token_hash=token_hash,
        now=now_ms,
        expires_at=expires_at,
        ends_at=ends_at,
        ip=origin.ip,
        user_agent=origin.user_agent,
    )


async def lock_session(tx: Tx, session_id: str) -> StoredSession | None:
    """Return a session that nobody else refreshes or ends until the commit, or None."""
    row = await tx.fetch_one(_LOCK_SESSION, id=session_id)
    if row is None:
        return None
    token_hash, previous_hash, request_hash, rotated_at, user_id, expires_at, ends_at = row
    rotation = Rotation(token_hash, previous_hash, request_hash, rotated_at)
    return StoredSession(rotation, user_id, expires_at, ends_at)


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


async def list_sessions(db: Reader, user_id: str, now_ms: int) -> list[Row]:
    """Return the sessions of a person that live, the one used last first."""
    return await db.fetch_all(_SESSIONS, user_id=user_id, now=now_ms)


async def session_places(db: Reader, now_ms: int, limit: int) -> list[Row]:
    """Return `(email, ip)` of the sessions that live: where each began, the one used last first."""
    return await db.fetch_all(_PLACES, now=now_ms, limit=limit)


async def delete_sessions(tx: Tx, user_id: str, *, only: str = "", but: str = "") -> list[str]:
    """End a person's sessions: all, `only` one, or all `but` one; return the ids that ended."""
    rows = await tx.fetch_all(_DELETE_SESSIONS, user_id=user_id, only=only, but=but)
    return [row["id"] for row in rows]


async def delete_expired_sessions(
    tx: Tx, now_ms: int, *, user_id: str = "", limit: int = 1000
) -> list[str]:
    """Forget sessions that ran out by themselves, a person's or anybody's; return their ids."""
    rows = await tx.fetch_all(_DELETE_EXPIRED, user_id=user_id, now=now_ms, limit=limit)
    return [row["id"] for row in rows]


async def delete_surplus_sessions(tx: Tx, user_id: str, keep: int) -> list[str]:
    """End all but the `keep` sessions that were used last; return the ids that ended."""
    rows = await tx.fetch_all(_DELETE_SURPLUS, user_id=user_id, keep=keep)
    return [row["id"] for row in rows]
