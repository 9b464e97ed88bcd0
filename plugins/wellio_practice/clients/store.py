"""All SQL about client records."""

from collections.abc import Mapping, Sequence
from typing import Any

from wellio import Database, Fragment, Row, Tx, fold

from . import team

_COLUMNS = """
SELECT c.id, c.user_id, c.name, c.name_ci, c.email, c.phone, c.date_of_birth, c.time_zone,
       c.locale, c.source, c.lifecycle, c.metadata, c.created_at, c.updated_at
FROM practice_client c
"""
_ONE = "WHERE c.id = :id AND c.erased_at IS NULL"
_FILTER = """
  AND c.erased_at IS NULL
  AND (CAST(:q AS TEXT) IS NULL OR c.name_ci LIKE :q ESCAPE '!' OR c.email_ci LIKE :q ESCAPE '!')
  AND (CAST(:lifecycle AS TEXT) IS NULL OR c.lifecycle = :lifecycle)
  AND (CAST(:tag_id AS TEXT) IS NULL
       OR EXISTS (SELECT 1 FROM practice_client_tag t
                  WHERE t.client_id = c.id AND t.tag_id = :tag_id))
  AND (CAST(:coach_id AS TEXT) IS NULL
       OR EXISTS (SELECT 1 FROM practice_assignment a
                  WHERE a.client_id = c.id AND a.user_id = :coach_id AND a.until_at IS NULL))
  AND (c.name_ci, c.id) > (:after_name, :after_id)
ORDER BY c.name_ci, c.id
LIMIT :limit
"""
_INSERT = """
INSERT INTO practice_client (id, user_id, name, name_ci, email, email_ci, phone, date_of_birth,
    time_zone, locale, source, lifecycle, metadata, created_at, updated_at)
VALUES (:id, :user_id, :name, :name_ci, :email, :email_ci, :phone, :date_of_birth,
    :time_zone, :locale, :source, :lifecycle, :metadata, :now, :now)
"""
_UPDATE = """
UPDATE practice_client
SET name = :name, name_ci = :name_ci, email = :email, email_ci = :email_ci, phone = :phone,
    date_of_birth = :date_of_birth, time_zone = :time_zone, locale = :locale, source = :source,
    lifecycle = :lifecycle, metadata = :metadata, version = version + 1, updated_at = :now
WHERE id = :id
"""
_TAGS = """
SELECT ct.client_id, t.id, t.name, t.created_at
FROM practice_client_tag ct JOIN practice_tag t ON t.id = ct.tag_id
WHERE ct.client_id {in ids}
ORDER BY t.name_ci
"""
_ROLE = """
SELECT role FROM practice_v_client_access WHERE user_id = :user_id AND client_id = :client_id
"""
# A record without an account that bears this address and is the coach's, or nobody's.
_UNLINKED = """
SELECT c.id FROM practice_client c
WHERE c.email_ci = :email_ci AND c.user_id IS NULL
  AND (EXISTS (SELECT 1 FROM practice_assignment a
               WHERE a.client_id = c.id AND a.user_id = :coach_id AND a.until_at IS NULL)
       OR NOT EXISTS (SELECT 1 FROM practice_assignment a
                      WHERE a.client_id = c.id AND a.until_at IS NULL))
ORDER BY c.created_at, c.id
LIMIT 1 {for_update}
"""

# Of somebody whose account is erased nothing is handed out, though their id stays in the history.
_ASSIGNMENTS_ABOUT = """
SELECT a.id, a.client_id, a.user_id, a.role, a.from_at, a.until_at FROM practice_assignment a
WHERE a.client_id IN (SELECT id FROM practice_client WHERE user_id = :id)
UNION
SELECT a.id, a.client_id, a.user_id, a.role, a.from_at, a.until_at FROM practice_assignment a
WHERE a.user_id = :id AND EXISTS (SELECT 1 FROM auth_v_user u
                                  WHERE u.id = :id AND u.status <> 'erased')
ORDER BY from_at, id
"""
_TAGS_ABOUT = """
SELECT ct.client_id, t.name
FROM practice_client_tag ct JOIN practice_tag t ON t.id = ct.tag_id
WHERE ct.client_id IN (SELECT id FROM practice_client WHERE user_id = :id)
"""

_STAFF = """
SELECT id, email FROM auth_v_user WHERE role IN ('owner', 'coach') AND status = 'active' ORDER BY id
"""
_OWN = "SELECT id FROM practice_client WHERE user_id = :user_id {for_update}"
_ERASE = """
UPDATE practice_client
SET status = 'erased', erased_at = :now, user_id = NULL, name = NULL, name_ci = NULL, email = NULL,
    email_ci = NULL, phone = NULL, date_of_birth = NULL, time_zone = NULL, locale = NULL,
    source = NULL, metadata = :nothing, version = version + 1, updated_at = :now
WHERE id = :id
"""


async def read(db: Database | Tx, client_id: str) -> Row | None:
    """Return one record."""
    return await db.fetch_one(_COLUMNS + _ONE, id=client_id)


async def lock(tx: Tx, client_id: str) -> Row | None:
    """Return one record that nobody else changes until this transaction ends."""
    return await tx.fetch_one(_COLUMNS + _ONE + " {for_update}", id=client_id)


async def search(db: Database, visible: Fragment, **wanted: Any) -> list[Row]:
    """Return the records that fit, by name.

    Args:
        db: The database.
        visible: What the actor may see.
        wanted: `q` (a LIKE pattern), `lifecycle`, `tag_id`, `coach_id` or None each;
            `after_name`, `after_id`, `limit`.
    """
    return await db.fetch_all(
        _COLUMNS + "WHERE " + visible.sql + _FILTER, **wanted, **visible.params
    )


async def tags(db: Database | Tx, client_ids: Sequence[str]) -> list[Row]:
    """Return `(client_id, id, name, created_at)` of some clients' tags."""
    return await db.fetch_all(_TAGS, ids=client_ids)


async def role_for(db: Database, user_id: str, client_id: str) -> str | None:
    """Return as what somebody may know of a client: owner, coach, client or not at all."""
    row = await db.fetch_one(_ROLE, user_id=user_id, client_id=client_id)
    return row["role"] if row else None


async def insert(tx: Tx, fields: Mapping[str, Any]) -> None:
    """Store a new record; `fields` holds every column but the folded copies."""
    await tx.execute(_INSERT, **_with_folded(fields))


async def update(tx: Tx, fields: Mapping[str, Any]) -> None:
    """Store a changed record."""
    await tx.execute(_UPDATE, **_with_folded(fields))


async def link(tx: Tx, client_id: str, user_id: str, now: int) -> None:
    """Give a record its account."""
    await tx.execute(
        "UPDATE practice_client SET user_id = :user_id, version = version + 1, updated_at = :now "
        "WHERE id = :id",
        id=client_id,
        user_id=user_id,
        now=now,
    )


async def find_unlinked(tx: Tx, email: str, coach_id: str | None) -> str | None:
    """Return the record that waits for the account of an address, if there is one."""
    row = await tx.fetch_one(_UNLINKED, email_ci=fold(email), coach_id=coach_id)
    return row["id"] if row else None


async def active_staff(tx: Tx, user_ids: Sequence[str]) -> set[str]:
    """Return which of some people are owners or coaches with a working account."""
    rows = await tx.fetch_all(
        "SELECT id FROM auth_v_user "
        "WHERE id {in ids} AND role IN ('owner', 'coach') AND status = 'active'",
        ids=user_ids,
    )
    return {row["id"] for row in rows}


async def staff_by_email(tx: Tx, email: str) -> str | None:
    """Return the account of the coach or owner with an address, however it is typed."""
    rows = await tx.fetch_all(_STAFF)
    wanted = fold(email)
    return next((row["id"] for row in rows if fold(row["email"]) == wanted), None)


async def tag(tx: Tx, client_id: str, tag_id: str) -> bool:
    """Put a tag on a client; tell whether that is new."""
    touched = await tx.execute(
        "INSERT INTO practice_client_tag (client_id, tag_id) VALUES (:client_id, :tag_id) "
        "ON CONFLICT (client_id, tag_id) DO NOTHING",
        client_id=client_id,
        tag_id=tag_id,
    )
    return touched > 0


async def untag(tx: Tx, client_id: str, tag_id: str) -> bool:
    """Take a tag off a client; tell whether it was on."""
    touched = await tx.execute(
        "DELETE FROM practice_client_tag WHERE client_id = :client_id AND tag_id = :tag_id",
        client_id=client_id,
        tag_id=tag_id,
    )
    return touched > 0


def _with_folded(fields: Mapping[str, Any]) -> dict[str, Any]:
    email = fields["email"]
    return {
        **fields,
        "name_ci": fold(fields["name"]),
        "email_ci": fold(email) if email else None,
    }


async def rows_about(db: Database, user_id: str) -> dict[str, list[Row]]:
    """Return every row about a person, by table."""
    return {
        "practice_client": await db.fetch_all(_COLUMNS + "WHERE c.user_id = :id", id=user_id),
        "practice_assignment": await db.fetch_all(_ASSIGNMENTS_ABOUT, id=user_id),
        "practice_client_tag": await db.fetch_all(_TAGS_ABOUT, id=user_id),
    }


async def erase(tx: Tx, user_id: str, now: int) -> None:
    """Leave a tombstone of a person's record, and end whom they look after."""
    await team.leave(tx, user_id, now)
    row = await tx.fetch_one(_OWN, user_id=user_id)
    if row is None:
        return
    await team.end_all(tx, row["id"], now)
    await tx.execute("DELETE FROM practice_client_tag WHERE client_id = :id", id=row["id"])
    await tx.execute(_ERASE, id=row["id"], nothing="{}", now=now)
