"""A24: whoever has the database alone changes nothing unseen; nobody is accused wrongly."""

import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.core.audit.attacks import ATTACKS, Hand, as_dict
from tests.core.audit.conftest import START, Log
from wellio.audit.entry import COLUMNS
from wellio.clock import ManualClock
from wellio.db import connect
from wellio.db.base import Engine, Tx
from wellio.errors import WellioError
from wellio.testing.engines import Databases

SEED = int(os.environ.get("SEED", "1"))
#: The tables of the log, and their keys.
TABLES = {
    "wellio_audit": "seq",
    "wellio_audit_pending": "position",
    "wellio_audit_detail": "audit_id",
    "wellio_audit_key": "id",
}
SHORT, LONG = (120, 10), (10_000, 125)  # rows, and trials of each of the eight attacks


@dataclass
class Original:
    """A log that is sealed and signed, and how to put it back."""

    db: Engine
    anchor_file: Path
    count: int
    captured: list[dict[str, Any]]

    async def process(self) -> Log:
        """Return the log as a process has it that has just started."""
        log = Log(self.db, ManualClock(START), self.anchor_file)
        await log.audit.start(workers=False)
        return log

    async def put_back(self) -> None:
        await self.db.write_schema(_put_back)


async def _make_copies(tx: Tx) -> None:
    for table in TABLES:
        await tx.execute(f"CREATE TABLE copy_of_{table} AS SELECT * FROM {table}")


async def _put_back(tx: Tx) -> None:
    for table, key in TABLES.items():
        changed = f"SELECT * FROM {table} EXCEPT SELECT * FROM copy_of_{table}"
        missing = f"SELECT * FROM copy_of_{table} EXCEPT SELECT * FROM {table}"
        await tx.execute(
            f"DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM ({changed}) AS changed)"
        )
        await tx.execute(f"INSERT INTO {table} {missing}")


@pytest.fixture(scope="module", params=[SHORT, pytest.param(LONG, marks=pytest.mark.prove)])
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    rows, trials = request.param
    return rows, trials


@pytest.fixture
async def original(
    databases: Databases, size: tuple[int, int], tmp_path: Path
) -> AsyncIterator[Original]:
    url, data_dir = await databases.create()
    db, count = await connect(url, data_dir=data_dir), size[0]
    log = Log(db, ManualClock(START), tmp_path / "audit.anchors")
    await log.audit.start(workers=True)
    await log.note(20)
    columns = ", ".join((*COLUMNS, "key_id", "mac"))
    rows = await db.fetch_all(f"SELECT {columns} FROM wellio_audit_pending")
    for done in range(20, count, 20):
        await log.note(min(20, count - done), details=done % 40 == 20)
    await log.audit.stop()
    await db.write_schema(_make_copies)
    yield Original(db, log.anchor_file, count, [as_dict(row) for row in rows])
    await db.close()
    await databases.drop(url)


async def outcome(log: Log) -> str:
    """Return what a verification says: the first break's kind, a refusal, or `intact`."""
    try:
        report = await log.verify()
    except WellioError as error:
        assert "does not open" in str(error)  # noqa: PT017 - one of two answers that are right
        return "refused"
    return report.breaks[0].kind if report.breaks else "intact"


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
@pytest.mark.timeout(3600)
async def test_every_change_is_seen(
    original: Original, size: tuple[int, int], attack: Callable[[Hand], Awaitable[None]]
) -> None:
    chance = random.Random(f"{SEED} {attack.__name__}")  # noqa: S311 - chance, not a secret
    for trial in range(size[1]):
        server = await original.process()
        if trial % 10 == 0:
            assert await outcome(server) == "intact", f"trial {trial} begins with a false alarm"
        await attack(Hand(server, chance, original.count, original.captured))
        is_noticed = {"at once": await outcome(server)}
        if is_noticed["at once"] != "refused":
            await server.sealed(1)  # life goes on, and does not cover it up
            is_noticed["later"] = await outcome(server)
        assert "intact" not in is_noticed.values(), f"trial {trial}: {is_noticed}"
        await original.put_back()
