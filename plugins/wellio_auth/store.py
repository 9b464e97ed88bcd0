"""The only SQL of accounts, sessions, invitations and keys."""

from collections.abc import Mapping
from typing import Any

from wellio import Database, Row, Tx, fold

from .models import Origin, StoredSession, User
from .refresh import Rotation

Reader = Database | Tx

# --------------------------------------------------------------------------------- accounts

_USER = "SELECT id, email, name, role, status, password_hash, created_at FROM auth_user "
_USERS = """
WHERE (name, id) > (:name, :id) AND (:role = '' OR role = :role)
  AND (:status = '' OR status = :status)
ORDER BY name, id LIMIT :limit
"""
_HOLDER = """
WHERE id = :user_id AND status = 'active' AND EXISTS (
    SELECT 1 FROM auth_session s
    WHERE s.id = :session_id AND s.user_id = :user_id AND s.expires_at > :now)
"""
_OWNERS = """
SELECT id FROM auth_user WHERE role = 'owner' AND status = 'active' ORDER BY id {for_update}
"""
_INSERT_USER = """
INSERT INTO auth_user (id, email, email_ci, name, role, status, password_hash, created_at,
    updated_at)
VALUES (:id, :email, :email_ci, :name, :role, :status, :password_hash, :created_at, :created_at)
ON CONFLICT (email_ci) DO NOTHING
"""
_UPDATE_USER = """
UPDATE auth_user SET name = :name, role = :role, status = :status, updated_at = :now WHERE id = :id
"""
_REHASH = """
UPDATE auth_user SET password_hash = :password_hash, updated_at = :now WHERE id = :id
"""
_MARK_SET_UP = "INSERT INTO auth_setup (id, done_at) VALUES (1, :now) ON CONFLICT (id) DO NOTHING"


def _user(row: Row | None) -> User | None:
    return None if row is None else User(*row)


async def user_by_id(db: Reader, user_id: str) -> User | None:
    """Return an account, or None."""
    return _user(await db.fetch_one(_USER + "WHERE id = :id", id=user_id))


async def user_by_email(db: Reader, email: str) -> User | None:
    """Return the account of an address, in whatever case it is typed, or None."""
    return _user(await db.fetch_one(_USER + "WHERE email_ci = :email", email=fold(email)))


async def user_of_session(db: Reader, session_id: str, user_id: str, now_ms: int) -> User | None:
    """Return the account of a session, if that lives and the account is active."""
    row = await db.fetch_one(_USER + _HOLDER, session_id=session_id, user_id=user_id, now=now_ms)
    return _user(row)


async def lock_user(tx: Tx, user_id: str) -> User | None:
    """Return an account that nobody else changes until the commit, or None."""
    return _user(await tx.fetch_one(_USER + "WHERE id = :id {for_update}", id=user_id))


async def lock_active_owners(tx: Tx) -> set[str]:
    """Return the ids of the owners who can sign in; nobody else changes them until the commit."""
    return {row["id"] for row in await tx.fetch_all(_OWNERS)}


async def list_users(
    db: Reader, after: tuple[str, str], limit: int, role: str, status: str
) -> list[User]:
    """Return up to `limit` accounts past a (name, id), in that order; '' filters nothing."""
    rows = await db.fetch_all(
        _USER + _USERS, name=after[0], id=after[1], role=role, status=status, limit=limit
    )
    return [User(*row) for row in rows]


async def insert_user(tx: Tx, user: User) -> bool:
    """Store an account; False when its address has one already."""
    values = {field: getattr(user, field) for field in User.__slots__}
    return bool(await tx.execute(_INSERT_USER, **values, email_ci=fold(user.email)))


async def update_user(tx: Tx, user: User, now_ms: int) -> None:
    """Store what an account's name, role and status are now."""
    await tx.execute(
        _UPDATE_USER, id=user.id, name=user.name, role=user.role, status=user.status, now=now_ms
    )


async def set_password(tx: Tx, user_id: str, password_hash: str, now_ms: int) -> None:
    """Store another hash of an account's password."""
    await tx.execute(_REHASH, id=user_id, password_hash=password_hash, now=now_ms)


async def delete_user(tx: Tx, user_id: str) -> None:
    """Delete an account; what other plugins keep of it follows their foreign keys."""
    await tx.execute("DELETE FROM auth_user WHERE id = :id", id=user_id)


async def mark_set_up(tx: Tx, now_ms: int) -> bool:
    """Say that the practice has an owner; False when it had one already."""
    return bool(await tx.execute(_MARK_SET_UP, now=now_ms))


async def is_set_up(db: Reader) -> bool:
    """Tell whether the practice ever had an owner."""
    return await db.fetch_one("SELECT id FROM auth_setup") is not None


# --------------------------------------------------------------------------------- sessions

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


# ------------------------------------------------------------------------------ invitations

_INVITATION = """
SELECT id, email, role, attributes, token_hash, invited_by, created_at, expires_at, redeemed_at
FROM auth_invitation
"""
_OF_INVITER = "WHERE id = :id AND (:inviter = '' OR invited_by = :inviter)"
_INVITATIONS = """
WHERE (:inviter = '' OR invited_by = :inviter) AND (:before = '' OR id < :before)
ORDER BY id DESC LIMIT :limit
"""
_INSERT_INVITATION = """
INSERT INTO auth_invitation (id, email, email_ci, role, attributes, token_hash, invited_by,
    created_at, expires_at)
VALUES (:id, :email, :email_ci, :role, :attributes, :token_hash, :invited_by, :created_at,
    :expires_at)
"""
_MARK_REDEEMED = """
UPDATE auth_invitation SET redeemed_at = :now, redeemed_by = :user_id WHERE id = :id
"""
_DELETE_INVITATION = """
DELETE FROM auth_invitation
WHERE id = :id AND redeemed_at IS NULL AND (:inviter = '' OR invited_by = :inviter)
"""
_DELETE_INVITATIONS_BY = """
DELETE FROM auth_invitation WHERE invited_by = :inviter AND redeemed_at IS NULL
"""
_FORGET_COACH = """
UPDATE auth_invitation SET attributes = :nothing WHERE attributes ->> 'coachId' = :coach_id
"""


async def insert_invitation(tx: Tx, values: Mapping[str, Any]) -> None:
    """Store an invitation, by the columns' names."""
    await tx.execute(_INSERT_INVITATION, **values, email_ci=fold(values["email"]))


async def invitation_by_token(db: Reader, token_hash: str) -> Row | None:
    """Return the invitation of a token, used or not, or None."""
    return await db.fetch_one(_INVITATION + "WHERE token_hash = :hash", hash=token_hash)


async def invitation_by_id(db: Reader, invitation_id: str, inviter: str) -> Row | None:
    """Return an invitation of an inviter, or of any for '', or None."""
    return await db.fetch_one(_INVITATION + _OF_INVITER, id=invitation_id, inviter=inviter)


async def lock_invitation(tx: Tx, invitation_id: str) -> Row | None:
    """Return an invitation that nobody else redeems until the commit, or None."""
    return await tx.fetch_one(_INVITATION + "WHERE id = :id {for_update}", id=invitation_id)


async def list_invitations(db: Reader, inviter: str, before: str, limit: int) -> list[Row]:
    """Return up to `limit` invitations, the newest first; '' is any inviter, or from the top."""
    return await db.fetch_all(
        _INVITATION + _INVITATIONS, inviter=inviter, before=before, limit=limit
    )


async def set_invitation_token(tx: Tx, invitation_id: str, token_hash: str) -> None:
    """Have another token redeem an invitation."""
    await tx.execute(
        "UPDATE auth_invitation SET token_hash = :hash WHERE id = :id",
        id=invitation_id,
        hash=token_hash,
    )


async def mark_redeemed(tx: Tx, invitation_id: str, user_id: str, now_ms: int) -> None:
    """Say that an invitation became an account."""
    await tx.execute(_MARK_REDEEMED, id=invitation_id, user_id=user_id, now=now_ms)


async def delete_invitation(tx: Tx, invitation_id: str, inviter: str) -> bool:
    """Delete an invitation that was not used; '' is any inviter. False if there is none."""
    return bool(await tx.execute(_DELETE_INVITATION, id=invitation_id, inviter=inviter))


async def delete_invitations_by(tx: Tx, inviter: str) -> None:
    """Take back what somebody who may no longer invite has open."""
    await tx.execute(_DELETE_INVITATIONS_BY, inviter=inviter)


async def forget_coach(tx: Tx, user_id: str) -> None:
    """Have every invitation forget whom its client was to be assigned to."""
    await tx.execute(_FORGET_COACH, coach_id=user_id, nothing="{}")


async def delete_invitations_of(tx: Tx, email: str) -> None:
    """Forget every invitation of an address."""
    await tx.execute("DELETE FROM auth_invitation WHERE email_ci = :email", email=fold(email))


async def invitations_of(db: Reader, email: str) -> list[Row]:
    """Return every invitation of an address."""
    return await db.fetch_all(_INVITATION + "WHERE email_ci = :email", email=fold(email))


# ------------------------------------------------------------------------------------- keys

_INSERT_KEY = """
INSERT INTO auth_signing_key (kid, sealed, created_at) VALUES (:kid, :sealed, :now)
ON CONFLICT (kid) DO NOTHING
"""
_KEYS = "SELECT kid, sealed, created_at FROM auth_signing_key ORDER BY created_at, kid"
# A key's successor came before the given time.
_DELETE_KEYS = """
DELETE FROM auth_signing_key WHERE EXISTS (
    SELECT 1 FROM auth_signing_key newer
    WHERE newer.created_at > auth_signing_key.created_at AND newer.created_at <= :before
)
"""


async def signing_keys(db: Reader) -> list[Row]:
    """Return the signing keys with `kid, sealed, created_at`, the oldest first."""
    return await db.fetch_all(_KEYS)


async def insert_signing_key(tx: Tx, kid: str, sealed: bytes, now_ms: int) -> None:
    """Store a signing key, the newest whatever the clock says; one that is there already stays."""
    newest = await tx.fetch_one("SELECT MAX(created_at) AS at FROM auth_signing_key")
    now = max(now_ms, newest["at"] + 1) if newest and newest["at"] else now_ms
    await tx.execute(_INSERT_KEY, kid=kid, sealed=sealed, now=now)


async def reseal_signing_key(tx: Tx, kid: str, sealed: bytes) -> int:
    """Store the same signing key under another seal."""
    sql = "UPDATE auth_signing_key SET sealed = :sealed WHERE kid = :kid"
    return await tx.execute(sql, kid=kid, sealed=sealed)


async def delete_signing_keys(tx: Tx, before_ms: int) -> int:
    """Delete the signing keys whose successor came by then; return how many."""
    return await tx.execute(_DELETE_KEYS, before=before_ms)
