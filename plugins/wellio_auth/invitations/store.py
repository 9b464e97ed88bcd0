"""The only SQL of invitations."""

from collections.abc import Mapping
from typing import Any

import orjson

from wellio import Database, Fragment, PageQuery, Row, Slice, Table, Tx, address_key

from .models import StoredInvitation

Reader = Database | Tx

INVITATIONS = Table(
    "auth_invitation",
    StoredInvitation,
    *("email_ci", "attributes json", "token_hash", "redeemed_at int", "redeemed_by"),
    order=("id",),
    descending=True,
)
_OF_INVITER = "WHERE t.id = :id AND (:inviter = '' OR t.invited_by = :inviter)"
_ABOUT = """
SELECT id, email, role, attributes, invited_by, created_at, expires_at, redeemed_at
FROM auth_invitation WHERE email_ci = :email OR redeemed_by = :user_id ORDER BY id
"""
_MARK_REDEEMED = """
UPDATE auth_invitation SET redeemed_at = :now, redeemed_by = :user_id WHERE id = :id
"""
_DELETE_INVITATION = """
DELETE FROM auth_invitation
WHERE id = :id AND redeemed_at IS NULL AND (:inviter = '' OR invited_by = :inviter)
"""
_DELETE_OPEN = """
DELETE FROM auth_invitation
WHERE email_ci = :email AND redeemed_at IS NULL AND (:inviter = '' OR invited_by = :inviter)
RETURNING id
"""
_DELETE_INVITATIONS_BY = """
DELETE FROM auth_invitation WHERE invited_by = :inviter AND redeemed_at IS NULL
"""
_DELETE_INVITATIONS_OF = """
DELETE FROM auth_invitation WHERE email_ci = :email OR redeemed_by = :user_id
"""
_FORGET_COACH = """
UPDATE auth_invitation SET attributes = :nothing WHERE attributes ->> 'coachId' = :coach_id
"""


def attributes_of(row: Row) -> dict[str, Any]:
    """Return what an invitation says beyond its account, such as `coachId`."""
    found: dict[str, Any] = orjson.loads(row["attributes"])
    return found


async def insert_invitation(tx: Tx, values: Mapping[str, Any], now_ms: int) -> Row:
    """Store an invitation, by the columns' names, and return it."""
    return await INVITATIONS.insert(
        tx, {**values, "email_ci": address_key(values["email"])}, now=now_ms
    )


async def invitation_by_token(db: Reader, token_hash: str) -> Row | None:
    """Return the invitation of a token, used or not, or None."""
    return await db.fetch_one(INVITATIONS.select + "WHERE t.token_hash = :hash", hash=token_hash)


async def invitation_by_id(db: Reader, invitation_id: str, inviter: str) -> Row | None:
    """Return an invitation of an inviter, or of any for '', or None."""
    sql = INVITATIONS.select + _OF_INVITER
    return await db.fetch_one(sql, id=invitation_id, inviter=inviter)


async def lock_invitation(tx: Tx, invitation_id: str) -> Row | None:
    """Return an invitation that nobody else redeems until the commit, or None."""
    sql = INVITATIONS.select + "WHERE t.id = :id {for_update}"
    return await tx.fetch_one(sql, id=invitation_id)


async def page(db: Reader, query: PageQuery, inviter: str) -> Slice[Row]:
    """Return a page of invitations, the newest first, of an inviter or of any for ''."""
    own = Fragment("t.invited_by = :inviter", {"inviter": inviter})
    return await INVITATIONS.page(db, query, own if inviter else None)


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


async def delete_open(tx: Tx, email: str, inviter: str) -> list[str]:
    """Delete what is open to an address, of an inviter or of any for ''; return their ids."""
    rows = await tx.fetch_all(_DELETE_OPEN, email=address_key(email), inviter=inviter)
    return [row["id"] for row in rows]


async def delete_invitations_by(tx: Tx, inviter: str) -> None:
    """Take back what somebody who may no longer invite has open."""
    await tx.execute(_DELETE_INVITATIONS_BY, inviter=inviter)


async def forget_coach(tx: Tx, user_id: str) -> None:
    """Have every invitation forget whom its client was to be assigned to, but not that."""
    await tx.execute(_FORGET_COACH, coach_id=user_id, nothing='{"coachId":null}')


async def delete_invitations_of(tx: Tx, user_id: str, email: str) -> None:
    """Forget every invitation of a person, by their address, and what they made of one."""
    await tx.execute(_DELETE_INVITATIONS_OF, user_id=user_id, email=address_key(email))


async def rows_about(db: Reader, user_id: str, email: str) -> list[Row]:
    """Return every invitation of a person, without hashes."""
    return await db.fetch_all(_ABOUT, user_id=user_id, email=address_key(email))
