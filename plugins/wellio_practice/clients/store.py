"""The SQL about client records that is not plain: finding them, their tags, and whose they are."""

from collections.abc import Sequence

from wellio import Database, Fragment, Row, Tx, address_key, sort_key

from .models import CLIENTS, ClientQuery

_FITTING = """
  AND t.erased_at IS NULL
  AND (CAST(:q AS TEXT) IS NULL OR t.name_ci LIKE :q ESCAPE '!' OR t.email_key LIKE :q ESCAPE '!')
  AND (CAST(:lifecycle AS TEXT) IS NULL OR t.lifecycle = :lifecycle)
  AND (CAST(:tag_id AS TEXT) IS NULL
       OR EXISTS (SELECT 1 FROM practice_client_tag ct
                  WHERE ct.client_id = t.id AND ct.tag_id = :tag_id))
  AND (CAST(:coach_id AS TEXT) IS NULL
       OR EXISTS (SELECT 1 FROM practice_assignment a
                  WHERE a.client_id = t.id AND a.user_id = :coach_id AND a.until_at IS NULL))
"""
_TAGS = """
SELECT ct.client_id, t.id, t.name, t.created_at
FROM practice_client_tag ct JOIN practice_tag t ON t.id = ct.tag_id
WHERE ct.client_id {in ids}
ORDER BY t.name_key, t.id
"""
_TAG = """
INSERT INTO practice_client_tag (client_id, tag_id) VALUES (:client_id, :tag_id)
ON CONFLICT (client_id, tag_id) DO NOTHING
"""
_UNTAG = "DELETE FROM practice_client_tag WHERE client_id = :client_id AND tag_id = :tag_id"
_UNTAG_ALL = "DELETE FROM practice_client_tag WHERE client_id = :client_id"
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
_ACTIVE_STAFF = """
SELECT id FROM auth_v_user
WHERE id {in ids} AND role IN ('owner', 'coach') AND status = 'active'
"""
_STAFF = """
SELECT id, email FROM auth_v_user WHERE role IN ('owner', 'coach') AND status = 'active' ORDER BY id
"""
_OWN_RECORD = CLIENTS.select + "WHERE t.user_id = :user_id"
_OWN_TAGS = """
SELECT ct.client_id, t.id AS tag_id, t.name
FROM practice_client_tag ct JOIN practice_tag t ON t.id = ct.tag_id
WHERE ct.client_id IN (SELECT id FROM practice_client WHERE user_id = :user_id)
ORDER BY t.name_key, t.id
"""


def fitting(visible: Fragment, query: ClientQuery) -> Fragment:
    """Return the condition that keeps a list to what somebody may see and asks for.

    Args:
        visible: What they may see.
        query: What they ask for.
    """
    wanted = {
        "q": _contains(query.q) if query.q else None,
        "lifecycle": query.lifecycle,
        "tag_id": query.tag_id,
        "coach_id": query.coach_id,
    }
    return Fragment(visible.sql + _FITTING, {**visible.params, **wanted})


async def tags(db: Database | Tx, client_ids: Sequence[str]) -> list[Row]:
    """Return `(client_id, id, name, created_at)` of some clients' tags."""
    return await db.fetch_all(_TAGS, ids=client_ids)


async def tag(tx: Tx, client_id: str, tag_id: str) -> bool:
    """Put a tag on a client; tell whether that is new."""
    return await tx.execute(_TAG, client_id=client_id, tag_id=tag_id) > 0


async def untag(tx: Tx, client_id: str, tag_id: str) -> bool:
    """Take a tag off a client; tell whether it was on."""
    return await tx.execute(_UNTAG, client_id=client_id, tag_id=tag_id) > 0


async def untag_all(tx: Tx, client_id: str) -> None:
    """Take every tag off a client."""
    await tx.execute(_UNTAG_ALL, client_id=client_id)


async def role_for(db: Database, user_id: str, client_id: str) -> str | None:
    """Return as what somebody may know of a client: owner, coach, client or not at all."""
    row = await db.fetch_one(_ROLE, user_id=user_id, client_id=client_id)
    return row["role"] if row else None


async def find_unlinked(tx: Tx, email: str, coach_id: str | None) -> str | None:
    """Return the record that waits for the account of an address, if there is one."""
    row = await tx.fetch_one(_UNLINKED, email_ci=address_key(email), coach_id=coach_id)
    return row["id"] if row else None


async def active_staff(tx: Tx, user_ids: Sequence[str]) -> set[str]:
    """Return which of some people are owners or coaches with a working account."""
    return {row["id"] for row in await tx.fetch_all(_ACTIVE_STAFF, ids=user_ids)}


async def staff_by_email(tx: Tx, email: str) -> str | None:
    """Return the account of the coach or owner with an address, however it is typed."""
    rows = await tx.fetch_all(_STAFF)
    wanted = address_key(email)
    return next((row["id"] for row in rows if address_key(row["email"]) == wanted), None)


async def own_record(db: Database, user_id: str) -> Row | None:
    """Return the record of somebody's account."""
    return await db.fetch_one(_OWN_RECORD, user_id=user_id)


async def lock_own_record(tx: Tx, user_id: str) -> Row | None:
    """Return the record of somebody's account, which nobody else changes meanwhile."""
    return await tx.fetch_one(_OWN_RECORD + " {for_update}", user_id=user_id)


async def own_tags(db: Database, user_id: str) -> list[Row]:
    """Return `(client_id, tag_id, name)` of the tags on the record of somebody's account."""
    return await db.fetch_all(_OWN_TAGS, user_id=user_id)


def _contains(text: str) -> str:
    escaped = sort_key(text).replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return f"%{escaped}%"
