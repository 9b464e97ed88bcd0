"""All SQL about the care team: who looks after a client, as what, from when until when.

The first to look after a client is their primary coach. When the primary leaves, whoever has been
there longest of the other coaches takes over, if their account works: their row ends, and another
begins.
"""

from collections.abc import Sequence

from wellio import Database, Row, Tx, new_id

# Who was assigned while their account was erased has an open row and no name any more.
_OPEN = """
SELECT a.client_id, u.id, u.name
FROM practice_assignment a JOIN auth_v_user u ON u.id = a.user_id
WHERE a.client_id {in ids} AND a.until_at IS NULL AND u.status <> 'erased'
ORDER BY CASE WHEN a.role = 'primary' THEN 0 ELSE 1 END, a.from_at, a.id
"""
_BEGIN = """
INSERT INTO practice_assignment (id, client_id, user_id, role, from_at)
VALUES (:id, :client_id, :user_id,
    CASE WHEN EXISTS (SELECT 1 FROM practice_assignment p
                      WHERE p.client_id = :client_id AND p.until_at IS NULL AND p.role = 'primary')
         THEN 'coach' ELSE 'primary' END,
    :now)
ON CONFLICT (client_id, user_id) WHERE until_at IS NULL DO NOTHING
"""
_END = """
UPDATE practice_assignment SET until_at = :now, ended_by = :ended_by
WHERE client_id = :client_id AND user_id = :user_id AND until_at IS NULL
"""
_END_ALL = """
UPDATE practice_assignment SET until_at = :now WHERE client_id = :client_id AND until_at IS NULL
"""
# Clients are locked in the order of their ids, so that two who leave at once wait for each other.
_LOCK_OF = """
SELECT c.id FROM practice_client c
WHERE c.id IN (SELECT a.client_id FROM practice_assignment a
               WHERE a.user_id = :user_id AND a.until_at IS NULL)
ORDER BY c.id {for_update}
"""
_LEAVE = """
UPDATE practice_assignment SET until_at = :now WHERE user_id = :user_id AND until_at IS NULL
"""
_HEIRS = """
SELECT a.id, a.client_id, a.user_id
FROM practice_assignment a JOIN auth_v_user u ON u.id = a.user_id
WHERE a.client_id {in ids} AND a.until_at IS NULL AND a.role = 'coach'
  AND u.role IN ('owner', 'coach') AND u.status = 'active'
  AND NOT EXISTS (
      SELECT 1 FROM practice_assignment b JOIN auth_v_user o ON o.id = b.user_id
      WHERE b.client_id = a.client_id AND b.until_at IS NULL
        AND (b.role = 'primary'
             OR (b.role = 'coach' AND o.role IN ('owner', 'coach') AND o.status = 'active'
                 AND (b.from_at, b.id) < (a.from_at, a.id))))
"""
_END_ROWS = """
UPDATE practice_assignment SET until_at = :now, ended_by = :ended_by WHERE id {in ids}
"""
_TAKE_OVER = """
INSERT INTO practice_assignment (id, client_id, user_id, role, from_at)
VALUES (:id, :client_id, :user_id, 'primary', :now)
"""
# Of somebody whose account is erased nothing is handed out, though their id stays in the history.
_HISTORY = """
SELECT a.id, a.client_id, a.user_id, a.role, a.from_at, a.until_at FROM practice_assignment a
WHERE a.client_id IN (SELECT id FROM practice_client WHERE user_id = :id)
UNION
SELECT a.id, a.client_id, a.user_id, a.role, a.from_at, a.until_at FROM practice_assignment a
WHERE a.user_id = :id AND EXISTS (SELECT 1 FROM auth_v_user u
                                  WHERE u.id = :id AND u.status <> 'erased')
ORDER BY from_at, id
"""


async def members(db: Database | Tx, client_ids: Sequence[str]) -> list[Row]:
    """Return `(client_id, id, name)` of those who look after some clients, the primary first."""
    return await db.fetch_all(_OPEN, ids=client_ids)


async def history(db: Database, user_id: str) -> list[Row]:
    """Return who looked after a client's account, or after whom a coach did, and when."""
    return await db.fetch_all(_HISTORY, id=user_id)


async def begin(tx: Tx, client_id: str, user_id: str, now: int) -> bool:
    """Have somebody look after a client whose row is locked; tell whether that is new."""
    touched = await tx.execute(_BEGIN, id=new_id(), client_id=client_id, user_id=user_id, now=now)
    return touched > 0


async def end(tx: Tx, client_id: str, user_id: str, ended_by: str, now: int) -> bool:
    """End it, of a client whose row is locked; tell whether it was so."""
    touched = await tx.execute(
        _END, client_id=client_id, user_id=user_id, ended_by=ended_by, now=now
    )
    if touched:
        await _hand_on(tx, [client_id], ended_by, now)
    return touched > 0


async def end_all(tx: Tx, client_id: str, now: int) -> None:
    """End that anybody looks after a client who is erased."""
    await tx.execute(_END_ALL, client_id=client_id, now=now)


async def leave(tx: Tx, user_id: str, now: int) -> None:
    """End that somebody who is erased looks after anybody."""
    ids = [row["id"] for row in await tx.fetch_all(_LOCK_OF, user_id=user_id)]
    if ids:
        await tx.execute(_LEAVE, user_id=user_id, now=now)
        await _hand_on(tx, ids, None, now)


async def _hand_on(tx: Tx, client_ids: Sequence[str], ended_by: str | None, now: int) -> None:
    """Make who comes next the primary coach of each client that has none."""
    heirs = await tx.fetch_all(_HEIRS, ids=client_ids)
    if not heirs:
        return
    await tx.execute(_END_ROWS, ids=[row["id"] for row in heirs], ended_by=ended_by, now=now)
    begun = [
        {"id": new_id(), "client_id": row["client_id"], "user_id": row["user_id"], "now": now}
        for row in heirs
    ]
    await tx.execute_many(_TAKE_OVER, begun)
