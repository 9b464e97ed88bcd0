"""Durable subscribers: order, exactly once, parked events, new and removed ones, several nodes."""

import asyncio
import time
from collections.abc import Callable

import asyncpg
import pytest
from structlog.testing import capture_logs

from tests.core.events.conftest import Dropped, Node, Noted, effect, effects
from wellio.clock import ManualClock
from wellio.db import connect
from wellio.db.base import Database, Tx
from wellio.errors import PluginError
from wellio.events.event import Event
from wellio.jobs.jobs import Job, JobRun
from wellio.testing import DEADLINE_S
from wellio.testing.engines import Databases

MakeNode = Callable[..., Node]
LONGEST_WAIT_MS = 3_600_000
THINGS = [f"t{n}" for n in range(150)]  # more than one batch


async def parked(one: Node) -> list[tuple[str, str, int]]:
    rows = await one.bus.outbox.parked()
    return [(row["state"], row["last_error"], row["attempts"]) for row in rows]


@pytest.mark.parametrize("has_workers", [True, False])
async def test_every_subscriber_gets_its_events_once_and_in_order(
    db: Database, node: MakeNode, has_workers: bool
) -> None:
    one = node()
    one.follow("a")
    one.follow("b", Noted, Dropped)
    await one.start(workers=has_workers)
    await asyncio.gather(*(one.note(thing) for thing in THINGS[:50]))
    await one.note(*THINGS[50:])
    await one.note("dropped", type_=Dropped)
    await one.bus.settled()
    assert sorted(await effects(db, "a")) == sorted(THINGS)
    assert (await effects(db, "a"))[50:] == THINGS[50:]
    assert await effects(db, "b") == [*await effects(db, "a"), "dropped"]
    await one.bus.settled()
    assert len(await effects(db, "a")) == len(THINGS)


async def test_a_worker_is_woken_by_the_commit(node: MakeNode) -> None:
    one, seen = node(poll_s=3600), asyncio.Event()
    loop = asyncio.get_running_loop()

    async def handle(tx: Tx, event: Noted) -> None:
        loop.call_soon_threadsafe(seen.set)

    one.bus.subscribe_durable("waker", Noted, handle)
    await one.start(workers=True)
    await one.bus.settled()  # the first look is over
    await one.note("a")
    await asyncio.wait_for(seen.wait(), DEADLINE_S)


async def test_an_event_that_fails_is_parked_and_nobody_waits_for_it(
    db: Database, node: MakeNode, clock: ManualClock
) -> None:
    one = node()
    one.failing |= {"t3", "t70"}
    one.follow("a")
    one.follow("b")
    await one.start()
    with capture_logs() as logs:
        await one.note(*THINGS)
        await one.bus.settled()
    fine = [thing for thing in THINGS if thing not in one.failing]
    assert await effects(db, "a") == fine == await effects(db, "b")
    assert await parked(one) == [("waiting", "LookupError", 1)] * 4
    assert [(entry["plugin"], entry["error"]) for entry in logs] == [("tests", "LookupError")] * 4
    for entry in logs:
        [frame] = entry["frames"]
        assert "tests/core/events/conftest.py:" in frame
        assert frame.endswith(" Node.follow.<locals>.handle")
    assert "secret" not in str(logs)

    one.failing.clear()
    await one.bus.settled()
    assert len(await parked(one)) == 4  # not due yet
    clock.advance(LONGEST_WAIT_MS)
    await one.bus.settled()
    assert (await effects(db, "a"))[:-2] == fine
    assert set((await effects(db, "a"))[-2:]) == {"t3", "t70"}  # chance decides who is first
    assert await parked(one) == []


async def test_an_event_that_fails_too_often_is_dead_until_somebody_retries_it(
    db: Database, node: MakeNode, clock: ManualClock
) -> None:
    one = node(max_attempts=3)
    one.failing.add("t")
    one.follow("a")
    await one.start()
    await one.note("t", "u")
    waits = []
    for attempt in (1, 2):
        await one.bus.settled()
        assert await parked(one) == [("waiting", "LookupError", attempt)]
        [row] = await one.bus.outbox.parked()
        waits.append(row["due_at"] - clock.now_ms())
        clock.set(row["due_at"])
    await one.bus.settled()
    assert 1000 <= waits[0] <= 2000 <= waits[1] <= 4000
    assert await parked(one) == [("dead", "LookupError", 3)]
    assert (await one.bus.status())["subscribers"] == {"a": {"lag": 0, "parked": 0, "dead": 1}}
    clock.advance(LONGEST_WAIT_MS)
    one.failing.clear()
    await one.bus.settled()
    assert await effects(db, "a") == ["u"]

    assert await one.bus.outbox.retry("a") == 1
    await one.bus.settled()
    assert (await effects(db, "a"), await parked(one)) == (["u", "t"], [])


async def test_an_event_that_cannot_be_read_is_parked_too(db: Database, node: MakeNode) -> None:
    one = node()
    one.follow("a")
    await one.start()
    await one.note("a", "b")

    async def spoil(tx: Tx) -> None:
        await tx.execute("UPDATE wellio_event SET payload = '{' WHERE payload LIKE '%\"a\"%'")

    await db.write(spoil)
    await one.bus.settled()
    assert await effects(db, "a") == ["b"]
    assert await parked(one) == [("waiting", "JSONDecodeError", 1)]


async def test_a_new_subscriber_starts_now_or_replays(db: Database, node: MakeNode) -> None:
    first = node("n")
    first.follow("old")
    await first.start()
    await first.note("a", "b")
    await first.bus.settled()
    await first.stop()

    second = node("n")
    second.follow("old")
    second.follow("new")
    second.follow("replaying", replay=True)
    await second.start()
    await second.note("c")
    await second.bus.settled()
    assert await effects(db, "old") == ["a", "b", "c"]
    assert await effects(db, "new") == ["c"]
    assert await effects(db, "replaying") == ["a", "b", "c"]


async def test_what_was_published_while_a_subscriber_was_down_is_not_lost(
    db: Database, node: MakeNode
) -> None:
    first = node("n")
    first.follow("a")
    await first.start(workers=True)
    await first.stop()
    await first.note("x")  # by a process that runs no workers
    second = node("other name")
    second.follow("a")
    await second.start(workers=True)
    await second.bus.settled()
    assert await effects(db, "a") == ["x"]


async def test_rewinding_replays_the_log(db: Database, node: MakeNode) -> None:
    one = node()
    one.follow("a")
    await one.start()
    await one.note("x", "y")
    await one.bus.settled()
    await one.bus.outbox.rewind("a")
    await one.bus.settled()
    assert await effects(db, "a") == ["x", "y", "x", "y"]


async def test_two_subscribers_with_one_name_and_one_after_the_start_are_refused(
    node: MakeNode,
) -> None:
    one = node()
    one.follow("a")
    with pytest.raises(PluginError, match="two durable subscribers with the name a"):
        one.follow("a")
    await one.start()
    with pytest.raises(PluginError, match="too late"):
        one.follow("b")


async def test_a_handler_may_publish_and_enqueue_and_settled_waits_for_all_of_it(
    db: Database, node: MakeNode
) -> None:
    one = node()

    async def pass_on(tx: Tx, event: Noted) -> None:
        await one.bus.publish(tx, Dropped(thing_id=event.thing_id, cause_id=event.id))

    async def enqueue(tx: Tx, event: Dropped) -> None:
        await one.jobs.enqueue(tx, "thing.finish", {"id": event.thing_id})

    async def finish(run: JobRun) -> None:
        await run.db.write(effect, "job", run.payload["id"])

    one.jobs.register(Job("thing.finish", finish))
    one.bus.subscribe_durable("z.second", Dropped, enqueue)
    one.bus.subscribe_durable("a.first", Noted, pass_on)
    await one.start(workers=True)
    await one.note("a")
    await one.bus.settled()
    assert await effects(db, "job") == ["a"]


async def test_two_nodes_share_a_subscriber_without_doing_anything_twice(
    db: Database, node: MakeNode, clock: ManualClock
) -> None:
    nodes = [node(), node()]
    for one in nodes:
        one.follow("a")
        await one.start()
    for round_ in range(5):
        await nodes[round_ % 2].note(*(f"{round_}.{n}" for n in range(30)))
        await asyncio.gather(*(s.catch_up() for one in nodes for s in one.bus.outbox.subscribers))
        clock.advance(20_000)  # the lease of the one that worked is over
    for one in nodes:
        await one.bus.settled()
    assert await effects(db, "a") == [f"{r}.{n}" for r in range(5) for n in range(30)]


async def test_a_node_leaves_a_leased_subscriber_alone_until_the_lease_ends_or_is_given_back(
    db: Database, node: MakeNode, clock: ManualClock
) -> None:
    first, second = node(), node()
    for one in (first, second):
        one.follow("a")
        await one.start()
    await first.note("x")
    await first.bus.settled()

    async def seen_by_second() -> list[str]:
        for subscriber in second.bus.outbox.subscribers:
            await subscriber.catch_up()
        return await effects(db, "a")

    await first.note("y")
    assert await seen_by_second() == ["x"]
    later = node()
    later.follow("a")
    await later.start()  # a start takes no lease away
    for subscriber in later.bus.outbox.subscribers:
        await subscriber.catch_up()
    assert await seen_by_second() == ["x"]
    clock.advance(10_000)
    assert await seen_by_second() == ["x", "y"]
    await second.stop()
    await first.note("z")
    await first.bus.settled()
    assert await effects(db, "a") == ["x", "y", "z"]


@pytest.mark.parametrize("engine", ["postgres"], indirect=True, scope="module")
async def test_a_late_committer_is_not_skipped(databases: Databases, clock: ManualClock) -> None:
    """On Postgres a row may be committed after one with a higher position; never on SQLite."""
    url, data_dir = await databases.create()
    db, late = await connect(url, data_dir=data_dir), await asyncpg.connect(url)
    try:
        one = Node(db, clock)
        one.follow("a")
        await one.start()
        [subscriber] = one.bus.outbox.subscribers
        transaction = late.transaction()
        await transaction.start()
        await late.execute(
            "INSERT INTO wellio_event (id, name, at, payload)"
            " VALUES ('late', 'thing.noted', 1, '{\"thing_id\": \"late\"}')"
        )
        await one.note("early")  # committed first, with the higher position
        await subscriber.catch_up()
        assert await effects(db, "a") == []  # it waits: the older transaction may still commit
        settling = asyncio.create_task(one.bus.settled())
        await transaction.commit()
        await asyncio.wait_for(settling, DEADLINE_S)
        assert await effects(db, "a") == ["late", "early"]
    finally:
        await late.close()
        await db.close()
        await databases.drop(url)


async def test_the_log_is_trimmed_behind_the_slowest_cursor_and_the_retention(
    db: Database, node: MakeNode, clock: ManualClock
) -> None:
    one = node(retention_s=86_400)
    one.follow("a")
    await one.start()
    before = node()
    before.follow("removed")
    await before.start()  # its cursor stays where it is: nobody listens to it any more

    async def left() -> int:
        [row] = await db.fetch_all("SELECT count(*) AS n FROM wellio_event")
        return int(row["n"])

    async def trim() -> int:
        clock.advance(3_600_000)
        await one.jobs.run_due()
        return await left()

    await one.note(*THINGS)
    assert await trim() == 150  # unread
    await one.bus.settled()
    assert await trim() == 150  # read, but young
    clock.advance(86_400_000)
    await one.note("unread")
    clock.advance(86_400_000)
    assert await trim() == 1
    await one.bus.settled()
    assert await trim() == 0
    await one.note("last")
    await one.bus.settled()
    assert (await effects(db, "a"))[-2:] == ["unread", "last"]


async def test_lag_is_counted(node: MakeNode) -> None:
    one = node()
    one.follow("a")
    await one.start()
    await one.note("x", "y")
    assert (await one.bus.status())["subscribers"]["a"]["lag"] == 2
    await one.bus.settled()
    assert (await one.bus.status())["subscribers"]["a"]["lag"] == 0


async def test_slow_handlers_give_the_writer_back_between_events(
    db: Database, node: MakeNode
) -> None:
    """A batch ends when it has had its share of the writer's time; nothing is lost by it."""
    one, transactions = node(), list[Tx]()

    async def slow(tx: Tx, event: Event) -> None:
        if tx not in transactions:
            transactions.append(tx)
        until = time.monotonic() + 0.01
        while time.monotonic() < until:
            pass
        await effect(tx, "slow", event.id)

    one.bus.subscribe_durable("slow", Noted, slow)
    await one.start()
    await one.note(*THINGS[:20])
    await one.bus.settled()
    assert len(set(await effects(db, "slow"))) == 20
    assert len(transactions) > 1
