"""The only SQL of accounts: an erased one is found by nobody here."""

from wellio import Database, Row, Tx, fold

from .models import User

Reader = Database | Tx

_USER = "SELECT id, email, name, role, status, password_hash, created_at FROM auth_user "
_ONE = "WHERE id = :id AND erased_at IS NULL"
_USERS = """
WHERE erased_at IS NULL AND (name, id) > (:name, :id) AND (:role = '' OR role = :role)
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
INSERT INTO auth_user (id, email, email_ci, name, role, status, password_hash, last_login_at,
    created_at, updated_at)
VALUES (:id, :email, :email_ci, :name, :role, :status, :password_hash, :last_login_at,
    :created_at, :created_at)
ON CONFLICT (email_ci) DO NOTHING
"""
_UPDATE_USER = """
UPDATE auth_user SET name = :name, role = :role, status = :status, updated_at = :now WHERE id = :id
"""
_REHASH = """
UPDATE auth_user SET password_hash = :password_hash, updated_at = :now WHERE id = :id
"""
# It also locks the row, so that an account that is just disabled begins no session.
_BEGIN_LOGIN = """
UPDATE auth_user SET last_login_at = :now, password_hash = :newer_hash
WHERE id = :id AND status = 'active' AND password_hash = :proven_hash
RETURNING id, email, name, role, status, password_hash, created_at
"""
_ERASE = """
UPDATE auth_user SET status = 'erased', erased_at = :now, updated_at = :now, name = NULL,
    email = NULL, email_ci = NULL, email_verified_at = NULL, phone = NULL, time_zone = NULL,
    locale = NULL, password_hash = NULL, mfa_enrolled_at = NULL, last_login_at = NULL
WHERE id = :id
"""


def _user(row: Row | None) -> User | None:
    return None if row is None else User(*row)


async def user_by_id(db: Reader, user_id: str) -> User | None:
    """Return an account, or None."""
    return _user(await db.fetch_one(_USER + _ONE, id=user_id))


async def user_by_email(db: Reader, email: str) -> User | None:
    """Return the account of an address, in whatever case it is typed, or None."""
    return _user(await db.fetch_one(_USER + "WHERE email_ci = :email", email=fold(email)))


async def user_of_session(db: Reader, session_id: str, user_id: str, now_ms: int) -> User | None:
    """Return the account of a session, if that lives and the account is active."""
    row = await db.fetch_one(_USER + _HOLDER, session_id=session_id, user_id=user_id, now=now_ms)
    return _user(row)


async def lock_user(tx: Tx, user_id: str) -> User | None:
    """Return an account that nobody else changes until the commit, or None."""
    return _user(await tx.fetch_one(_USER + _ONE + " {for_update}", id=user_id))


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


async def insert_user(tx: Tx, user: User, last_login_at: int | None) -> bool:
    """Store an account; False when its address has one already."""
    values = {field: getattr(user, field) for field in User.__slots__}
    values |= {"email_ci": fold(user.email), "last_login_at": last_login_at}
    return bool(await tx.execute(_INSERT_USER, **values))


async def update_user(tx: Tx, user: User, now_ms: int) -> None:
    """Store what an account's name, role and status are now."""
    await tx.execute(
        _UPDATE_USER, id=user.id, name=user.name, role=user.role, status=user.status, now=now_ms
    )


async def set_password(tx: Tx, user_id: str, password_hash: str, now_ms: int) -> None:
    """Store another hash of an account's password."""
    await tx.execute(_REHASH, id=user_id, password_hash=password_hash, now=now_ms)


async def begin_login(tx: Tx, proven: User, newer_hash: str, now_ms: int) -> User | None:
    """Note that somebody signs in, and what to store of their password from now on.

    Returns:
        The account, which nobody else changes until the commit; None when it is not active, or
        another password is stored by now than the proven one.
    """
    return _user(
        await tx.fetch_one(
            _BEGIN_LOGIN,
            id=proven.id,
            proven_hash=proven.password_hash,
            newer_hash=newer_hash,
            now=now_ms,
        )
    )


async def erase_user(tx: Tx, user_id: str, now_ms: int) -> None:
    """Leave of an account its id, its role and when it was."""
    await tx.execute(_ERASE, id=user_id, now=now_ms)
