"""The queries that run all the time use an index: what they cost does not grow with the tables."""

import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from tests.core.events.conftest import START, Node
from wellio.db.base import Engine, Tx
from wellio.events import outbox, subscriber
from wellio.jobs import store as jobstore
from wellio.testing.engines import Databases, explain

HERE: dict[str, Any] = {"xid": 0, "position": 1}
#: A walk over a whole table; only to begin at one end of its order of commits is none.
SCAN = re.compile(r"SCAN wellio_\w+\b(?! USING)|Seq Scan on wellio")
#: What finds a place in the log: on SQLite the table is in the order of commits itself.
LOG = r"wellio_event_log|SEARCH e USING INTEGER PRIMARY KEY \(rowid[<>]\?\)"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_db(databases: Databases) -> AsyncIterator[Engine]:
    """Open one database for all plans: looking at them changes nothing."""
    async with databases.open() as engine:
        yield engine


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "sql, params, indexes",
    [
        (subscriber.CURSOR, {"subscriber": "a"}, ["wellio_parked_due"]),
        (subscriber.NEXT, {**HERE, "limit": 64}, [LOG]),
        (subscriber.IS_BEHIND, {"subscriber": "a"}, [LOG]),
        (
            subscriber.PARKED_DUE,
            {"subscriber": "a", "now": START, "limit": 64},
            ["wellio_parked_due"],
        ),
        (outbox.END, {}, ["wellio_event_log|^SCAN e$"]),  # it reads one row of that walk
        (outbox.TRIM, {**HERE, "before": START, "limit": 1000}, [LOG]),
        (outbox.STATUS, {"names": ["a"]}, [LOG]),
        (
            jobstore.LOOK,
            {"kinds": ["a"], "schedules": ["a"], "mine": ["a"]},
            ["wellio_job_waiting", "wellio_job_queued", "wellio_job_running"],
        ),
        (jobstore.PROMOTE, {"now": START, "limit": 500}, ["wellio_job_waiting"]),
        (jobstore.TAKE_OVER, {"now": START, "mine": ["a"]}, ["wellio_job_running"]),
        (
            jobstore.CLAIM,
            {
                "node": "n",
                "now": START,
                "lane": "normal",
                "leases": [{"kind": "a", "lease_ms": 1}],
                "kinds": ["a"],
                "limit": 8,
            },
            ["wellio_job_queued"],
        ),
    ],
)
async def test_the_plan_names_the_index(
    shared_db: Engine, sql: str, params: dict[str, Any], indexes: list[str]
) -> None:
    plan = await explain(shared_db, sql, **params)
    assert [index for index in indexes if not re.search(index, plan)] == [], plan
    assert not SCAN.search(plan), plan


async def test_the_next_events_are_sought_and_not_walked_to(
    db: Engine, node: Callable[..., Node]
) -> None:
    for _ in range(20):  # a transaction may take a second, which is little on a busy machine
        await node().note(*map(str, range(100)))

    async def analyze(tx: Tx) -> None:
        await tx.execute("ANALYZE wellio_event")

    await db.write_schema(analyze)
    plan = await explain(db, subscriber.NEXT, **HERE, limit=64)
    assert re.search(r'rowid>\?|Index Cond: .*"position"\) > ', plan), plan
