"""The rows of jobs: the only SQL that touches `wellio_job`.

A row is `waiting` until it is due, `queued` until somebody claims it, `running` until its lease
ends, and deleted when it is done or `dead` when it failed too often. An attempt is known by the
job's id and its number, so whoever lost a lease can change nothing any more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import orjson

from wellio.db.base import Database, Row, Tx
from wellio.ids import new_id

Lane = Literal["urgent", "normal", "slow"]
LANES: tuple[Lane, ...] = get_args(Lane)
_PROMOTED = 500  # jobs that become due in one transaction

_INSERT = """
INSERT INTO wellio_job (id, kind, key, payload, state, lane, due_at, attempts)
VALUES (:id, :kind, :key, :payload, :state, :lane, :due_at, 0)
ON CONFLICT (key) DO UPDATE SET key = excluded.key
RETURNING id
"""
LOOK = """
SELECT
    EXISTS (SELECT 1 FROM wellio_job WHERE state = 'queued' AND kind {in kinds}) AS has_queued,
    (SELECT min(due_at) FROM wellio_job WHERE state = 'waiting') AS due_at,
    (SELECT min(lease_until) FROM wellio_job
     WHERE state = 'running' AND NOT id {in mine}) AS lease_until,
    (SELECT min(next_at) FROM wellio_schedule WHERE name {in schedules}) AS next_at
"""
PROMOTE = """
WITH due AS (
    SELECT id FROM wellio_job WHERE state = 'waiting' AND due_at <= :now
    ORDER BY due_at LIMIT :limit {skip_locked}
)
UPDATE wellio_job SET state = 'queued' WHERE id IN (SELECT id FROM due)
"""
TAKE_OVER = """
UPDATE wellio_job SET state = 'queued'
WHERE state = 'running' AND lease_until <= :now AND NOT id {in mine}
"""
CLAIM = """
WITH first AS (
    SELECT id FROM wellio_job WHERE state = 'queued' AND lane = :lane AND kind {in kinds}
    ORDER BY due_at, id LIMIT :limit {skip_locked}
)
UPDATE wellio_job
SET state = 'running', attempts = attempts + 1, node = :node, lease_until = CAST(:now AS BIGINT) + (
    SELECT lease_ms FROM {rows leases (kind text, lease_ms int)}
    WHERE leases.kind = wellio_job.kind
)
WHERE id IN (SELECT id FROM first)
RETURNING id, kind, payload, attempts, due_at
"""
_STATUS = """
SELECT
    (SELECT count(*) FROM wellio_job WHERE state = 'queued')
    + (SELECT count(*) FROM wellio_job WHERE state = 'waiting' AND due_at <= :now) AS due,
    (SELECT count(*) FROM wellio_job WHERE state = 'waiting' AND due_at > :now) AS later,
    (SELECT count(*) FROM wellio_job WHERE state = 'running') AS running,
    (SELECT count(*) FROM wellio_job WHERE state = 'dead') AS dead
"""
_THIS_ATTEMPT = "WHERE id = :id AND attempts = :attempt AND state = 'running'"


@dataclass(frozen=True, slots=True)
class Outlook:
    """What there is to do: something is queued, or nothing will be due before an instant."""

    has_queued: bool
    next_at: int | None


async def insert(
    tx: Tx,
    kind: str,
    payload: Mapping[str, Any],
    *,
    now: int,
    due_at: int,
    lane: Lane = "normal",
    key: str | None = None,
) -> str:
    """Store a job and return its id, or the id of the one that has its key."""
    [row] = await tx.fetch_all(
        _INSERT,
        id=new_id(),
        kind=kind,
        key=key,
        payload=orjson.dumps(payload).decode(),
        state="queued" if due_at <= now else "waiting",
        lane=lane,
        due_at=due_at,
    )
    return str(row["id"])


async def look(
    db: Database, kinds: Sequence[str], schedules: Sequence[str], mine: Sequence[str]
) -> Outlook:
    """Return what there is to do, without taking it; `mine` are the jobs this process runs."""
    [row] = await db.fetch_all(LOOK, kinds=kinds, schedules=schedules, mine=mine)
    instants = [row[name] for name in ("due_at", "lease_until", "next_at")]
    return Outlook(bool(row["has_queued"]), min((at for at in instants if at), default=None))


async def claim(
    tx: Tx, node: str, now: int, leases_ms: Mapping[str, int], mine: Sequence[str], limit: int
) -> list[Row]:
    """Queue what is due or was left behind, and take the first jobs for a node.

    Args:
        tx: The transaction.
        node: Who takes them.
        now: Milliseconds UTC.
        leases_ms: The kinds to take, with the length of their leases.
        mine: What the node runs already, which is never taken over.
        limit: How many to take.

    Returns:
        Rows of `id, kind, payload, attempts, due_at`, the most urgent first.
    """
    await tx.execute(PROMOTE, now=now, limit=_PROMOTED)
    await tx.execute(TAKE_OVER, now=now, mine=mine)
    claimed: list[Row] = []
    for lane in LANES:
        if len(claimed) < limit:
            rows = await tx.fetch_all(
                CLAIM,
                node=node,
                now=now,
                lane=lane,
                leases=[{"kind": kind, "lease_ms": ms} for kind, ms in leases_ms.items()],
                kinds=list(leases_ms),
                limit=limit - len(claimed),
            )
            claimed += sorted(rows, key=lambda row: (row["due_at"], row["id"]))
    return claimed


async def renew(tx: Tx, job_id: str, attempt: int, until: int) -> int:
    """Move the end of a lease; return 0 when the lease is lost."""
    return await tx.execute(
        "UPDATE wellio_job SET lease_until = :until " + _THIS_ATTEMPT,
        id=job_id,
        attempt=attempt,
        until=until,
    )


async def finish(tx: Tx, job_id: str, attempt: int) -> int:
    """Delete a job that is done; return 0 when the lease is lost."""
    return await tx.execute("DELETE FROM wellio_job " + _THIS_ATTEMPT, id=job_id, attempt=attempt)


async def fail(tx: Tx, job_id: str, attempt: int, retry_at: int | None, error: str) -> None:
    """Have a job tried again at an instant, or never when there is none."""
    await tx.execute(
        "UPDATE wellio_job SET state = :state, due_at = coalesce(:retry_at, due_at),"
        " last_error = :error " + _THIS_ATTEMPT,
        id=job_id,
        attempt=attempt,
        state="dead" if retry_at is None else "waiting",
        retry_at=retry_at,
        error=error,
    )


async def give_back(tx: Tx, job_id: str, attempt: int) -> None:
    """Queue a job again as if this attempt had not begun."""
    await tx.execute(
        "UPDATE wellio_job SET state = 'queued', attempts = attempts - 1 " + _THIS_ATTEMPT,
        id=job_id,
        attempt=attempt,
    )


async def take_back(tx: Tx, node: str) -> None:
    """Queue what a node ran when it was killed."""
    await tx.execute(
        "UPDATE wellio_job SET state = 'queued' WHERE state = 'running' AND node = :node",
        node=node,
    )


async def revive(tx: Tx, job_id: str, now: int) -> int:
    """Queue a dead job again, with all its attempts; return 0 when there is none."""
    return await tx.execute(
        "UPDATE wellio_job SET state = 'queued', attempts = 0, due_at = :now"
        " WHERE id = :id AND state = 'dead'",
        id=job_id,
        now=now,
    )


async def status(db: Database, now: int) -> dict[str, int]:
    """Return how many jobs are `due`, for `later`, `running` and `dead`."""
    [row] = await db.fetch_all(_STATUS, now=now)
    return {name: row[name] for name in ("due", "later", "running", "dead")}


async def dead(db: Database, limit: int) -> list[Row]:
    """Return jobs that were given up: `id, kind, key, attempts, due_at, last_error`."""
    return await db.fetch_all(
        "SELECT id, kind, key, attempts, due_at, last_error FROM wellio_job"
        " WHERE state = 'dead' ORDER BY id LIMIT :limit",
        limit=limit,
    )
