"""A durable subscriber: follows the event log by a cursor of its own.

Its worker reads a batch past the cursor, in the order of the commits, and hands the events over in
the transaction that moves the cursor: the handler only writes rows, so each event takes effect
exactly once. An event that a handler fails on is parked and tried again later; the cursor moves
on, and nobody waits for anybody.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from wellio.clock import Clock
from wellio.db.base import Database, Row, Tx
from wellio.errors import EndedProcess, WellioError
from wellio.jobs.retry import backoff_ms, error_name, fault
from wellio.jobs.worker import Worker

from .failure import Failure

if TYPE_CHECKING:
    from .event import Event

_BATCH = 64
_BUDGET_S = 0.02  # of the writer's time for one batch
_GATHER_S = 0.02  # a worker's wait for more events once it is woken
_LEASE_MS = 10_000
_log = structlog.get_logger()

CURSOR = """
SELECT xid, position, node, lease_until, (
    SELECT min(due_at) FROM wellio_parked
    WHERE subscriber = :subscriber AND state = 'waiting'
) AS parked_due_at
FROM wellio_cursor WHERE subscriber = :subscriber
"""
# What is not settled is never a condition of the search: Postgres would begin there.
NEXT = """
SELECT e.xid, e.position, e.id, e.name, e.at, e.actor_id, e.cause_id, e.client_id, e.payload
FROM wellio_event e
WHERE {past e :xid :position} AND ({settled e.xid}) IS TRUE
ORDER BY {by_commit e} LIMIT :limit
"""
IS_BEHIND = """
SELECT 1 FROM wellio_cursor AS c WHERE c.subscriber = :subscriber AND
    EXISTS (SELECT 1 FROM wellio_event AS e WHERE {past e c})
"""
_MOVE = """
UPDATE wellio_cursor
SET xid = :to_xid, position = :to_position, node = :node, lease_until = :until
WHERE subscriber = :subscriber AND xid = :xid AND position = :position
AND (node = :node OR lease_until <= :now)
"""
_PARK = """
INSERT INTO wellio_parked (subscriber, event_id, name, at, actor_id, cause_id, client_id,
                           payload, state, attempts, due_at, last_error)
VALUES (:subscriber, :id, :name, :at, :actor_id, :cause_id, :client_id, :payload,
        :state, :attempts, :due_at, :last_error)
ON CONFLICT (subscriber, event_id) DO UPDATE
SET state = excluded.state, attempts = excluded.attempts, due_at = excluded.due_at,
    last_error = excluded.last_error
"""
PARKED_DUE = """
SELECT event_id AS id, name, at, actor_id, cause_id, client_id, payload, attempts
FROM wellio_parked
WHERE subscriber = :subscriber AND state = 'waiting' AND due_at <= :now
ORDER BY due_at LIMIT :limit
"""
_UNPARK = """
DELETE FROM wellio_parked
WHERE subscriber = :subscriber AND event_id = :id AND state = 'waiting' AND attempts = :attempts
"""


class _Overtaken(WellioError):
    """Another node did this in the meantime; the transaction rolls back."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What all subscribers of an app work with."""

    db: Database
    clock: Clock
    read: Callable[[Row, tuple[type["Event"], ...]], "Event | None"]
    failed: Callable[[Failure], None]
    node: str
    poll_s: float
    max_attempts: int


class Subscriber:
    """One durable subscriber: its cursor, its parked events, and the worker that serves both."""

    def __init__(
        self,
        shared: Shared,
        name: str,
        types: "tuple[type[Event], ...]",
        fn: "Callable[[Tx, Any], Awaitable[None]]",
        *,
        replay: bool,
    ) -> None:
        self.name = name
        self.types = types
        self.replay = replay
        self.steps_done = 0
        self.worker = Worker(f"outbox:{name}", self._work, gather_s=_GATHER_S)
        self._fn = fn
        self._shared = shared
        self._db = shared.db
        self._busy = asyncio.Lock()
        self._limit = _BATCH
        self._handling = -1  # index in the batch of the event whose handler runs now

    async def catch_up(self) -> None:
        """Hand over all that is there and due, whether or not the worker runs."""
        while await self._step():
            pass

    async def is_behind(self) -> bool:
        """Tell whether the log goes on behind the cursor, with what is not yet settled."""
        return await self._db.fetch_one(IS_BEHIND, subscriber=self.name) is not None

    async def _work(self) -> float:
        return 0.0 if await self._step() else self._shared.poll_s

    async def _step(self) -> bool:
        """Hand over one batch; return whether there was one."""
        async with self._busy:
            now = self._shared.clock.now_ms()
            cursor = await self._db.fetch_one(CURSOR, subscriber=self.name)
            if cursor is None or (
                cursor["node"] != self._shared.node and cursor["lease_until"] > now
            ):
                return False
            rows = await self._db.fetch_all(
                NEXT, xid=cursor["xid"], position=cursor["position"], limit=self._limit
            )
            if rows:
                await self._deliver(cursor, rows)
            parked_due_at: int | None = cursor["parked_due_at"]
            has_parked = parked_due_at is not None and parked_due_at <= now
            if has_parked:
                await self._retry_parked()
            has_worked = bool(rows) or has_parked
            self.steps_done += has_worked
            return has_worked

    async def _deliver(self, cursor: Row, rows: Sequence[Row]) -> None:
        self._handling = -1
        self._limit = _BATCH
        try:
            await self._db.write(self._handle, cursor, rows)
        except _Overtaken:
            return
        except Exception as error:
            if self._handling < 0:  # no handler ran: it is the database, and all of it comes again
                raise
            if self._handling > 0:  # the next step ends before the event that failed
                self._limit = self._handling
                return
            self._tell("event_parked", rows[0], error)
            with suppress(_Overtaken):
                await self._db.write(self._park_next, cursor, rows[0], error)

    async def _handle(self, tx: Tx, cursor: Row, rows: Sequence[Row]) -> None:
        self._handling = -1
        await self._move(tx, cursor, rows[-1])
        until = time.monotonic() + _BUDGET_S
        for index, row in enumerate(rows):
            self._handling = index
            if await self._hand_over(tx, row) and time.monotonic() > until:
                break
        self._handling = -1
        if row is not rows[-1]:  # the writer is wanted by others: the rest is for the next step
            await self._move(tx, rows[-1], row)

    async def _move(self, tx: Tx, old: Row, new: Row) -> None:
        now = self._shared.clock.now_ms()
        moved = await tx.execute(
            _MOVE,
            subscriber=self.name,
            xid=old["xid"],
            position=old["position"],
            to_xid=new["xid"],
            to_position=new["position"],
            node=self._shared.node,
            now=now,
            until=now + _LEASE_MS,
        )
        if not moved:
            raise _Overtaken

    async def _park_next(self, tx: Tx, cursor: Row, row: Row, error: Exception) -> None:
        await self._move(tx, cursor, row)
        await self._park(tx, row, 1, error)

    async def _retry_parked(self) -> None:
        now = self._shared.clock.now_ms()
        for row in await self._db.fetch_all(
            PARKED_DUE, subscriber=self.name, now=now, limit=_BATCH
        ):
            try:
                await self._db.write(self._handle_parked, row)
            except _Overtaken:
                continue
            except Exception as error:  # noqa: BLE001 - a handler may raise anything
                self._tell("event_failed_again", row, error)
                with suppress(_Overtaken):
                    await self._db.write(self._park_again, row, error)

    async def _handle_parked(self, tx: Tx, row: Row) -> None:
        await self._unpark(tx, row)
        await self._hand_over(tx, row)

    async def _hand_over(self, tx: Tx, row: Row) -> bool:
        """Call the handler; return whether the event is one of its types."""
        event = self._shared.read(row, self.types)
        if event is None:
            return False
        try:
            await self._fn(tx, event)
        except SystemExit as error:
            raise EndedProcess from error
        return True

    async def _park_again(self, tx: Tx, row: Row, error: Exception) -> None:
        await self._unpark(tx, row)
        await self._park(tx, row, row["attempts"] + 1, error)

    async def _unpark(self, tx: Tx, row: Row) -> None:
        if not await tx.execute(
            _UNPARK, subscriber=self.name, id=row["id"], attempts=row["attempts"]
        ):
            raise _Overtaken

    async def _park(self, tx: Tx, row: Row, attempts: int, error: Exception) -> None:
        columns = ("id", "name", "at", "actor_id", "cause_id", "client_id", "payload")
        await tx.execute(
            _PARK,
            subscriber=self.name,
            state="dead" if attempts >= self._shared.max_attempts else "waiting",
            attempts=attempts,
            due_at=self._shared.clock.now_ms() + backoff_ms(attempts),
            last_error=error_name(error),
            **{column: row[column] for column in columns},
        )

    def _tell(self, what: str, row: Row, error: Exception) -> None:
        about = fault(error, self._fn, Subscriber._hand_over.__code__)
        failure = Failure(self.name, row["id"], row["name"], **about)
        _log.warning(what, **failure.fields())
        self._shared.failed(failure)
