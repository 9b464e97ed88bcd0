"""Postgres' own dangers: conflicts that ask for another try, and a server that goes away."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.core.db.conftest import ids, insert, make_table, one
from wellio.db import connect
from wellio.db.base import Engine, Tx
from wellio.db.lock import FolderLock
from wellio.errors import DatabaseError, Unavailable
from wellio.testing import DEADLINE_S
from wellio.testing.engines import Databases, PostgresServer, postgres


@pytest.fixture
def databases(tmp_path: Path) -> Databases:
    return Databases("postgres", tmp_path, lambda engine: engine.write_schema(make_table))


@pytest.fixture
async def db(databases: Databases) -> AsyncIterator[Engine]:
    async with databases.open() as engine:
        yield engine


async def eventually(condition: Callable[[], Any]) -> None:
    """Wait for an async condition; it may raise Unavailable meanwhile."""
    until = time.monotonic() + DEADLINE_S
    while time.monotonic() < until:
        try:
            if await condition():
                return
        except Unavailable:
            pass
        await asyncio.sleep(0.02)
    pytest.fail("it did not happen in time")


async def backend(tx: Tx) -> int:
    return int((await one(tx, "SELECT pg_backend_pid()"))[0])


async def terminate(pid: int) -> None:
    killer = await asyncpg.connect(postgres().url())
    await killer.execute("SELECT pg_terminate_backend($1)", pid)
    await killer.close()


async def test_two_bodies_that_lock_each_other_out_both_succeed(db: Engine) -> None:
    runs: list[str] = []

    async def cross(tx: Tx, first: str, second: str) -> None:
        runs.append(first)
        await tx.execute("UPDATE t SET n = n + 1 WHERE id = :id", id=first)
        await tx.fetch_one("SELECT pg_sleep(0.1)")  # so that both hold their first row
        await tx.execute("UPDATE t SET n = n + 1 WHERE id = :id", id=second)

    await db.write(insert, "a")
    await db.write(insert, "b")
    await asyncio.gather(db.write(cross, "a", "b"), db.write(cross, "b", "a"))
    assert len(runs) > 2
    assert [row["n"] for row in await db.fetch_all("SELECT n FROM t")] == [2, 2]


async def test_a_serialization_failure_is_tried_again_three_times(db: Engine) -> None:
    runs: list[int] = []

    async def fail(tx: Tx, times: int) -> str:
        runs.append(times)
        await insert(tx, f"{times}-{len(runs)}")
        if len(runs) <= times:
            await tx.execute("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$")
        return "done"

    assert await db.write(fail, 3) == "done"
    assert await ids(db) == ["3-4"]
    runs.clear()
    with pytest.raises(Unavailable):
        await db.write(fail, 99)
    assert len(runs) == 4
    assert await ids(db) == ["3-4"]


async def test_a_backend_that_is_terminated_in_a_body_is_replaced_unseen(db: Engine) -> None:
    pids: list[int] = []

    async def body(tx: Tx) -> str:
        pids.append(await backend(tx))
        await insert(tx, f"{len(pids)}")
        if len(pids) == 1:
            await tx.fetch_one("SELECT pg_terminate_backend(pg_backend_pid())")
        return "done"

    assert await db.write(body) == "done"
    assert len(set(pids)) == 2
    assert await ids(db) == ["2"]


async def test_idle_connections_that_were_terminated_are_replaced_unseen(db: Engine) -> None:
    for round_ in range(5):
        await terminate(await db.write(backend))
        await db.write(insert, f"{round_}")
    await terminate(await db.write(backend))
    await eventually(lambda: ids(db))
    assert len(await ids(db)) == 5


async def test_a_connection_lost_during_the_commit_is_an_unknown_outcome(db: Engine) -> None:
    """A deferred trigger ends its own backend while COMMIT runs."""
    name = (await one(db, "SELECT current_database()"))[0]
    setup = await asyncpg.connect(postgres().url(name))
    await setup.execute(
        """
        CREATE FUNCTION end_it() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION end_it()
        """
    )
    heard: list[str] = []
    runs: list[str] = []

    async def body(tx: Tx) -> None:
        runs.append("ran")
        tx.after_commit(heard.append, "committed")
        await insert(tx, "a")

    with pytest.raises(Unavailable) as caught:
        await db.write(body)
    assert caught.value.code == "outcome_unknown"
    assert (runs, heard) == (["ran"], [])
    await setup.execute("DROP TRIGGER at_commit ON t")
    await setup.close()
    await db.write(body)
    assert heard == ["committed"]


async def test_every_connection_commits_durably(db: Engine) -> None:
    for _ in range(3):
        row = await one(
            db, "SELECT current_setting('synchronous_commit'), current_setting('fsync')"
        )
        assert tuple(row) == ("on", "on")


async def test_a_role_that_commits_carelessly_is_overruled(databases: Databases) -> None:
    url, data_dir = await databases.create()
    name = url.partition("?")[0].rpartition("/")[2]
    admin = await asyncpg.connect(postgres().url())
    await admin.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    await admin.close()
    db = await connect(url, data_dir=data_dir)
    assert (await one(db, "SHOW synchronous_commit"))[0] == "on"
    await db.close()
    await databases.drop(url)


@pytest.mark.parametrize(
    "url, where",
    [
        ("postgresql:///x?host={folder}&user=postgres", "its socket"),
        ("postgresql://u:s3cret@127.0.0.1:1/x", r"127\.0\.0\.1:1"),
        ("postgresql://u:s3cret@[::1]:1,localhost:1/x", r"\[::1\]:1, localhost:1"),
    ],
)
async def test_a_server_that_is_not_there_is_a_clear_error_and_leaves_nothing(
    tmp_path: Path, url: str, where: str
) -> None:
    with pytest.raises(DatabaseError, match=f"cannot connect to Postgres at {where}: ") as caught:
        await connect(url.format(folder=tmp_path), data_dir=tmp_path)
    assert "s3cret" not in str(caught.value)
    assert [*tmp_path.iterdir()] == []


def test_a_lock_of_somebody_else_stays(tmp_path: Path) -> None:
    held = FolderLock(tmp_path)
    with pytest.raises(DatabaseError, match="already serves"):
        FolderLock(tmp_path)
    assert (tmp_path / "wellio.lock").exists()
    held.release()
    assert not (tmp_path / "wellio.lock").exists()
    (tmp_path / "wellio.db").touch()
    FolderLock(tmp_path).release()
    assert (tmp_path / "wellio.lock").exists()


async def test_a_server_that_restarts_costs_nothing_but_a_few_refusals(tmp_path: Path) -> None:
    server = await asyncio.to_thread(PostgresServer)
    try:
        db = await connect(server.url(), data_dir=tmp_path)
        await db.write_schema(make_table)
        await restart_under_load(db, server)
        await db.close()
    finally:
        await asyncio.to_thread(server.stop)


async def restart_under_load(db: Engine, server: PostgresServer) -> None:
    acknowledged: list[str] = []
    is_over = False

    async def write_on(writer: int) -> None:
        number = 0
        while not is_over:
            number += 1
            name = f"{writer}-{number}"
            try:
                await db.write(insert, name)
            except Unavailable:
                await asyncio.sleep(0.05)
            else:
                acknowledged.append(name)

    async def wrote_more() -> bool:
        return len(acknowledged) > before + 50

    writers = [asyncio.create_task(write_on(writer)) for writer in range(8)]
    before = 0
    await eventually(wrote_more)
    await asyncio.to_thread(server.crash)
    with pytest.raises(Unavailable):
        await db.ping()
    with pytest.raises(Unavailable):
        await db.fetch_all("SELECT 1")
    await asyncio.to_thread(server.start)
    before = len(acknowledged)
    await eventually(wrote_more)
    is_over = True
    await asyncio.gather(*writers)  # raises if anybody saw anything but Unavailable
    assert set(acknowledged) <= set(await ids(db))


async def test_a_second_server_on_the_folder_is_refused_until_the_first_ends(
    databases: Databases,
) -> None:
    """It would have the first one's name, and take back the jobs that this one runs."""
    url, data_dir = await databases.create()
    first = await connect(url, data_dir=data_dir)
    for _ in range(2):
        with pytest.raises(DatabaseError, match="already serves"):
            await connect(url, data_dir=data_dir)
    await first.close()
    with pytest.raises(DatabaseError, match="cannot connect"):
        await connect(f"postgresql:///x?host={data_dir}&user=postgres", data_dir=data_dir)
    await (await connect(url, data_dir=data_dir)).close()
    await databases.drop(url)
