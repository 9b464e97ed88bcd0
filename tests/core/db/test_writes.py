"""What `write` and `write_batched` promise, on both engines."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest

from tests.core.db.conftest import ids, insert, one
from wellio.db import connect, postgres
from wellio.db.base import Engine, Tx
from wellio.errors import Conflict, ConstraintViolation, DatabaseError, Unavailable
from wellio.testing import DEADLINE_S
from wellio.testing.engines import Databases

SPIN = """
    WITH RECURSIVE spin (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM spin WHERE i < 1000000000)
    SELECT count(*) AS n FROM spin
"""

WHO: ContextVar[str] = ContextVar("who", default="nobody")


async def refuse(tx: Tx, row_id: str) -> None:
    await insert(tx, row_id)
    raise Conflict("no")


async def test_bodies_that_fail_take_only_their_own_work_back(db: Engine) -> None:
    outcomes = await asyncio.gather(
        db.write(insert, "a"),
        db.write(refuse, "b"),
        db.write(insert, "a"),
        db.write(insert, "c"),
        db.write(insert, "d", -1),
        db.write(insert, row_id="e", n=5),
        return_exceptions=True,
    )
    kinds = [type(outcome) for outcome in outcomes]
    # On Postgres either of the two that insert "a" may be first; exactly one is.
    assert {kinds.pop(2), kinds.pop(0)} == {str, ConstraintViolation}
    assert kinds == [Conflict, str, ConstraintViolation, str]
    assert await ids(db) == ["a", "c", "e"]


async def test_a_body_reads_what_it_wrote_and_a_read_sees_what_was_acknowledged(db: Engine) -> Any:
    async def body(tx: Tx) -> Any:
        await insert(tx, "a", 3)
        return (await one(tx, "SELECT n FROM t WHERE id = :id", id="a"))["n"]

    assert await db.write(body) == 3
    for number in range(20):
        await db.write(insert, f"b{number}")
        assert f"b{number}" in await ids(db)


async def test_a_body_sees_its_callers_context_and_a_batch_nobodys(db: Engine) -> None:
    async def who(tx: Tx) -> str:
        return WHO.get()

    async def each(tx: Tx, items: Sequence[str]) -> Sequence[str]:
        return [WHO.get() for _ in items]

    async def call(name: str) -> list[str]:
        WHO.set(name)
        return [await db.write(who), await db.write_batched(each, name)]

    said = await asyncio.gather(*(asyncio.create_task(call(name)) for name in "abc"))
    assert said == [[name, "nobody"] for name in "abc"]


async def test_callbacks_run_only_after_a_commit_in_its_order_and_before_the_caller(
    db: Engine,
) -> None:
    heard: list[Any] = []

    async def body(tx: Tx, row_id: str) -> None:
        tx.after_commit(heard.append, f"{row_id} committed")
        tx.after_commit(heard.append, f"{row_id} again")
        await insert(tx, row_id)
        assert f"{row_id} committed" not in heard

    async def caller(row_id: str) -> None:
        await db.write(body, row_id)
        heard.append(f"{row_id} returned")

    await db.write(insert, "b")
    await asyncio.gather(*(caller(x) for x in "abc"), return_exceptions=True)
    assert [line for line in heard if line[0] == "b"] == []
    for row_id in "ac":
        mine = [line.partition(" ")[2] for line in heard if line[0] == row_id]
        assert mine == ["committed", "again", "returned"]


async def test_callbacks_of_many_writers_come_in_the_order_of_their_commits(db: Engine) -> None:
    heard: list[Any] = []
    await db.write(insert, "counter", 0)

    async def count(tx: Tx) -> None:
        row = await one(tx, "UPDATE t SET n = n + 1 WHERE id = 'counter' RETURNING n")
        tx.after_commit(heard.append, row["n"])

    await asyncio.gather(*(db.write(count) for _ in range(100)))
    assert heard == list(range(1, 101))


@pytest.mark.parametrize("engine_name", ["postgres"], indirect=True)  # SQLite has one writer
async def test_a_commit_that_is_answered_late_is_called_back_first(
    db: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hold the answer to a commit until one that came after it is answered."""
    send, answered, sent = postgres._send_commit, asyncio.Event(), 0  # noqa: SLF001 - the wire's place
    heard: list[Any] = []

    async def held(connection: Any) -> None:
        nonlocal sent
        sent += 1
        is_first = sent == 1
        await send(connection)
        if is_first:
            await answered.wait()
        else:
            answered.set()

    async def count(tx: Tx) -> None:
        row = await one(tx, "UPDATE t SET n = n + 1 WHERE id = 'counter' RETURNING n")
        tx.after_commit(heard.append, row["n"])

    await db.write(insert, "counter", 0)
    monkeypatch.setattr(postgres, "_send_commit", held)
    async with asyncio.timeout(DEADLINE_S):
        await asyncio.gather(db.write(count), db.write(count))
    assert heard == [1, 2]


async def test_a_callback_that_raises_reaches_nobody_but_the_log(
    db: Engine, caplog: pytest.LogCaptureFixture
) -> Any:
    def fail() -> None:
        raise ZeroDivisionError

    async def body(tx: Tx) -> Any:
        tx.after_commit(fail)
        await insert(tx, "a")
        return "fine"

    assert await db.write(body) == "fine"
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize(
    "wait",
    [
        lambda: asyncio.sleep(0),
        lambda: asyncio.sleep(0.01),
        lambda: asyncio.to_thread(time.monotonic),
        lambda: asyncio.Event().wait(),
    ],
    ids=["yield", "sleep", "thread", "event"],
)
async def test_a_body_may_await_nothing_but_its_tx(
    db: Engine, wait: Callable[[], Awaitable[object]]
) -> None:
    async def body(tx: Tx) -> None:
        await insert(tx, "a")
        await wait()

    with pytest.raises(DatabaseError, match="nothing but its tx"):
        await db.write(body)
    assert await ids(db) == []


async def test_a_body_may_not_pass_over_a_statement_that_failed(db: Engine) -> Any:
    async def stubborn(tx: Tx) -> None:
        try:
            await insert(tx, "a", -1)
        except ConstraintViolation:
            await insert(tx, "b")

    async def careless(tx: Tx) -> Any:
        await insert(tx, "c")
        try:
            await insert(tx, "d", -1)
        except ConstraintViolation:
            return "done"

    async def polite(tx: Tx) -> None:
        try:
            await insert(tx, "a", -1)
        except ConstraintViolation as error:
            raise Conflict(code=error.kind) from error

    for body in (stubborn, careless):
        with pytest.raises(DatabaseError, match="a statement of this body failed"):
            await db.write(body)
    with pytest.raises(Conflict) as caught:
        await db.write(polite)
    assert caught.value.code == "check"
    assert await ids(db) == []


async def test_a_body_that_takes_too_long_is_cut_short_and_others_go_on(
    databases: Databases,
) -> None:
    async def slow(tx: Tx) -> None:
        await insert(tx, "slow")
        await tx.fetch_all(SPIN)

    async def slow_write(tx: Tx) -> None:
        await tx.execute("INSERT INTO t (id, n) SELECT 'spun', n FROM (" + SPIN + ") AS spun")

    async with databases.open(deadline_s=1.0) as db:
        outcomes = await asyncio.gather(
            *(db.write(insert, "a"), db.write(slow), db.write(insert, "b")),
            *(db.write(slow_write), db.write(insert, "c")),
            return_exceptions=True,
        )
        assert [outcomes[0], outcomes[2], outcomes[4]] == ["a", "b", "c"]
        for outcome in (outcomes[1], outcomes[3]):
            assert isinstance(outcome, Unavailable)
            assert outcome.code == "database_deadline"
        assert await ids(db) == ["a", "b", "c"]


async def test_a_deadline_holds_between_statements_too(databases: Databases) -> None:
    async def busy(tx: Tx) -> None:
        await insert(tx, "a")
        until = time.monotonic() + 0.2
        while time.monotonic() < until:
            await tx.fetch_one("SELECT 1")
        await insert(tx, "b")

    async with databases.open(deadline_s=0.1) as db:
        with pytest.raises(Unavailable):
            await db.write(busy)
        assert await ids(db) == []


async def test_a_cancelled_caller_takes_nobody_along(db: Engine) -> None:
    heard: list[Any] = []

    async def body(tx: Tx, row_id: str) -> None:
        tx.after_commit(heard.append, row_id)
        await insert(tx, row_id)

    tasks = [asyncio.create_task(db.write(body, f"{i:03}")) for i in range(50)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await db.write(insert, "last")
    written = set(await ids(db))
    assert {f"{i:03}" for i in range(1, 50, 2)} <= written
    assert set(heard) == written - {"last"}  # whatever was written was also heard of


async def test_a_full_queue_refuses_with_a_time_to_come_back(databases: Databases) -> None:
    async with databases.open(max_queue=10) as db:
        outcomes = await asyncio.gather(
            *(db.write(insert, f"{i:02}") for i in range(15)), return_exceptions=True
        )
        refused = [o for o in outcomes if isinstance(o, Exception)]
        assert len(refused) == 5
        assert all(isinstance(o, Unavailable) and o.headers["Retry-After"] for o in refused)
        assert len(await ids(db)) == 10
        assert await db.write(insert, "later") == "later"


# -- write_batched


class Appender:
    """A batched body that remembers its calls."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    async def append(self, tx: Tx, items: Sequence[str]) -> Any:
        self.calls.append(list(items))
        await tx.execute_many("INSERT INTO t (id, n) VALUES (:id, 0)", [{"id": i} for i in items])
        tx.after_commit(self.calls.append, ["committed"])
        return [item.upper() for item in items]

    async def judge(self, tx: Tx, items: Sequence[str]) -> Any:
        accepted = [item for item in items if not item.startswith("bad")]
        await self.append(tx, accepted)
        return [item if item in accepted else Conflict(item) for item in items]


async def test_items_that_wait_together_share_a_body_in_their_order(db: Engine) -> None:
    appender = Appender()
    names = [f"{i:03}" for i in range(200)]
    results = await asyncio.gather(
        *(db.write_batched(appender.append, name) for name in names),
    )
    assert results == [name.upper() for name in names]
    batches = [call for call in appender.calls if call != ["committed"]]
    assert [name for batch in batches for name in batch] == names
    assert max(map(len, batches)) <= 64
    assert len(batches) < 20
    assert appender.calls.count(["committed"]) == len(batches)


async def test_an_exception_in_the_result_is_its_items_alone(db: Engine) -> None:
    appender = Appender()
    items = ["a", "bad1", "b", "bad2"]
    outcomes = await asyncio.gather(
        *(db.write_batched(appender.judge, item) for item in items), return_exceptions=True
    )
    assert [str(o) for o in outcomes] == items
    assert await ids(db) == ["a", "b"]


async def test_an_item_that_makes_the_body_raise_fails_alone(db: Engine) -> None:
    appender = Appender()
    await db.write(insert, "taken")
    outcomes = await asyncio.gather(
        *(db.write_batched(appender.append, x) for x in ["a", "taken", "b", "a", "c"]),
        return_exceptions=True,
    )
    assert [type(o) for o in outcomes] == [
        *(str, ConstraintViolation, str, ConstraintViolation, str)
    ]
    assert await ids(db) == ["a", "b", "c", "taken"]
    assert appender.calls.count(["committed"]) == 3


async def test_a_batch_of_the_wrong_length_is_an_error_for_each(db: Engine) -> Any:
    async def forgetful(tx: Tx, items: Sequence[str]) -> Any:
        return []

    outcomes = await asyncio.gather(
        *(db.write_batched(forgetful, x) for x in "ab"), return_exceptions=True
    )
    assert all(isinstance(o, DatabaseError) for o in outcomes)


async def test_batches_of_different_bodies_keep_apart(db: Engine) -> None:
    first, second = Appender(), Appender()
    await asyncio.gather(
        *(db.write_batched((first if i % 2 else second).append, f"{i:02}") for i in range(40)),
        *(db.write(insert, f"w{i:02}") for i in range(40)),
    )
    assert [name for call in first.calls for name in call if name != "committed"] == [
        f"{i:02}" for i in range(1, 40, 2)
    ]
    assert len(await ids(db)) == 80


# -- the end


async def test_closing_finishes_what_waits_and_refuses_what_comes(databases: Databases) -> None:
    url, data_dir = await databases.create()
    db = await connect(url, data_dir=data_dir)
    writes = [asyncio.create_task(db.write(insert, f"{i:02}")) for i in range(30)]
    batched = [asyncio.create_task(db.write_batched(Appender().append, x)) for x in "xyz"]
    await asyncio.sleep(0)
    await db.close()
    assert [await write for write in writes] == [f"{i:02}" for i in range(30)]
    assert [await write for write in batched] == ["X", "Y", "Z"]
    for call in (db.write(insert, "no"), db.fetch_all("SELECT 1"), db.fetch_one("SELECT 1")):
        with pytest.raises(Unavailable):
            await call
    await db.close()
    db = await connect(url, data_dir=data_dir)
    assert len(await ids(db)) == 33
    await db.close()
    await databases.drop(url)


async def written(db: Engine, folder: Path) -> object:
    """Return what differs once something was committed: the log, or the number of transactions."""
    if db.engine == "sqlite":
        return [path.read_bytes() for path in sorted(folder.rglob("*.db-wal"))]
    number = "CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text)"
    return (await one(db, f"SELECT {number} AS n"))["n"]


async def test_ping_writes(db: Engine, tmp_path: Path) -> None:
    await db.write(insert, "a")
    before = await written(db, tmp_path)
    assert await written(db, tmp_path) == before  # reading is not what it sees
    await db.ping()
    assert await written(db, tmp_path) != before
    assert await ids(db) == ["a"]
