"""Schedules: which instant is next, and each one once whoever runs and whatever restarts."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.events.conftest import Node, effect, effects
from wellio.clock import ManualClock, parse_rfc3339, rfc3339
from wellio.db.base import Database, Row, Tx
from wellio.errors import PluginError
from wellio.jobs.jobs import JobRun
from wellio.jobs.schedules import Schedule, store, take_due
from wellio.testing import DEADLINE_S

MakeNode = Callable[..., Node]
HOUR = 3_600_000
EVERY_HOUR = "0 * * * *"


async def note(run: JobRun) -> None:
    await run.db.write(effect, run.kind, rfc3339(run.due_at)[11:16])


def scheduled(make: MakeNode, *specs: Schedule, name: str | None = None) -> Node:
    one = make(name)
    one.jobs.register(*(specs or (Schedule("thing.tick", EVERY_HOUR, note),)))
    return one


async def ticks(db: Database) -> list[str]:
    return await effects(db, "schedule:thing.tick")


@pytest.mark.parametrize(
    "zone, cron, after, expected",
    [
        ("UTC", "30 2 * * *", "2026-03-29T00:00:00Z", ["29T02:30", "30T02:30"]),
        # Berlin, 29 March 2026: 02:00 becomes 03:00, which is 01:00 UTC
        ("Europe/Berlin", "30 2 * * *", "2026-03-28T12:00:00Z", ["29T01:00", "30T00:30"]),
        ("Europe/Berlin", "0 3 * * *", "2026-03-28T12:00:00Z", ["29T01:00", "30T01:00"]),
        ("Europe/Berlin", "0 9 * * *", "2026-03-28T12:00:00Z", ["29T07:00", "30T07:00"]),
        ("Europe/Berlin", "*/30 * * * *", "2026-03-29T00:30:00Z", ["29T01:00", "29T01:30"]),
        # Berlin, 25 October 2026: 02:00 to 03:00 comes twice, from 00:00 and from 01:00 UTC
        ("Europe/Berlin", "30 2 * * *", "2026-10-24T12:00:00Z", ["25T00:30", "26T01:30"]),
        ("Europe/Berlin", "30 2 * * *", "2026-10-25T01:10:00Z", ["26T01:30", "27T01:30"]),
        ("Europe/Berlin", "0 * * * *", "2026-10-24T23:30:00Z", ["25T00:00", "25T01:00"]),
        # New York, 8 March and 1 November 2026: 02:00 becomes 03:00, 02:00 becomes 01:00
        ("America/New_York", "30 2 * * *", "2026-03-07T12:00:00Z", ["08T07:00", "09T06:30"]),
        ("America/New_York", "30 1 * * *", "2026-10-31T12:00:00Z", ["01T05:30", "02T06:30"]),
        ("America/New_York", "30 1 * * *", "2026-11-01T06:00:00Z", ["02T06:30", "03T06:30"]),
        # Lord Howe moves half an hour: 4 October 02:00 becomes 02:30, 5 April 02:00 becomes 01:30
        ("Australia/Lord_Howe", "15 2 * * *", "2026-10-03T12:00:00Z", ["03T15:30", "04T15:15"]),
        ("Australia/Lord_Howe", "45 1 * * *", "2026-04-04T12:00:00Z", ["04T14:45", "05T15:15"]),
        ("Australia/Lord_Howe", "45 1 * * *", "2026-04-04T15:05:00Z", ["05T15:15", "06T15:15"]),
    ],
)
def test_the_next_instant(zone: str, cron: str, after: str, expected: list[str]) -> None:
    schedule = Schedule("thing.tick", cron, note, zone)
    at, found = parse_rfc3339(after), []
    for _ in expected:
        at = schedule.next_after(at)
        found.append(rfc3339(at)[8:16])
    assert found == expected


@given(
    at=st.integers(0, 4_000_000_000_000),
    zone=st.sampled_from(
        ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"]
    ),
    cron=st.sampled_from(
        [
            "30 2 * * *",
            "*/7 * * * *",
            "0 0 1 * *",
            "15 1,2 * * SUN",
            "59 23 31 12 *",
            "*/20 * * * * *",
        ]
    ),
)
def test_the_next_instant_is_later_and_nothing_is_between(at: int, zone: str, cron: str) -> None:
    schedule = Schedule("thing.tick", cron, note, zone)
    following = schedule.next_after(at)
    assert following > at
    assert following % 1000 == 0
    assert schedule.next_after(following - 1) == following
    assert schedule.next_after((at + following) // 2) == following


@pytest.mark.parametrize(
    "cron, zone",
    [("* * *", "UTC"), ("61 * * * *", "UTC"), ("0 0 30 2 *", "UTC"), ("0 0 * * *", "Mars/Base")],
)
def test_what_never_runs_is_refused(cron: str, zone: str) -> None:
    with pytest.raises(PluginError, match=r"schedule thing\.tick"):
        Schedule("thing.tick", cron, note, zone)


@pytest.mark.parametrize("has_workers", [True, False])
async def test_it_runs_at_its_instants(
    db: Database, node: MakeNode, clock: ManualClock, has_workers: bool
) -> None:
    clock.set(parse_rfc3339("2026-03-01T09:30:00Z"))
    one = scheduled(node)
    await one.start(workers=has_workers)
    await one.bus.settled()
    assert await ticks(db) == []
    for _ in range(3):
        clock.advance(HOUR)
        await one.bus.settled()
    assert await ticks(db) == ["10:00", "11:00", "12:00"]


async def test_two_nodes_run_it_once(db: Database, node: MakeNode, clock: ManualClock) -> None:
    clock.set(parse_rfc3339("2026-03-01T09:30:00Z"))
    nodes = [scheduled(node) for _ in range(2)]
    for one in nodes:
        await one.start(workers=True)
    for _ in range(5):
        clock.advance(HOUR)
        await asyncio.gather(*(one.bus.settled() for one in nodes))
    assert sorted(await ticks(db)) == ["10:00", "11:00", "12:00", "13:00", "14:00"]


class HeldTx:
    """A transaction that goes on from its first read when both of two have read."""

    def __init__(self, tx: Tx, reads: list[str]) -> None:
        self._tx, self._reads = tx, reads

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tx, name)

    async def fetch_all(self, sql: str, **params: Any) -> list[Row]:
        rows = await self._tx.fetch_all(sql, **params)
        self._reads.append(sql)
        while len(self._reads) < 2:  # a body may wait for its transaction alone
            await self._tx.fetch_all("SELECT pg_sleep(0.005)")
        return rows


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)  # SQLite has one writer
async def test_of_two_nodes_that_saw_it_due_one_takes_it(db: Database) -> None:
    specs = {"thing.tick": Schedule("thing.tick", EVERY_HOUR, note)}
    now = parse_rfc3339("2026-03-01T09:30:00Z")
    assert now is not None
    await db.write(store, list(specs.values()), now)
    reads: list[str] = []

    async def take(tx: Tx) -> list[tuple[str, int]]:
        held: Any = HeldTx(tx, reads)
        return await take_due(held, specs, now + HOUR)

    async with asyncio.timeout(DEADLINE_S):
        taken = await asyncio.gather(db.write(take), db.write(take))
    assert sorted(map(len, taken)) == [0, 1]


async def test_what_was_missed_runs_once_at_the_start(
    db: Database, node: MakeNode, clock: ManualClock
) -> None:
    clock.set(parse_rfc3339("2026-03-01T09:30:00Z"))
    first = scheduled(node, name="n")
    await first.start()
    await first.stop()
    clock.advance(5 * HOUR)
    second = scheduled(node, name="n")
    await second.start()
    await second.bus.settled()
    assert await ticks(db) == ["10:00"]
    clock.advance(HOUR)
    await second.bus.settled()
    assert await ticks(db) == ["10:00", "15:00"]


async def test_a_changed_expression_counts_from_now(
    db: Database, node: MakeNode, clock: ManualClock
) -> None:
    clock.set(parse_rfc3339("2026-03-01T09:30:00Z"))
    first = scheduled(node, name="n")
    await first.start()
    await first.stop()
    clock.advance(HOUR)  # 10:00 was missed, by a schedule that is no more
    second = scheduled(node, Schedule("thing.tick", "45 * * * *", note), name="n")
    await second.start()
    await second.bus.settled()
    assert await ticks(db) == []
    clock.advance(HOUR)
    await second.bus.settled()
    assert await ticks(db) == ["10:45"]


@pytest.mark.parametrize("is_running", [True, False])
async def test_a_clock_that_was_ahead_holds_nothing_up(
    db: Database, node: MakeNode, clock: ManualClock, is_running: bool
) -> None:
    """What was planned for 2031 runs at the next hour of the clock that was set right."""
    right = parse_rfc3339("2026-03-01T09:30:00Z")
    clock.set(right + 5 * 365 * 24 * HOUR)
    one = scheduled(node, name="n")
    await one.start()
    await one.bus.settled()
    if not is_running:
        await one.stop()
    clock.set(right)
    if not is_running:
        one = scheduled(node, name="n")
        await one.start()
    await one.bus.settled()
    clock.advance(HOUR)
    await one.bus.settled()
    assert await ticks(db) == ["10:00"]


async def test_a_removed_schedule_rests(db: Database, node: MakeNode, clock: ManualClock) -> None:
    first = scheduled(node, name="n")
    await first.start()
    await first.stop()
    clock.advance(24 * HOUR)
    second = node("n")
    await second.start()
    await second.bus.settled()
    assert await ticks(db) == []


async def test_two_schedules_with_one_name_and_one_after_the_start_are_refused(
    node: MakeNode,
) -> None:
    one = scheduled(node)
    with pytest.raises(PluginError, match="two jobs"):
        scheduled(lambda _name: one)
    await one.start()
    with pytest.raises(PluginError, match="too late"):
        one.jobs.register(Schedule("thing.late", EVERY_HOUR, note))
