"""Work that leaves the box: what sends, calls or computes, done after the commit that wants it.

A handler may do I/O; its job's row is removed afterwards, so a job runs at least once, and twice
only after a crash. Of what is due, the urgent goes first and the slow last. What a killed process
left behind is taken over when its lease ends. The rows are `store.py`'s, the clock is
`schedules.py`'s.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiojobs
import orjson
import structlog

from wellio.clock import Clock
from wellio.db.base import Database, Row, Tx
from wellio.errors import EndedProcess, PluginError, WellioError
from wellio.ids import new_id

from . import schedules
from . import store as jobstore
from .retry import backoff_ms, error_name, fault
from .schedules import Schedule
from .store import LANES, Lane
from .worker import Worker

_SET_BACK_MS = 1_000  # less is how clocks are kept right
_GIVE_BACK_S = 5.0  # for the jobs that a stop interrupts
_log = structlog.get_logger()


class LeaseLost(WellioError):
    """The job is somebody else's by now; what was written for it rolls back."""


class GiveUp(WellioError):
    """A handler's word that another attempt would end alike: the job is dead at once.

    Attributes:
        code: Why, in a few words that quote nothing; `wellio outbox` shows it.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class JobRun:
    """One attempt at a job, as its handler gets it.

    Attributes:
        id: The job's id, the same in every attempt: what a provider takes as idempotency key.
        kind: What to do.
        payload: The ids that it is about.
        attempt: 1 for the first.
        due_at: When it was wanted; for a schedule, the instant of its clock. Milliseconds UTC.
        db: The app's database.
        clock: The app's clock.
    """

    id: str
    kind: str
    payload: dict[str, Any]
    attempt: int
    due_at: int
    db: Database
    clock: Clock

    async def finish(self, tx: Tx) -> None:
        """Remove the job in the handler's own transaction, so that its result counts once.

        A job whose handler does not call this is removed when the handler returns.

        Raises:
            LeaseLost: The job was taken over.
        """
        if not await jobstore.finish(tx, self.id, self.attempt):
            raise LeaseLost(self.id)


@dataclass(frozen=True, slots=True)
class Job:
    """A kind of background work.

    Attributes:
        kind: `<plugin>.<verb>`, unique.
        run: Does it; when it raises, it is tried again later, unless it raises `GiveUp`.
        max_attempts: How often it is tried before it is dead.
        lease_s: After how many seconds another process takes it over from one that was killed.
        timeout_s: How long one attempt may take.
    """

    kind: str
    run: Callable[[JobRun], Awaitable[None]]
    max_attempts: int = 8
    lease_s: float = 60.0
    timeout_s: float = 300.0


class Jobs:
    """The queue and those who work on it; one per app."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        *,
        node: str | None = None,
        concurrency: int = 8,
        poll_s: float = 1.0,
        drain_s: float = 10.0,
    ) -> None:
        """Build a queue that nobody works on yet.

        Args:
            db: Where the jobs are.
            clock: Tells what is due.
            node: A name that one process at a time has; one that comes back under its old name
                goes on at once with what it was killed in.
            concurrency: How many jobs run at a time.
            poll_s: How often to look for what other processes enqueued.
            drain_s: How long a stop waits for running jobs before it gives them back.
        """
        self._db = db
        self._clock = clock
        self._node = node or new_id()
        self._concurrency = concurrency
        self._poll_s = poll_s
        self._drain_s = drain_s
        self._kinds: dict[str, Job] = {}
        self._schedules: dict[str, Schedule] = {}
        self._running: dict[tuple[str, int], aiojobs.Job[None]] = {}  # by id and attempt
        self._busy = asyncio.Lock()
        self._worker = Worker("jobs", self._dispatch)
        self._scheduler = aiojobs.Scheduler(limit=None, close_timeout=_GIVE_BACK_S)
        self._is_open = False
        self._last_look_at = 0
        self.steps_done = 0  # jobs begun since the start

    def register(self, *specs: Job | Schedule) -> None:
        """Make kinds of jobs, and schedules, known.

        Raises:
            PluginError: Two have one name, or a schedule comes after the start.
        """
        for spec in specs:
            if isinstance(spec, Schedule):
                if self._is_open:
                    raise PluginError(f"schedule {spec.name} comes too late: register at boot")
                job = Job(_kind(spec.name), spec.run)
                self._schedules.setdefault(spec.name, spec)
            else:
                job = spec
            if self._kinds.setdefault(job.kind, job) is not job:
                raise PluginError(f"there are two jobs with the name {job.kind}")

    async def enqueue(
        self,
        tx: Tx,
        kind: str,
        payload: Mapping[str, Any],
        *,
        due_at: int | None = None,
        lane: Lane = "normal",
        key: str | None = None,
    ) -> str:
        """Have something done after the commit.

        Args:
            tx: The transaction that wants it.
            kind: What to do.
            payload: Ids, no contents.
            due_at: When, in milliseconds UTC; at once by default.
            lane: `urgent` overtakes what is due, as a safety flag must; `slow` lets all go first.
            key: While a job with this key exists, even a dead one, there is no second.

        Returns:
            The job's id, or that of the one with the same key.

        Raises:
            PluginError: No plugin has registered the kind, or there is no such lane.
        """
        if kind not in self._kinds:
            raise PluginError(f"no plugin has registered the job {kind}")
        if lane not in LANES:
            raise PluginError(f"job {kind}: {lane!r} is no lane; they are {', '.join(LANES)}")
        now = self._clock.now_ms()
        due_at = now if due_at is None else due_at
        tx.after_commit(self.poke)
        return await jobstore.insert(tx, kind, payload, now=now, due_at=due_at, lane=lane, key=key)

    async def start(self, *, workers: bool = True) -> None:
        """Take back what this node was killed in, set the schedules, and begin to work.

        Args:
            workers: False for a command that enqueues and leaves the rest to the server.
        """
        self._is_open = True
        await self._db.write(self._open)
        if workers:
            self._worker.start()

    async def stop(self) -> None:
        """Take no more, wait for what runs, and give back what takes too long."""
        await self._worker.stop()
        await self._scheduler.wait_and_close(self._drain_s)

    def poke(self) -> None:
        """Look at once whether something is due."""
        self._worker.wake()

    async def run_due(self) -> None:
        """Run everything that is due, with or without the worker, and wait until it is done."""
        while await self._dispatch() == 0 or self._running:
            await asyncio.gather(*(job.wait() for job in self._running.values()))

    async def status(self) -> dict[str, int]:
        """Return how many jobs are `due`, for `later`, `running` and `dead`."""
        return await jobstore.status(self._db, self._clock.now_ms())

    async def dead(self, *, limit: int = 100) -> list[Row]:
        """Return jobs that were given up: `id, kind, key, attempts, due_at, last_error`."""
        return await jobstore.dead(self._db, limit)

    async def retry(self, job_id: str) -> bool:
        """Have a dead job tried again; return whether there was one."""
        revived = await self._db.write(jobstore.revive, job_id, self._clock.now_ms())
        self.poke()
        return bool(revived)

    async def _open(self, tx: Tx) -> None:
        await jobstore.take_back(tx, self._node)
        await schedules.store(tx, self._schedules.values(), self._clock.now_ms())

    async def _dispatch(self) -> float:
        """Begin what is due, as far as it fits.

        Returns:
            For how many seconds there is nothing more to begin; 0 when there may be.
        """
        async with self._busy:
            free = self._concurrency - len(self._running)
            if free <= 0:
                return self._poll_s  # the first that ends wakes the worker
            mine = [job_id for job_id, _ in self._running]
            now = await self._now()
            outlook = await jobstore.look(self._db, list(self._kinds), list(self._schedules), mine)
            if not outlook.has_queued:
                if outlook.next_at is None:
                    return self._poll_s
                if outlook.next_at > now:
                    return min(self._poll_s, (outlook.next_at - now) / 1000)
            for row in await self._db.write(self._take, now, mine, free):
                self.steps_done += 1
                attempt = await self._scheduler.spawn(self._attempt(row))
                self._running[row["id"], row["attempts"]] = attempt
            return 0.0

    async def _now(self) -> int:
        """Return the time; when the clock was set back, the schedules are planned anew first."""
        now, before = self._clock.now_ms(), self._last_look_at
        self._last_look_at = now
        if now < before - _SET_BACK_MS:
            _log.warning("clock_set_back", by_s=round((before - now) / 1000))
            await self._db.write(schedules.store, self._schedules.values(), now)
        return now

    async def _take(self, tx: Tx, now: int, mine: list[str], free: int) -> list[Row]:
        for name, due_at in await schedules.take_due(tx, self._schedules, now):
            await jobstore.insert(
                tx, _kind(name), {}, now=now, due_at=due_at, key=f"{_kind(name)}:{due_at}"
            )
        leases_ms = {kind: round(job.lease_s * 1000) for kind, job in self._kinds.items()}
        return await jobstore.claim(tx, self._node, now, leases_ms, mine, free)

    async def _attempt(self, row: Row) -> None:
        """Run one attempt to its end; nothing that goes wrong leaves here."""
        job = self._kinds[row["kind"]]
        run = JobRun(
            id=row["id"],
            kind=row["kind"],
            payload=orjson.loads(row["payload"]),
            attempt=row["attempts"],
            due_at=row["due_at"],
            db=self._db,
            clock=self._clock,
        )
        keeping = asyncio.create_task(self._keep_lease(run, job.lease_s))
        try:
            await self._handle(job, run)
        except asyncio.CancelledError:
            await self._db.write(jobstore.give_back, run.id, run.attempt)
            raise
        except Exception as error:  # noqa: BLE001 - the lease ends, and it is tried again
            _log.error("job_not_marked", job=run.kind, job_id=run.id, error=error_name(error))
        finally:
            keeping.cancel()
            del self._running[run.id, run.attempt]
            self.poke()

    async def _handle(self, job: Job, run: JobRun) -> None:
        try:
            if run.attempt > job.max_attempts:  # each attempt so far took its process down
                raise LeaseLost(run.id)
            async with asyncio.timeout(job.timeout_s):
                try:
                    await job.run(run)
                except SystemExit as error:
                    raise EndedProcess from error
        except Exception as error:  # noqa: BLE001 - a handler may raise anything
            is_last = run.attempt >= job.max_attempts or isinstance(error, GiveUp)
            _log.warning(
                "job_died" if is_last else "job_failed",
                job=run.kind,
                job_id=run.id,
                attempt=run.attempt,
                **fault(error, job.run, Jobs._handle.__code__),
            )
            retry_at = None if is_last else self._clock.now_ms() + backoff_ms(run.attempt)
            await self._db.write(jobstore.fail, run.id, run.attempt, retry_at, error_name(error))
        else:
            await self._db.write(jobstore.finish, run.id, run.attempt)

    async def _keep_lease(self, run: JobRun, lease_s: float) -> None:
        while True:
            await asyncio.sleep(lease_s / 3)
            until = self._clock.now_ms() + round(lease_s * 1000)
            try:
                if not await self._db.write(jobstore.renew, run.id, run.attempt, until):
                    return
            except WellioError as error:
                _log.warning("lease_not_renewed", job_id=run.id, error=error_name(error))


def _kind(schedule: str) -> str:
    return f"schedule:{schedule}"
