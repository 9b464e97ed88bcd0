"""How rows come into the chain: once, in order, whoever commits late or seals at once."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from structlog.testing import capture_logs

from tests.core.audit.attacks import PENDING
from tests.core.audit.conftest import MASTER, Log, MakeLog
from wellio.audit.entry import COLUMNS
from wellio.audit.keys import AuditKeys
from wellio.audit.sealer import CHUNK
from wellio.clock import ManualClock
from wellio.db import connect
from wellio.db.base import Engine
from wellio.db.postgres_tx import PostgresTx
from wellio.errors import WellioError
from wellio.keys.crypto import Crypto
from wellio.keys.ring import MasterKey, MasterRing
from wellio.testing import DEADLINE_S
from wellio.testing.engines import Databases

OTHER = MasterKey(b"another master key of 32 bytes..")


async def until(log: Log, count: int) -> None:
    """Wait until the worker has sealed so many rows."""
    async with asyncio.timeout(DEADLINE_S):
        while len(await log.rows()) < count:  # noqa: ASYNC110 - no event tells of another's row
            await asyncio.sleep(0.01)


async def notes(log: Log) -> list[str]:
    return [row["note"] for row in await log.rows()]


async def test_rows_are_sealed_in_the_order_in_which_they_were_written(log: Log) -> None:
    count = 2 * CHUNK + 3  # more than one transaction takes
    for done in range(0, count, 100):
        await log.note(min(100, count - done))
    await log.audit.seal()
    rows = await log.rows()
    assert [row["seq"] for row in rows] == list(range(1, count + 1))
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
    report = await log.verify()
    assert (report.is_intact, report.rows, report.pending) == (True, count, 0)


async def test_the_worker_seals_what_is_committed(make_log: MakeLog) -> None:
    log = await make_log(workers=True)
    await log.note(3)
    await until(log, 3)
    assert (await log.verify()).is_intact


async def test_a_command_leaves_its_rows_to_the_server(make_log: MakeLog) -> None:
    command = await make_log(workers=False)
    await command.note(2)
    await command.audit.stop()
    assert await command.rows() == []
    assert (await command.verify()).pending == 2
    server = await make_log(workers=True)
    await until(server, 2)


async def test_two_processes_seal_at_once_and_nothing_forks(make_log: MakeLog) -> None:
    logs = [await make_log() for _ in range(3)]
    for _ in range(10):
        await asyncio.gather(*(log.note(20) for log in logs), *(log.audit.seal() for log in logs))
    await logs[0].audit.seal()
    report = await logs[1].verify()
    assert (report.is_intact, report.rows, report.pending) == (True, 600, 0)
    assert [await log.audit.check() for log in logs] == [None] * 3


async def test_a_key_that_another_process_made_is_read(make_log: MakeLog) -> None:
    old, new = await make_log(), await make_log()
    await old.sealed(2)
    await new.audit.keys.renew()
    await new.note(2)
    await old.audit.seal()
    await new.note(2)
    await new.audit.seal()
    report = await old.verify()
    assert (report.is_intact, report.rows) == (True, 6)
    assert len({row["key_id"] for row in await old.rows()}) == 2


async def test_a_row_that_wellio_did_not_write_stays_outside(log: Log) -> None:
    await log.note(1)
    [genuine] = await log.db.fetch_all("SELECT * FROM wellio_audit_pending")
    values = {name: genuine[name] for name in (*COLUMNS, "key_id", "mac")}
    await log.run(PENDING, **{**values, "id": "forged", "actor_id": "mallory"})
    await log.note(1)
    with capture_logs() as said:
        await log.audit.seal()
    assert [entry["event"] for entry in said] == ["audit_log_tampered", "audit_anchor"]
    assert said[0]["rows"] == ["forged"]
    assert [row["actor_id"] for row in await log.rows()] == ["olga", "olga"]
    assert await log.audit.check() == "needs a look: wellio audit verify"
    report = await log.verify()
    assert [(found.kind, found.id) for found in report.breaks] == [("forged", "forged")]
    await log.run(PENDING, **values)  # the same row again, proof and all
    await log.sealed(1)  # and it holds up nobody
    assert len(await log.rows()) == 3
    assert (await log.verify()).found == 2


async def test_rows_that_nobody_seals_are_told(log: Log, clock: ManualClock) -> None:
    await log.note(1)
    assert await log.audit.check() is None
    clock.advance(60_001)
    assert await log.audit.check() == "rows wait to be sealed"
    await log.audit.seal()
    assert await log.audit.check() is None


async def test_keys_do_not_open_with_another_master_key(make_log: MakeLog) -> None:
    await make_log()
    with pytest.raises(WellioError, match=r"audit\.key"):
        await make_log(crypto=Crypto(MasterRing([OTHER]), bytes(range(32))))


@asynccontextmanager
async def transaction(url: str) -> AsyncIterator[PostgresTx]:
    """Hold a transaction open until the block ends; then it commits."""
    connection = await asyncpg.connect(url)
    try:
        tx = PostgresTx(connection)
        await tx.begin("BEGIN")
        yield tx
        await connection.execute("COMMIT")
    finally:
        await connection.close()


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
async def test_who_commits_late_comes_later_and_changes_nothing(
    databases: Databases, clock: ManualClock, tmp_path: Path
) -> None:
    """On SQLite there is one writer, and so nobody is late."""
    url, data_dir = await databases.create()
    db = await connect(url, data_dir=data_dir)
    log = Log(db, clock, tmp_path / "anchors")
    await log.audit.start(workers=False)
    chance = random.Random(7)  # noqa: S311 - chance, not a secret
    sealed: list[tuple[object, ...]] = []

    async def write_slowly(number: int) -> None:
        for turn in range(8):
            async with transaction(url) as tx:
                for note in (f"{number} {turn} first", f"{number} {turn} second"):
                    await log.audit.record(tx, "a.b", "thing", actor_id=None, note=note)
                    await asyncio.sleep(chance.random() / 50)

    writers = [asyncio.create_task(write_slowly(number)) for number in range(6)]
    try:
        async with transaction(url) as tx:
            await log.audit.record(tx, "a.b", "thing", actor_id=None, note="the last of all")
            while not all(writer.done() for writer in writers):
                await log.audit.seal()
                rows = [tuple(row) for row in await log.rows()]
                assert rows[: len(sealed)] == sealed
                sealed = rows
                await asyncio.sleep(0.005)
            await log.audit.seal()
        assert len(await log.rows()) == 6 * 8 * 2
        await log.audit.seal()
        said = await notes(log)
        assert said[-1] == "the last of all"
        for number in range(6):  # what one writer did, in the order in which they did it
            own = [note for note in said if note.startswith(f"{number} ")]
            assert own == sorted(own)
        report = await log.verify()
        assert (report.is_intact, report.rows, report.pending) == (True, 6 * 8 * 2 + 1, 0)
    finally:
        await asyncio.gather(*writers)
        await db.close()
        await databases.drop(url)


async def test_a_rotation_renews_the_keys_and_old_rows_still_prove(
    make_log: MakeLog, db: Engine, clock: ManualClock
) -> None:
    log = await make_log()
    await log.note(1)
    await log.audit.seal()
    ring = MasterRing([OTHER, MASTER])
    rotated = AuditKeys(db, clock, Crypto(ring, bytes(range(32))))
    await rotated.open()
    await rotated.renew()
    assert await rotated.reseal() == 1  # the new one is sealed by the newest already
    assert await rotated.reseal() == 0
    later = await make_log(crypto=Crypto(MasterRing([OTHER]), bytes(range(32))))
    await later.note(2)
    await later.audit.seal()
    report = await later.verify()
    assert (report.is_intact, report.rows) == (True, 3)
