"""The event log: one row per event, written in the publisher's transaction.

Whoever wants its events durably follows it (`subscriber.py`); here are the log itself, all its
subscribers together, and what an operator sees and does.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

import structlog

from wellio.db.base import Row, Tx
from wellio.errors import PluginError, Unavailable
from wellio.jobs.jobs import JobRun
from wellio.jobs.retry import error_name
from wellio.jobs.schedules import Schedule

from .event import EventRow
from .subscriber import Shared, Subscriber

if TYPE_CHECKING:
    from .event import Event

_BLINK_S = 0.005  # between two looks at a log whose last transactions are not settled
_TRIM_CHUNK = 1_000
_log = structlog.get_logger()
_APPEND = """
INSERT INTO wellio_event {values (id text, name text, at int, actor_id text, cause_id text,
    client_id text, payload text)}
"""
_OPEN = """
INSERT INTO wellio_cursor (subscriber, xid, position, node, lease_until)
VALUES (:subscriber, :xid, :position, '', 0) ON CONFLICT (subscriber) DO NOTHING
"""
END = """
SELECT e.xid, e.position FROM wellio_event e WHERE {settled e.xid}
ORDER BY {by_commit e desc} LIMIT 1
"""
_SLOWEST = """
SELECT xid, position FROM wellio_cursor WHERE subscriber {in names}
ORDER BY xid, position LIMIT 1
"""
TRIM = """
DELETE FROM wellio_event WHERE at < :before AND position IN (
    SELECT e.position FROM wellio_event e WHERE {upto e :xid :position}
    ORDER BY {by_commit e} LIMIT :limit
)
"""
STATUS = """
SELECT subscriber, (
    SELECT count(*) FROM wellio_event AS e WHERE {past e c}
) AS lag, (
    SELECT count(*) FROM wellio_parked AS p
    WHERE p.subscriber = c.subscriber AND state = 'waiting'
) AS parked, (
    SELECT count(*) FROM wellio_parked AS p WHERE p.subscriber = c.subscriber AND state = 'dead'
) AS dead
FROM wellio_cursor AS c WHERE subscriber {in names} ORDER BY subscriber
"""


async def append(tx: Tx, rows: Sequence[EventRow]) -> None:
    """Write events to the log, in their order, with one statement."""
    await tx.insert(_APPEND, rows)


class Outbox:
    """All the durable subscribers of an app."""

    def __init__(self, shared: Shared, *, retention_s: int) -> None:
        self._shared = shared
        self._db = shared.db
        self._retention_ms = retention_s * 1000
        self._subscribers: dict[str, Subscriber] = {}
        self._is_open = False

    @property
    def subscribers(self) -> Sequence[Subscriber]:
        """Return all of them, in the order of their registration."""
        return list(self._subscribers.values())

    def add(
        self,
        name: str,
        types: "tuple[type[Event], ...]",
        fn: Callable[[Tx, Any], Awaitable[None]],
        *,
        replay: bool,
    ) -> None:
        """Add a subscriber; see `EventBus.subscribe_durable`."""
        if name in self._subscribers:
            raise PluginError(f"there are two durable subscribers with the name {name}")
        if self._is_open:
            raise PluginError(f"durable subscriber {name} comes too late: subscribe at boot")
        self._subscribers[name] = Subscriber(self._shared, name, types, fn, replay=replay)

    def trimming(self) -> Schedule:
        """Return the schedule that keeps the log short."""
        return Schedule("wellio.trim_events", "17 * * * *", self._trim)

    async def start(self, *, workers: bool) -> None:
        """Give new subscribers their cursor and start the workers."""
        self._is_open = True
        await self._db.write(self._open)
        if workers:
            for subscriber in self.subscribers:
                subscriber.worker.start()

    async def stop(self) -> None:
        """End the workers, each after its batch, and let other nodes go on."""
        await asyncio.gather(*(subscriber.worker.stop() for subscriber in self.subscribers))
        try:
            await self._db.write(self._release)
        except Unavailable as error:  # then they go on when the lease ends
            _log.warning("leases_not_released", error=error_name(error))

    def poke(self) -> None:
        """Have every worker look for something to do."""
        for subscriber in self.subscribers:
            subscriber.worker.wake()

    @property
    def steps_done(self) -> int:
        """Return how many batches were handed over since the start."""
        return sum(subscriber.steps_done for subscriber in self.subscribers)

    async def catch_up(self) -> None:
        """Hand over everything that is committed, whether or not the workers run."""
        while True:
            for subscriber in self.subscribers:
                await subscriber.catch_up()
            if not any([await subscriber.is_behind() for subscriber in self.subscribers]):
                return
            await asyncio.sleep(_BLINK_S)  # an older transaction is open, or another node is at it

    async def status(self) -> dict[str, dict[str, int]]:
        """Return `lag` (events behind the end of the log), `parked` and `dead` by subscriber."""
        rows = await self._db.fetch_all(STATUS, names=list(self._subscribers))
        return {
            row["subscriber"]: {"lag": row["lag"], "parked": row["parked"], "dead": row["dead"]}
            for row in rows
        }

    async def parked(self, *, limit: int = 100) -> list[Row]:
        """Return events that subscribers failed on, dead ones first.

        Returns:
            Rows of `subscriber, event_id, name, at, state, attempts, due_at, last_error`.
        """
        return await self._db.fetch_all(
            "SELECT subscriber, event_id, name, at, state, attempts, due_at, last_error"
            " FROM wellio_parked ORDER BY state, subscriber, event_id LIMIT :limit",
            limit=limit,
        )

    async def retry(self, subscriber: str, event_id: str | None = None) -> int:
        """Have a subscriber's parked events, or one of them, tried now; return how many."""
        retried = await self._db.write(self._revive, subscriber, event_id)
        self.poke()
        return retried

    async def rewind(self, subscriber: str) -> None:
        """Begin again with the first event of the log, as to rebuild a projection."""
        await self._db.write(self._rewind, subscriber)
        self.poke()

    async def _open(self, tx: Tx) -> None:
        end = await tx.fetch_one(END)
        for subscriber in self.subscribers:
            xid, position = (0, 0) if end is None or subscriber.replay else end
            await tx.execute(_OPEN, subscriber=subscriber.name, xid=xid, position=position)

    async def _release(self, tx: Tx) -> None:
        await tx.execute(
            "UPDATE wellio_cursor SET lease_until = 0 WHERE node = :node", node=self._shared.node
        )

    async def _revive(self, tx: Tx, subscriber: str, event_id: str | None) -> int:
        return await tx.execute(
            "UPDATE wellio_parked SET state = 'waiting', attempts = 0, due_at = :now"
            " WHERE subscriber = :subscriber AND event_id = coalesce(:event_id, event_id)",
            subscriber=subscriber,
            event_id=event_id,
            now=self._shared.clock.now_ms(),
        )

    async def _rewind(self, tx: Tx, subscriber: str) -> None:
        await tx.execute(
            "UPDATE wellio_cursor SET xid = 0, position = 0 WHERE subscriber = :subscriber",
            subscriber=subscriber,
        )

    async def _trim(self, run: JobRun) -> None:
        before = run.clock.now_ms() - self._retention_ms
        while await run.db.write(self._trim_chunk, before):
            pass

    async def _trim_chunk(self, tx: Tx, before: int) -> int:
        names = list(self._subscribers)
        slowest = await tx.fetch_one(
            _SLOWEST if names else END, **({"names": names} if names else {})
        )
        if slowest is None:
            return 0
        return await tx.execute(
            TRIM,
            before=before,
            xid=slowest["xid"],
            position=slowest["position"],
            limit=_TRIM_CHUNK,
        )
