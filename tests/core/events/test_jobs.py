"""Jobs: once each, by lane, with retries, leases that are taken over, and a graceful stop."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.core.events.conftest import START, Node, effect, effects
from wellio.clock import ManualClock
from wellio.db.base import Database, Tx
from wellio.errors import Conflict, PluginError
from wellio.jobs.jobs import GiveUp, Job, JobRun, LeaseLost
from wellio.testing import DEADLINE_S

MakeNode = Callable[..., Node]
Run = Callable[[JobRun], Awaitable[None]]
LONGEST_WAIT_MS = 3_600_000


async def enqueue(one: Node, *things: str, **options: Any) -> list[str]:
    async def body(tx: Tx) -> list[str]:
        return [
            await one.jobs.enqueue(tx, "thing.do", {"id": thing}, **options) for thing in things
        ]

    return await one.db.write(body)


def worker_of(make: MakeNode, run: Run | None = None, **options: Any) -> Node:
    """Make a node whose job `thing.do` notes its thing, or does what it is told to."""

    async def note(job: JobRun) -> None:
        await job.db.write(effect, "job", job.payload["id"])

    job_options = {
        k: options.pop(k) for k in ("max_attempts", "lease_s", "timeout_s") if k in options
    }
    one = make(**options)
    one.jobs.register(Job("thing.do", run or note, **job_options))
    return one


async def test_jobs_run_when_their_transaction_committed_and_are_gone_then(
    db: Database, node: MakeNode
) -> None:
    one = worker_of(node)
    await one.start(workers=True)

    async def fail(tx: Tx) -> None:
        await one.jobs.enqueue(tx, "thing.do", {"id": "never"})
        raise LookupError

    with pytest.raises(LookupError):
        await db.write(fail)
    await enqueue(one, *"abc")
    await one.bus.settled()
    assert sorted(await effects(db, "job")) == list("abc")
    assert await one.jobs.status() == {"due": 0, "later": 0, "running": 0, "dead": 0}


async def test_what_a_run_is_told(node: MakeNode) -> None:
    runs: list[JobRun] = []

    async def keep(run: JobRun) -> None:
        runs.append(run)

    one = worker_of(node, keep)
    [job_id] = await enqueue(one, "a", due_at=START - 5)
    await one.jobs.run_due()
    [run] = runs
    assert (run.id, run.kind, run.payload, run.attempt, run.due_at) == (
        job_id,
        "thing.do",
        {"id": "a"},
        1,
        START - 5,
    )
    assert (run.db, run.clock) == (one.db, one.clock)


async def test_an_unknown_kind_is_refused_and_two_jobs_with_one_name_are(
    db: Database, node: MakeNode
) -> None:
    one = worker_of(node)

    async def body(tx: Tx) -> None:
        await one.jobs.enqueue(tx, "thing.else", {})

    with pytest.raises(PluginError, match=r"thing\.else"):
        await db.write(body)
    with pytest.raises(PluginError, match=r"two jobs with the name thing\.do"):
        worker_of(lambda: one)


async def test_a_removed_plugins_job_stays_and_holds_nobody_up(
    db: Database, node: MakeNode
) -> None:
    first, second = worker_of(node), node()
    await enqueue(first, "a")

    async def note(run: JobRun) -> None:
        await run.db.write(effect, "other", "b")

    second.jobs.register(Job("other.do", note))

    async def body(tx: Tx) -> None:
        await second.jobs.enqueue(tx, "other.do", {})

    await db.write(body)
    await second.bus.settled()
    assert await effects(db, "other") == ["b"]
    assert (await second.jobs.status())["due"] == 1
    await first.bus.settled()
    assert await effects(db, "job") == ["a"]


@pytest.mark.parametrize("concurrency", [1, 2, 8])
async def test_of_what_is_due_the_urgent_goes_first_and_the_slow_last(
    db: Database, node: MakeNode, clock: ManualClock, concurrency: int
) -> None:
    begun: list[str] = []

    async def note(run: JobRun) -> None:
        begun.append(run.payload["id"])

    one = worker_of(node, note, concurrency=concurrency)
    await enqueue(one, "slow", due_at=START, lane="slow")
    await enqueue(one, "later", due_at=START + 2)
    await enqueue(one, "sooner", due_at=START + 1)
    await enqueue(one, "safety", due_at=START + 3, lane="urgent")
    await enqueue(one, "future", due_at=START + 10, lane="urgent")
    clock.advance(5)
    await one.jobs.run_due()
    assert begun == ["safety", "sooner", "later", "slow"]


async def test_a_lane_that_nobody_works_on_is_refused(db: Database, node: MakeNode) -> None:
    with pytest.raises(PluginError, match=r"'high' is no lane; they are urgent, normal, slow"):
        await enqueue(worker_of(node), "a", lane="high")


async def test_a_job_waits_until_it_is_due(
    db: Database, node: MakeNode, clock: ManualClock
) -> None:
    one = worker_of(node)
    await one.start(workers=True)
    await enqueue(one, "a", due_at=START + 1000)
    await one.bus.settled()
    assert (await effects(db, "job"), (await one.jobs.status())["later"]) == ([], 1)
    clock.advance(1000)
    await one.bus.settled()
    assert await effects(db, "job") == ["a"]


async def test_moving_the_clock_and_poking_runs_what_is_due(
    node: MakeNode, clock: ManualClock
) -> None:
    ran = asyncio.Event()

    async def tell(run: JobRun) -> None:
        ran.set()

    one = worker_of(node, tell)
    await one.start(workers=True)
    await enqueue(one, "a", due_at=START + 3_600_000)
    await one.bus.settled()
    clock.advance(3_600_000)
    one.bus.poke()
    await asyncio.wait_for(ran.wait(), DEADLINE_S)


async def test_a_key_has_one_job(db: Database, node: MakeNode) -> None:
    one = worker_of(node)
    [first] = await enqueue(one, "a", key="k")
    assert await enqueue(one, "b", key="k") == [first]
    await one.jobs.run_due()
    assert await effects(db, "job") == ["a"]
    assert await enqueue(one, "c", key="k") != [first]  # the first is done
    await one.jobs.run_due()
    assert await effects(db, "job") == ["a", "c"]


async def test_a_job_that_fails_is_tried_again_and_dead_in_the_end(
    node: MakeNode, clock: ManualClock
) -> None:
    attempts: list[int] = []

    async def fail(run: JobRun) -> None:
        attempts.append(run.attempt)
        if len(attempts) < 4:
            raise Conflict("a secret about a person", code="not_yet")

    one = worker_of(node, fail, max_attempts=3)
    [job_id] = await enqueue(one, "a")
    with capture_logs() as logs:
        for _ in range(5):
            await one.bus.settled()
            clock.advance(LONGEST_WAIT_MS)
    assert attempts == [1, 2, 3]
    [row] = await one.jobs.dead()
    assert (row["id"], row["last_error"], row["attempts"]) == (job_id, "Conflict not_yet", 3)
    assert (await one.jobs.status())["dead"] == 1
    assert [entry["event"] for entry in logs] == ["job_failed", "job_failed", "job_died"]
    assert {entry["plugin"] for entry in logs} == {"tests"}
    assert all(entry["frames"][0].startswith(f"{__file__}:") for entry in logs)
    assert "secret" not in str(logs)

    assert await one.jobs.retry(job_id)
    assert not await one.jobs.retry(job_id)
    await one.bus.settled()
    assert (attempts, await one.jobs.dead()) == ([1, 2, 3, 1], [])


async def test_a_failed_job_waits_twice_as_long_each_time(
    db: Database, node: MakeNode, clock: ManualClock
) -> None:
    async def fail(run: JobRun) -> None:
        raise LookupError

    one = worker_of(node, fail)
    await enqueue(one, "a")
    for longest in (2_000, 4_000, 8_000):
        await one.bus.settled()
        [row] = await db.fetch_all("SELECT due_at FROM wellio_job")
        assert longest / 2 <= row["due_at"] - clock.now_ms() <= longest
        clock.set(row["due_at"])


async def test_a_job_that_gives_up_is_dead_at_once_and_says_why(node: MakeNode) -> None:
    attempts = []

    async def give_up(run: JobRun) -> None:
        attempts.append(run.attempt)
        raise GiveUp("550 5.1.1")

    one = worker_of(node, give_up)
    [job_id] = await enqueue(one, "a")
    for _ in range(2):
        await one.bus.settled()
        [row] = await one.jobs.dead()
        assert (row["id"], row["last_error"]) == (job_id, "GiveUp 550 5.1.1")
        assert await one.jobs.retry(job_id)
    assert attempts == [1, 1]


async def test_an_attempt_that_takes_too_long_is_ended(node: MakeNode, db: Database) -> None:
    async def hang(run: JobRun) -> None:
        await asyncio.Event().wait()

    one = worker_of(node, hang, timeout_s=0.01)
    await enqueue(one, "a")
    await one.bus.settled()
    [row] = await db.fetch_all("SELECT state, last_error FROM wellio_job")
    assert tuple(row) == ("waiting", "TimeoutError")


async def test_no_more_run_at_a_time_than_allowed(node: MakeNode) -> None:
    running, most = 0, 0

    async def count(run: JobRun) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1

    one = worker_of(node, count, concurrency=3)
    await one.start(workers=True)
    await enqueue(one, *map(str, range(20)))
    await one.bus.settled()
    assert most == 3


async def hang_in(node: MakeNode, **options: Any) -> tuple[Node, asyncio.Event]:
    """Start a node that has begun a job and does not end it."""
    begun, end = asyncio.Event(), asyncio.Event()

    async def hang(run: JobRun) -> None:
        begun.set()
        await end.wait()

    one = worker_of(node, hang, **options)
    await one.start(workers=True)
    await enqueue(one, "a")
    await asyncio.wait_for(begun.wait(), DEADLINE_S)
    return one, end


async def test_a_lease_that_ended_is_taken_over_and_the_first_changes_nothing_any_more(
    db: Database, node: MakeNode, clock: ManualClock
) -> None:
    first, end = await hang_in(node)
    second = worker_of(node)
    await second.bus.settled()
    assert await effects(db, "job") == []  # it is still the first one's
    clock.advance(60_000)
    [attempt] = list((await db.fetch_all("SELECT attempts FROM wellio_job"))[0])
    await second.bus.settled()
    assert await effects(db, "job") == ["a"]
    assert (await second.jobs.status())["running"] == 0
    end.set()
    await first.bus.settled()
    assert (attempt, await effects(db, "job")) == (1, ["a"])


async def test_a_lease_is_renewed_while_the_job_runs(
    db: Database, node: MakeNode, clock: ManualClock
) -> None:
    _first, end = await hang_in(node, lease_s=0.03)
    clock.advance(3_600_000)  # only a renewal can bring the lease beyond this

    async def is_renewed() -> bool:
        [row] = await db.fetch_all("SELECT lease_until FROM wellio_job WHERE kind = 'thing.do'")
        return bool(row["lease_until"] > clock.now_ms())

    async with asyncio.timeout(DEADLINE_S):
        while not await is_renewed():
            pass
    second = worker_of(node)
    await second.bus.settled()
    assert await effects(db, "job") == []
    end.set()


async def test_another_node_that_starts_takes_nothing_from_the_first(
    db: Database, node: MakeNode
) -> None:
    """What it finds running runs somewhere; only under its own name it was killed in it."""
    first, end = await hang_in(node, name="first")
    second = worker_of(node, name="second")
    await second.start()
    await second.bus.settled()
    [row] = await db.fetch_all("SELECT state, node, attempts FROM wellio_job")
    assert tuple(row) == ("running", "first", 1)
    assert await effects(db, "job") == []
    end.set()
    await first.bus.settled()
    assert await db.fetch_all("SELECT id FROM wellio_job") == []


async def test_a_lease_is_renewed_long_before_its_end(
    db: Database, node: MakeNode, clock: ManualClock
) -> None:
    """A renewal that comes late, as on a busy machine, still finds the lease its own."""
    lease_s = 3.0
    _first, end = await hang_in(node, lease_s=lease_s)
    begun = time.monotonic()

    async def until() -> int:
        [row] = await db.fetch_all("SELECT lease_until FROM wellio_job WHERE kind = 'thing.do'")
        return int(row["lease_until"])

    granted = await until()
    clock.advance(1)  # by which a renewal can be told
    async with asyncio.timeout(DEADLINE_S):
        while await until() == granted:  # noqa: ASYNC110 - a row has no event
            await asyncio.sleep(0.02)
    assert time.monotonic() - begun < 0.75 * lease_s
    end.set()


async def test_a_node_that_comes_back_goes_on_at_once_with_what_it_was_killed_in(
    db: Database, node: MakeNode
) -> None:
    begun, end = asyncio.Event(), asyncio.Event()

    async def hang(run: JobRun) -> None:
        begun.set()
        await end.wait()

    killed = worker_of(node, hang, name="n")
    await enqueue(killed, "a")
    # Without a worker: one that is killed does not look for more.
    attempt = asyncio.create_task(killed.jobs.run_due())
    await asyncio.wait_for(begun.wait(), DEADLINE_S)
    again = worker_of(node, name="n")
    await again.start()
    await again.bus.settled()
    assert await effects(db, "job") == ["a"]
    end.set()
    await attempt


async def test_finish_makes_the_result_count_once_even_when_the_lease_was_lost(
    db: Database, node: MakeNode, clock: ManualClock
) -> None:
    lost: list[LeaseLost] = []

    async def store(run: JobRun) -> None:
        if run.attempt == 1:
            clock.advance(60_000)
            await second.bus.settled()

        async def body(tx: Tx) -> None:
            await effect(tx, "job", f"attempt {run.attempt}")
            await run.finish(tx)

        try:
            await run.db.write(body)
        except LeaseLost as error:
            lost.append(error)
            raise

    first, second = worker_of(node, store), worker_of(node, store)
    await enqueue(first, "a")
    await first.jobs.run_due()
    assert await effects(db, "job") == ["attempt 2"]
    assert len(lost) == 1
    assert await first.jobs.status() == {"due": 0, "later": 0, "running": 0, "dead": 0}


async def test_a_job_that_kills_its_process_each_time_dies(
    db: Database, node: MakeNode, clock: ManualClock
) -> None:
    one = worker_of(node, max_attempts=2)
    await enqueue(one, "a")

    async def be_killed(tx: Tx) -> None:
        await tx.execute(
            "UPDATE wellio_job SET state = 'running', attempts = attempts + 1, lease_until = :now",
            now=clock.now_ms(),
        )

    for _ in range(2):
        await db.write(be_killed)
    await one.bus.settled()
    [row] = await one.jobs.dead()
    assert (row["last_error"], await effects(db, "job")) == ("LeaseLost", [])


async def test_a_stop_waits_for_running_jobs(db: Database, node: MakeNode) -> None:
    one, end = await hang_in(node, drain_s=DEADLINE_S)
    stopping = asyncio.create_task(one.stop())
    end.set()
    await stopping
    assert await db.fetch_all("SELECT * FROM wellio_job") == []


async def test_a_stop_gives_back_what_takes_too_long(db: Database, node: MakeNode) -> None:
    one, _end = await hang_in(node, drain_s=0.01)
    await one.stop()
    [row] = await db.fetch_all("SELECT state, attempts FROM wellio_job")
    assert tuple(row) == ("queued", 0)
