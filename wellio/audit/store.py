"""The rows of the audit log: the only SQL that touches `wellio_audit*`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wellio.db.base import Database, Row, Tx

Reader = Database | Tx

_ENTRY = """
id, at, actor_id, action, object_kind, object_id, subject_id, client_id, note, request_id, network,
api_key_id, commitment
"""
_APPEND = (
    "INSERT INTO wellio_audit_pending ("
    + _ENTRY
    + """, key_id, mac)
VALUES (:id, :at, :actor_id, :action, :object_kind, :object_id, :subject_id, :client_id, :note,
    :request_id, :network, :api_key_id, :commitment, :key_id, :mac)
"""
)
_APPEND_DETAIL = """
INSERT INTO wellio_audit_detail (audit_id, user_id, salt, details)
VALUES (:id, :user_id, :salt, :details)
"""
FIRST_WAITING = """
SELECT at FROM wellio_audit_pending WHERE state = 'waiting' ORDER BY position LIMIT 1
"""
# One statement, and so one instant: a row that another process seals meanwhile is on one side only.
WAITING = (
    "SELECT p.*, EXISTS (SELECT 1 FROM wellio_audit AS a WHERE a.id = p.id) AS is_sealed"
    " FROM (SELECT position, key_id, mac, "
    + _ENTRY
    + """ FROM wellio_audit_pending WHERE state = 'waiting' ORDER BY position LIMIT :limit) AS p
ORDER BY p.position
"""
)
# CROSS JOIN has SQLite go through the list once, whatever it thinks of the table's size.
SEAL = (
    "INSERT INTO wellio_audit (seq, key_id, hash, "
    + _ENTRY
    + """)
SELECT sealed.seq, sealed.key_id, sealed.hash, """
    + _ENTRY
    + """
FROM {rows sealed (place int, seq int, key_id text, hash text)}
CROSS JOIN wellio_audit_pending AS p WHERE p.position = sealed.place
"""
)
DROP_SEALED = "DELETE FROM wellio_audit_pending WHERE position {in places}"
_HAS_TABLE = "SELECT t.name FROM {tables} t WHERE t.name = 'wellio_audit_pending'"
ANY = """
SELECT seq AS place FROM wellio_audit UNION ALL SELECT position FROM wellio_audit_pending LIMIT 1
"""
LAST = "SELECT seq, hash FROM wellio_audit ORDER BY seq DESC LIMIT 1"
# The page is cut before the details are joined, so that each of its rows costs one look-up.
PAGE = (
    "SELECT a.*, d.user_id AS details_of, d.salt, d.details FROM (SELECT seq, key_id, hash, "
    + _ENTRY
    + """ FROM wellio_audit WHERE seq > :after ORDER BY seq LIMIT :limit) AS a
LEFT JOIN wellio_audit_detail AS d ON d.audit_id = a.id
ORDER BY a.seq
"""
)
# One statement, for the same reason.
PENDING_PAGE = (
    "SELECT p.*, d.user_id AS details_of, d.salt, d.details, "
    "EXISTS (SELECT 1 FROM wellio_audit AS a WHERE a.id = p.id) AS is_sealed "
    "FROM (SELECT position, key_id, mac, state, "
    + _ENTRY
    + """ FROM wellio_audit_pending WHERE position > :after ORDER BY position LIMIT :limit) AS p
LEFT JOIN wellio_audit_detail AS d ON d.audit_id = p.id
ORDER BY p.position
"""
)
# One statement: a row that is sealed meanwhile is in one of the two.
NOBODYS_DETAILS = """
SELECT d.audit_id FROM wellio_audit_detail AS d
WHERE NOT EXISTS (SELECT 1 FROM wellio_audit AS a WHERE a.id = d.audit_id)
  AND NOT EXISTS (SELECT 1 FROM wellio_audit_pending AS p WHERE p.id = d.audit_id)
ORDER BY d.audit_id LIMIT :limit
"""
DETAILS_OF = """
SELECT d.audit_id, coalesce(a.at, p.at) AS at, coalesce(a.action, p.action) AS action, d.details
FROM wellio_audit_detail AS d
LEFT JOIN wellio_audit AS a ON a.id = d.audit_id
LEFT JOIN wellio_audit_pending AS p ON p.id = d.audit_id
WHERE d.user_id = :user_id ORDER BY d.audit_id
"""
ERASE_DETAILS = "DELETE FROM wellio_audit_detail WHERE user_id = :user_id"
_KEYS = "SELECT id, sealed FROM wellio_audit_key ORDER BY created_at, id"
_RESEAL_KEY = "UPDATE wellio_audit_key SET sealed = :sealed WHERE id = :id"
_INSERT_KEY = """
INSERT INTO wellio_audit_key (id, sealed, created_at) VALUES (:id, :sealed, :now)
"""


@dataclass(frozen=True, slots=True)
class Head:
    """How far the chain goes: the number and the hash of its last row."""

    seq: int
    hash: str


GENESIS = Head(0, "0" * 64)


async def has_rows(db: Reader) -> bool:
    """Tell whether anything was ever written down, also where there is no log yet."""
    if await db.fetch_one(_HAS_TABLE) is None:
        return False
    return await db.fetch_one(ANY) is not None


async def append(tx: Tx, row: Mapping[str, Any]) -> None:
    """Write a row, to be sealed after the commit."""
    await tx.execute(_APPEND, **row)


async def append_detail(tx: Tx, audit_id: str, user_id: str, salt: str, details: str) -> None:
    """Write the personal details of a row."""
    await tx.execute(_APPEND_DETAIL, id=audit_id, user_id=user_id, salt=salt, details=details)


async def first_waiting(db: Reader) -> int | None:
    """Return the instant of the first row that waits to be sealed; None when none does."""
    row = await db.fetch_one(FIRST_WAITING)
    return None if row is None else row["at"]


async def waiting(tx: Tx, limit: int) -> list[Row]:
    """Return the first rows that wait, in the order in which they were written.

    `is_sealed` is true of one that is in the chain already, and so is a copy.
    """
    return await tx.fetch_all(WAITING, limit=limit)


async def seal(tx: Tx, sealed: Sequence[Mapping[str, Any]]) -> int:
    """Move rows into the chain; `sealed` has their `place, seq, key_id, hash`.

    Returns:
        How many went.
    """
    moved = await tx.execute(SEAL, sealed=sealed)
    places = [row["place"] for row in sealed]
    await tx.execute(DROP_SEALED, places=places)
    return moved


async def refuse(tx: Tx, places: Sequence[int]) -> None:
    """Leave rows out of the chain for good."""
    await tx.execute(
        "UPDATE wellio_audit_pending SET state = 'refused' WHERE position {in places}",
        places=places,
    )


async def last(db: Reader) -> Head:
    """Return the end of the chain."""
    row = await db.fetch_one(LAST)
    return GENESIS if row is None else Head(row["seq"], row["hash"])


async def hash_at(db: Reader, seq: int) -> str | None:
    """Return the hash of one row of the chain."""
    row = await db.fetch_one("SELECT hash FROM wellio_audit WHERE seq = :seq", seq=seq)
    return None if row is None else row["hash"]


async def page(db: Reader, after: int, limit: int) -> list[Row]:
    """Return rows of the chain past a number, with their details."""
    return await db.fetch_all(PAGE, after=after, limit=limit)


async def pending_page(db: Reader, after: int, limit: int) -> list[Row]:
    """Return rows outside the chain past a position, with their details and `is_sealed`."""
    return await db.fetch_all(PENDING_PAGE, after=after, limit=limit)


async def nobodys_details(db: Reader, limit: int) -> list[str]:
    """Return the ids under which details are kept and no row is."""
    return [row["audit_id"] for row in await db.fetch_all(NOBODYS_DETAILS, limit=limit)]


async def details_of(db: Reader, user_id: str) -> list[Row]:
    """Return the details about a person: `audit_id, at, action, details`."""
    return await db.fetch_all(DETAILS_OF, user_id=user_id)


async def erase_details(tx: Tx, user_id: str) -> int:
    """Delete the details about a person; return how many there were."""
    return await tx.execute(ERASE_DETAILS, user_id=user_id)


async def keys(db: Reader) -> list[Row]:
    """Return `id, sealed` of every key, the newest last."""
    return await db.fetch_all(_KEYS)


async def reseal_key(tx: Tx, key_id: str, sealed: bytes) -> int:
    """Keep a key in another sealed form; return 1."""
    return await tx.execute(_RESEAL_KEY, id=key_id, sealed=sealed)


async def insert_key(tx: Tx, key_id: str, sealed: bytes, now: int) -> None:
    """Store a key, the newest whatever the clock says."""
    newest = await tx.fetch_one("SELECT max(created_at) AS at FROM wellio_audit_key")
    after = newest["at"] if newest else None
    await tx.execute(
        _INSERT_KEY, id=key_id, sealed=sealed, now=now if after is None else max(now, after + 1)
    )
