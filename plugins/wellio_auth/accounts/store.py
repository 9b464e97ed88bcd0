"""The only SQL of accounts: an erased one is found by nobody here."""

from wellio import Database, Fragment, PageQuery, Row, Slice, Table, Tx, address_key

from .models import PROFILE, User

Reader = Database | Tx

USERS = Table(
    "auth_user",
    User,
    *("email_ci", "name_key", "password_hash", "last_login_at int", "updated_at int"),
    *PROFILE,
    order=("name_key",),
)
_ONE = "WHERE t.id = :id AND t.erased_at IS NULL"
_LISTED = """
t.erased_at IS NULL AND (CAST(:role AS TEXT) IS NULL OR t.role = :role)
AND (CAST(:status AS TEXT) IS NULL OR t.status = :status)
"""
_HOLDER = """
WHERE t.id = :user_id AND t.status = 'active' AND EXISTS (
    SELECT 1 FROM auth_session s
    WHERE s.id = :session_id AND s.user_id = :user_id AND s.expires_at > :now)
"""
_OWNERS = """
SELECT id FROM auth_user WHERE role = 'owner' AND status = 'active' ORDER BY id
"""
_TWO_OF_STAFF = """
SELECT id FROM auth_user WHERE role IN ('owner', 'coach') AND status = 'active' ORDER BY id LIMIT 2
"""
# It also locks the row, so that an account that is just disabled begins no session.
_BEGIN_LOGIN = """
UPDATE auth_user SET last_login_at = :now, password_hash = :newer_hash
WHERE id = :id AND status = 'active' AND password_hash = :proven_hash
RETURNING id, email, name, role, status
"""
_ABOUT = """
SELECT id, email, name, phone, time_zone, locale, role, status, email_verified_at,
    mfa_enrolled_at, last_login_at, created_at, updated_at
FROM auth_user WHERE id = :id AND erased_at IS NULL
"""
_ERASE = """
UPDATE auth_user SET status = 'erased', erased_at = :now, updated_at = :now, name = NULL,
    name_key = NULL, email = NULL, email_ci = NULL, email_verified_at = NULL, phone = NULL,
    time_zone = NULL, locale = NULL, password_hash = NULL, mfa_enrolled_at = NULL,
    last_login_at = NULL
WHERE id = :id
"""


async def user_by_id(db: Reader, user_id: str) -> Row | None:
    """Return an account, or None."""
    return await db.fetch_one(USERS.select + _ONE, id=user_id)


async def user_by_email(db: Reader, email: str) -> Row | None:
    """Return the account of an address, however it is typed, or None."""
    return await db.fetch_one(USERS.select + "WHERE t.email_ci = :email", email=address_key(email))


async def user_of_session(db: Reader, session_id: str, user_id: str, now_ms: int) -> Row | None:
    """Return the account of a session, if that lives and the account is active."""
    sql = USERS.select + _HOLDER
    return await db.fetch_one(sql, session_id=session_id, user_id=user_id, now=now_ms)


async def lock_user(tx: Tx, user_id: str) -> Row | None:
    """Return an account that nobody else changes until the commit, or None."""
    return await tx.fetch_one(USERS.select + _ONE + " {for_update}", id=user_id)


async def lock_active_owners(tx: Tx) -> set[str]:
    """Return the ids of the owners who can sign in; nobody else changes them until the commit."""
    return {row["id"] for row in await tx.fetch_all(_OWNERS + " {for_update}")}


async def active_owners(db: Reader) -> list[str]:
    """Return the ids of the owners who can sign in."""
    return [row["id"] for row in await db.fetch_all(_OWNERS)]


async def only_coach(db: Reader) -> str | None:
    """Return whom a practice of one consists of: its one owner or coach; None: there are more."""
    ids = [row["id"] for row in await db.fetch_all(_TWO_OF_STAFF)]
    return ids[0] if len(ids) == 1 else None


async def page(db: Reader, query: PageQuery, role: str | None, status: str | None) -> Slice[Row]:
    """Return a page of accounts by name, of a role and a status or of any."""
    return await USERS.page(db, query, Fragment(_LISTED, {"role": role, "status": status}))


async def begin_login(tx: Tx, proven: Row, newer_hash: str, now_ms: int) -> Row | None:
    """Note that somebody signs in, and what to store of their password from now on.

    Returns:
        `id, email, name, role, status` of the account, which nobody else changes until the commit;
        None when it is not active, or another password is stored by now than the proven one.
    """
    return await tx.fetch_one(
        _BEGIN_LOGIN,
        id=proven["id"],
        proven_hash=proven["password_hash"],
        newer_hash=newer_hash,
        now=now_ms,
    )


async def all_users(db: Reader) -> list[Row]:
    """Return every account, by name."""
    return await db.fetch_all(USERS.select + "WHERE t.erased_at IS NULL ORDER BY t.name_key, t.id")


async def rows_about(db: Reader, user_id: str) -> list[Row]:
    """Return the account of a person, without its hash."""
    return await db.fetch_all(_ABOUT, id=user_id)


async def erase_user(tx: Tx, user_id: str, now_ms: int) -> None:
    """Leave of an account its id, its role and when it was."""
    await tx.execute(_ERASE, id=user_id, now=now_ms)
