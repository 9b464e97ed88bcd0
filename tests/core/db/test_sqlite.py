"""SQLite's own dangers: a full or broken disk, a kill, a stranger on the file, a second server."""

import asyncio
import os
import shutil
import sqlite3
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, closing
from pathlib import Path
from typing import Any

import aiosqlite
import pytest

import wellio
from tests.children import child
from tests.core.db.conftest import ids, insert, make_table, one
from wellio.db import connect
from wellio.db.base import Engine, Tx
from wellio.db.sqlite_reader import QuickReader
from wellio.errors import (
    ConfigError,
    Conflict,
    ConstraintViolation,
    DatabaseDeadline,
    DatabaseError,
    Unavailable,
)
from wellio.testing import DEADLINE_S

CHILDREN = Path(__file__).parent / "children"


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Engine]:
    engine = await connect(None, data_dir=tmp_path)
    await engine.write_schema(make_table)
    yield engine
    await engine.close()


def running(name: str, folder: Path) -> AbstractAsyncContextManager[asyncio.subprocess.Process]:
    return child(
        *(sys.executable, CHILDREN / name, folder),
        env=os.environ | {"PYTHONPATH": str(Path(wellio.__file__).parents[1])},
        stdout=asyncio.subprocess.PIPE,
    )


async def pragma(tx: Tx, text: str) -> int:
    return int((await one(tx, f"PRAGMA {text}"))[0])


async def test_an_opening_that_is_cancelled_leaves_no_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that is left would keep the process from ending."""
    before = set(threading.enumerate())

    async def cancelled(*_: object) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(aiosqlite.Connection, "execute_fetchall", cancelled)
    with pytest.raises(asyncio.CancelledError):
        await connect(None, data_dir=tmp_path)
    for thread in {*threading.enumerate()} - before:
        if not thread.name.startswith("asyncio"):  # the loop's own end with it
            thread.join(DEADLINE_S / 10)
            assert not thread.is_alive()


async def test_the_writer_is_durable_and_checks_foreign_keys(db: Engine) -> None:
    found = {name: await db.write(pragma, name) for name in ["synchronous", "foreign_keys"]}
    assert found == {"synchronous": 2, "foreign_keys": 1}
    assert (await one(db, "PRAGMA journal_mode"))[0] == "wal"
    assert (await one(db, "PRAGMA mmap_size"))[0] == 0


async def test_readers_cannot_write(db: Engine) -> None:
    with pytest.raises(Unavailable):
        await db.fetch_all("DELETE FROM t")


LONG_READ = """
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :last) SELECT i FROM n
"""


def at_once(db: Engine, sql: str, **params: Any) -> list[Any] | None:
    """Return the first column of what is found without waiting for a thread; None if it takes one.

    A coroutine that only lets others have a turn gives None to the loop, and one that waits a
    future.
    """
    reading = db.fetch_all(sql, **params)
    try:
        while reading.send(None) is None:
            pass
    except StopIteration as done:
        return [row[0] for row in done.value]
    reading.close()
    return None


async def test_a_look_up_by_key_waits_for_no_thread(db: Engine) -> None:
    by_key = "SELECT id FROM t WHERE id = :id"
    await db.write(insert, "a")
    for _ in range(3000):  # steps of many runs are no long read
        assert at_once(db, by_key, id="a") == ["a"]
    await db.write(insert, "b")
    assert at_once(db, by_key, id="b") == ["b"]
    assert at_once(db, by_key, id="c") == []


async def test_a_long_read_leaves_the_loop_and_finds_the_same(db: Engine) -> None:
    for last in (10, 100_000, 10):
        assert len(await db.fetch_all(LONG_READ, last=last)) == last
    assert at_once(db, LONG_READ, last=10) is None
    await db.write(insert, "a")
    assert at_once(db, "SELECT id FROM t") == ["a"]


async def test_short_reads_one_after_the_other_let_others_have_a_turn(db: Engine) -> None:
    async def read() -> None:
        for _ in range(1000):
            await db.fetch_one("SELECT id FROM t")

    reading = asyncio.create_task(read())
    turns = 0
    while not reading.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 10


async def test_a_stranger_who_keeps_readers_out_costs_the_loop_nothing(
    db: Engine, tmp_path: Path
) -> None:
    """Such as one who recovers the log: a thread waits for it."""
    await db.close()
    path = tmp_path / "wellio.db"
    reader = QuickReader(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as stranger:
        stranger.execute("PRAGMA locking_mode = EXCLUSIVE")
        stranger.execute("BEGIN EXCLUSIVE")
        reader.open()
        assert reader.fetch_all("SELECT id FROM t", {}) is None
    assert reader.fetch_all("SELECT id FROM t", {}) == []
    reader.close()


async def test_bigint_in_a_strict_table_is_an_error(db: Engine) -> None:
    async def wrong(tx: Tx) -> None:
        await tx.execute("CREATE TABLE u (a BIGINT) {strict}")

    with pytest.raises(DatabaseError, match="BIGINT"):
        await db.write_schema(wrong)


async def test_the_folder_and_the_file_are_its_owners_alone(tmp_path: Path) -> None:
    db = await connect(None, data_dir=tmp_path / "new" / "data")
    await db.write_schema(make_table)
    assert (tmp_path / "new" / "data").stat().st_mode & 0o077 == 0
    for file in (tmp_path / "new" / "data").glob("wellio.db*"):
        assert file.stat().st_mode & 0o077 == 0, file
    await db.close()


async def test_a_second_server_on_the_folder_is_refused_until_the_first_ends(
    db: Engine, tmp_path: Path
) -> None:
    for _ in range(2):
        with pytest.raises(DatabaseError, match=f"process {os.getpid()}\\) already serves"):
            await connect(None, data_dir=tmp_path)
    await db.close()
    await (await connect(None, data_dir=tmp_path)).close()


async def test_an_unknown_kind_of_database_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="mysql"):
        await connect("mysql://localhost/x", data_dir=tmp_path)


async def test_a_file_that_is_no_database_is_refused_and_its_folder_let_go(tmp_path: Path) -> None:
    (tmp_path / "wellio.db").write_bytes(b"not a database at all" * 100)
    for _ in range(2):
        with pytest.raises(DatabaseError, match="cannot open"):
            await connect(None, data_dir=tmp_path)


async def test_a_full_disk_refuses_writes_serves_reads_and_recovers(db: Engine) -> None:
    """`max_page_count` makes SQLite answer as on a full disk (SQLITE_FULL)."""

    async def grow(tx: Tx, number: int) -> None:
        await tx.execute(
            "INSERT INTO t (id, n, note) VALUES (:id, 0, :note)", id=f"{number:04}", note="x" * 3000
        )

    used = await db.write(pragma, "page_count")
    await db.write(pragma, f"max_page_count = {used + 20}")
    outcomes = await asyncio.gather(
        *(db.write(grow, number) for number in range(100)), return_exceptions=True
    )
    acknowledged = [f"{number:04}" for number, outcome in enumerate(outcomes) if outcome is None]
    refused = [outcome for outcome in outcomes if outcome is not None]
    assert 10 <= len(acknowledged) <= 25
    assert all(isinstance(o, Unavailable) and "Retry-After" in o.headers for o in refused)
    assert await ids(db) == acknowledged
    await db.write(pragma, "max_page_count = 100000")
    await db.write(grow, 9999)
    assert await ids(db) == [*acknowledged, "9999"]


async def test_after_an_io_error_nothing_is_acknowledged_until_a_restart(tmp_path: Path) -> None:
    """The child's file size limit makes the kernel fail its writes, and later lifts it again."""
    async with running("io_error.py", tmp_path) as process:
        output, _ = await process.communicate()
    lines = output.decode().split()
    assert process.returncode == 0
    assert lines[-3:] == ["refused", "reads", "ping-refused"]
    acknowledged = lines[:-3]
    assert acknowledged
    db = await connect(None, data_dir=tmp_path)
    assert await ids(db) == sorted(acknowledged)
    assert await db.write(insert, "again") == "again"
    await db.close()


@pytest.mark.parametrize("acks", [1, 200, 1500])
async def test_nothing_acknowledged_is_lost_by_a_kill(tmp_path: Path, acks: int) -> None:
    async with running("acknowledge.py", tmp_path) as process:
        assert process.stdout is not None
        heard = [await process.stdout.readline() for _ in range(acks)]
        assert all(heard), "the child died by itself"
        process.kill()
        heard += (await process.stdout.read()).splitlines(keepends=True)
    db = await connect(None, data_dir=tmp_path)
    acknowledged = {line.decode().strip() for line in heard if line.endswith(b"\n")}
    lost = acknowledged - set(await ids(db))
    assert (await one(db, "PRAGMA integrity_check"))[0] == "ok"
    await db.close()
    assert lost == set()


async def test_a_stranger_who_holds_the_file_makes_writes_fail_not_hang(
    db: Engine, tmp_path: Path
) -> None:
    stranger = sqlite3.connect(tmp_path / "wellio.db", isolation_level=None)
    stranger.execute("BEGIN IMMEDIATE")
    outcomes = await asyncio.gather(*(db.write(insert, x) for x in "ab"), return_exceptions=True)
    assert all(isinstance(outcome, Unavailable) for outcome in outcomes)
    assert await ids(db) == []
    stranger.execute("ROLLBACK")
    stranger.close()
    assert await db.write(insert, "c") == "c"


async def test_closing_leaves_one_file(db: Engine, tmp_path: Path) -> None:
    await asyncio.gather(*(db.write(insert, f"{i}") for i in range(100)))
    assert (tmp_path / "wellio.db-wal").exists()
    await db.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["wellio.db", "wellio.lock"]


async def test_a_backup_under_writing_is_whole(db: Engine, tmp_path: Path) -> None:
    async def pair(tx: Tx, number: int) -> None:
        await insert(tx, f"{number}-a")
        await insert(tx, f"{number}-b")

    writes = [asyncio.create_task(db.write(pair, number)) for number in range(300)]
    await writes[50]
    target = tmp_path / "copy.db"
    assert await db.backup(target)
    await asyncio.gather(*writes)
    copy = sqlite3.connect(target)
    found = {row[0] for row in copy.execute("SELECT id FROM t")}
    copy.close()
    assert target.stat().st_mode & 0o077 == 0
    assert len(found) >= 100
    assert {f"{number}-{x}" for number in range(51) for x in "ab"} <= found
    assert all(f"{name[:-1]}b" in found for name in found)


async def make_tables(tx: Tx) -> None:
    await make_table(tx)
    for name in ("another", "third"):
        await tx.execute(f"CREATE TABLE {name} (id {{int}})")


def killed(folder: Path, to: Path) -> Path:
    """Return a folder as a kill would leave it now."""
    return Path(shutil.copytree(folder, to))


@pytest.mark.parametrize("kind", ["copy of a stop", "copy by SQLite", "VACUUM INTO"])
async def test_a_log_that_was_left_beside_a_restored_file_is_refused(
    tmp_path: Path, kind: str
) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup.db"
    first = await connect(None, data_dir=data)
    await first.write_schema(make_tables)
    await first.write(insert, "old")
    if kind == "copy of a stop":
        await first.close()
        shutil.copy(data / "wellio.db", backup)
        first = await connect(None, data_dir=data)
    elif kind == "copy by SQLite":
        await first.backup(backup)
    else:
        with closing(sqlite3.connect(data / "wellio.db")) as stranger:
            stranger.execute("VACUUM INTO ?", (str(backup),))
    for number in range(50):
        await first.write(insert, f"new {number}")
    left = killed(data, tmp_path / "left")
    await first.close()

    again = await connect(None, data_dir=killed(left, tmp_path / "again"))
    assert len(await ids(again)) == 51  # after a kill alone, the log is its file's
    await again.close()
    shutil.copy(backup, left / "wellio.db")
    for _ in range(2):
        with pytest.raises(
            DatabaseError, match=r"wellio\.db-wal is not the log of .* move"
        ) as caught:
            await connect(None, data_dir=left)
        assert str(left) in str(caught.value)
    for name in ("wellio.db-wal", "wellio.db-shm"):
        (left / name).rename(tmp_path / name)
    restored = await connect(None, data_dir=left)
    assert await ids(restored) == ["old"]
    await restored.close()


async def test_a_kill_at_any_step_of_a_start_leaves_the_files_own_log(tmp_path: Path) -> None:
    """Else a practice would be refused its own log: nothing is worse than that."""
    data = tmp_path / "data"
    steps: list[Path] = []
    for _ in range(2):
        db = await connect(None, data_dir=data)
        steps.append(killed(data, tmp_path / f"opened {len(steps)}"))
        for table in ("a", "b"):

            async def make(tx: Tx, name: str = table, number: int = len(steps)) -> None:
                await tx.execute(f"CREATE TABLE {name}{number} (id {{int}})")

            await db.write_schema(make)
            steps.append(killed(data, tmp_path / f"{table} {len(steps)}"))
        await db.close()
    for folder in steps:
        assert (folder / "wellio.db-mark").exists() is not folder.name.startswith("opened")
        await (await connect(None, data_dir=folder)).close()


async def test_a_body_that_loses_the_shared_transaction_loses_no_one_else(tmp_path: Path) -> None:
    """An interrupted INSERT makes SQLite roll back the whole transaction, not the savepoint."""
    spin = """
        WITH RECURSIVE spin (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM spin WHERE i < 1000000000)
        INSERT INTO t (id, n) SELECT 'spun', count(*) FROM spin
    """
    runs: list[str] = []

    async def batch(tx: Tx, items: Sequence[str]) -> Sequence[str | Exception]:
        for item in items:
            runs.append(item)
            if item == "bomb":
                await tx.execute(spin)
            await insert(tx, item)
        return [Conflict(item) if item == "no" else item for item in items]

    db = await connect(None, data_dir=tmp_path, deadline_s=1.0)
    await db.write_schema(make_table)
    outcomes = await asyncio.gather(
        *(db.write(insert, x) for x in "aab"),
        *(db.write_batched(batch, x) for x in ["c", "bomb", "no", "d"]),
        db.write(insert, "e"),
        return_exceptions=True,
    )
    assert [o for o in outcomes if isinstance(o, str)] == ["a", "b", "c", "d", "e"]
    assert [type(outcomes[i]) for i in (1, 4, 5)] == [
        ConstraintViolation,
        DatabaseDeadline,
        Conflict,
    ]
    assert await ids(db) == ["a", "b", "c", "d", "e", "no"]
    assert runs.count("c") == 3  # with the bomb, alone, and again when the bomb alone undid that
    await db.close()
