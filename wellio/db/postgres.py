"""Postgres: the same bodies, each on one pooled connection, run again when the server asks for it.

Durable means that the server flushed the commit record: `synchronous_commit` is made sure of on
every connection. Nothing sets session state, so the pool's reset is a no-op.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec, Self, TypeVar

import asyncpg

from wellio.errors import DatabaseError, OutcomeUnknown, Unavailable
from wellio.observe.examinations.examination import Examination, refuse

from .base import Row, Tx, closing, failed_before, overloaded, too_long
from .batch import Batcher
from .dialect import POSTGRES
from .lock import FolderLock
from .postgres_examination import PostgresExaminations
from .postgres_pool import SESSION, open_pool
from .postgres_tx import (
    DRIVER,
    UNDONE,
    Connection,
    PostgresTx,
    drive,
    is_lost,
    may_run_again,
    translate,
)
from .write_hook import current_write_hook, run_alone, run_with

LOG = logging.getLogger(__name__)

T = TypeVar("T")
P = ParamSpec("P")
Item = TypeVar("Item")
Result = TypeVar("Result")

_ATTEMPTS: Final = 4  # the first and three more
_WAIT_S: Final = 5.0  # for a free connection
_ORDER_S: Final = 1.0  # how long a callback waits for that of an earlier commit
_READ_S: Final = 10.0
_END_S: Final = 5.0  # for COMMIT or ROLLBACK
_BEGIN: Final = "BEGIN ISOLATION LEVEL READ COMMITTED"
_BEGIN_SCHEMA: Final = f"""
    {_BEGIN}; SET LOCAL lock_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;
    SELECT pg_advisory_xact_lock({0x57656C6C696F})
"""  # the number is "Wellio"


def _outcome_unknown() -> Unavailable:
    return OutcomeUnknown(retry_after_s=1)


class _Again(Exception):
    """The transaction was undone and may be run again; the argument is why."""


class PostgresDatabase:
    """The engine of a practice that has a database server, or several Wellio processes."""

    engine: Final = "postgres"

    def __init__(
        self,
        pool: asyncpg.Pool,
        lock: FolderLock,
        *,
        pool_size: int,
        max_queue: int,
        deadline_s: float,
    ) -> None:
        self._pool = pool
        self._pool_size = pool_size
        self._lock = lock
        self._max_queue = max_queue
        self._deadline_s = deadline_s
        self._pending = 0
        self._is_closing = False
        self._drained = asyncio.Event()
        self._last_commit = asyncio.get_running_loop().create_future()
        self._last_commit.set_result(None)
        self._batcher = Batcher(self._write)

    @classmethod
    async def open(
        cls, url: str, *, folder: Path, pool_size: int, max_queue: int, deadline_s: float
    ) -> Self:
        """Connect, with the data folder locked: it names the node that leases jobs and cursors.

        Raises:
            DatabaseError: The server cannot be reached, or is none that keeps what it is given and
                serves as many as it must; or another Wellio has the folder.
        """
        lock = FolderLock(folder)
        try:
            pool = await open_pool(url, pool_size)
            try:
                opened = cls(
                    pool, lock, pool_size=pool_size, max_queue=max_queue, deadline_s=deadline_s
                )
                await refuse(opened.examinations(), DatabaseError)
            except BaseException:
                pool.terminate()
                raise
        except BaseException:
            lock.release()
            raise
        return opened

    async def write(
        self, fn: Callable[Concatenate[Tx, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a body in a transaction and return its result once that is durable."""
        with self._admitted():
            if (write_hook := current_write_hook()) is None:
                return await self._write(fn, *args, **kwargs)
            result: T = await self._write(run_with, write_hook, fn, args, kwargs)
            return result

    async def write_batched(
        self,
        fn: Callable[[Tx, Sequence[Item]], Awaitable[Sequence[Result | Exception]]],
        item: Item,
    ) -> Result:
        """Run a body over all the items that wait for it, in one transaction."""
        result: Result
        if current_write_hook() is None:
            with self._admitted():
                result = await self._batcher.submit(fn, item)
        else:
            result = await self.write(run_alone, fn, item)
        return result

    async def write_schema(
        self, fn: Callable[Concatenate[Tx, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a body alone under the migration lock, without a deadline."""
        try:
            return await self._attempt(lambda tx: fn(tx, *args, **kwargs), is_schema=True)
        except _Again as again:
            raise translate(again.args[0]) from again.args[0]

    async def fetch_one(self, sql: str, **params: Any) -> Row | None:
        """Return the first row of a read outside any transaction, or None."""
        statement = POSTGRES.statement(sql)
        arguments = statement.positional(params)
        row: Row | None = await self._read(self._pool.fetchrow(statement.text, *arguments))
        return row

    async def fetch_all(self, sql: str, **params: Any) -> list[Row]:
        """Return all rows of a read outside any transaction."""
        statement = POSTGRES.statement(sql)
        arguments = statement.positional(params)
        rows: list[Row] = await self._read(self._pool.fetch(statement.text, *arguments))
        return rows

    async def ping(self) -> None:
        """Raise Unavailable unless the server can write: it commits a little something."""
        await self.write(_touch)

    async def backup(self, target: Path) -> bool:
        """Do nothing: a server's backup is pg_dump's or its archive's business."""
        return False

    def examinations(self) -> Sequence[Examination]:
        """Return what is looked at of the server, its settings and the way there."""
        return PostgresExaminations(self, self._pool, self._pool_size, SESSION).all()

    async def close(self) -> None:
        """Finish the writes under way, close the pool, and let the folder go."""
        self._is_closing = True
        await self._batcher.close()
        if self._pending:
            await self._drained.wait()
        try:
            async with asyncio.timeout(_END_S):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()
        self._lock.release()

    # -- how a body runs

    @contextmanager
    def _admitted(self) -> Iterator[None]:
        """Count a write that waits or runs; refuse it if there are too many, or at the end."""
        if self._is_closing:
            raise closing()
        if self._pending >= self._max_queue:
            raise overloaded()
        self._pending += 1
        try:
            yield
        finally:
            self._pending -= 1
            if self._is_closing and not self._pending:
                self._drained.set()

    async def _write(self, fn: Callable[..., Awaitable[T]], *args: Any, **kwargs: Any) -> T:
        for attempt in range(_ATTEMPTS):
            try:
                return await self._attempt(lambda tx: fn(tx, *args, **kwargs))
            except _Again as again:
                reason: Exception = again.args[0]
            await asyncio.sleep(random.uniform(0.01, 0.03) * 3**attempt)  # noqa: S311 - jitter
        raise translate(reason) from reason

    async def _attempt(self, body: Callable[[Tx], Awaitable[T]], *, is_schema: bool = False) -> T:
        connection = await self._acquire()
        try:
            tx = PostgresTx(connection)
            try:
                async with asyncio.timeout(None if is_schema else self._deadline_s) as deadline:
                    await tx.begin(_BEGIN_SCHEMA if is_schema else _BEGIN)
                    result: T = await drive(body(tx), tx)
                    if tx.failure is not None:
                        raise failed_before()
            except BaseException as error:
                await _roll_back(connection)
                if isinstance(error, TimeoutError) and deadline.expired():
                    raise too_long() from error
                if isinstance(error, Exception) and may_run_again(tx.failure):
                    raise _Again(tx.failure) from error
                raise
            await _settle(asyncio.ensure_future(self._commit(connection, tx)))
            return result
        finally:
            await self._give_back(connection)

    async def _commit(self, connection: Connection, tx: PostgresTx) -> None:
        """Commit, then call back in the order in which commits were sent.

        A transaction that saw another's commit sent its own later, whoever is answered first.
        """
        if _is_gone(connection):
            raise _Again(ConnectionResetError("lost before the commit was sent"))
        earlier, self._last_commit = self._last_commit, asyncio.get_running_loop().create_future()
        mine = self._last_commit
        try:
            await _send_commit(connection)
            if not earlier.done():
                await asyncio.wait({earlier}, timeout=_ORDER_S)
            for fn, args in tx.callbacks:
                try:
                    fn(*args)
                except Exception:
                    LOG.exception("a callback after a commit failed")
        finally:
            mine.set_result(None)

    async def _acquire(self) -> Connection:
        try:
            async with asyncio.timeout(_WAIT_S):
                return await self._pool.acquire()
        except TimeoutError:
            raise overloaded() from None
        except DRIVER as error:
            raise _Again(error) from error

    async def _give_back(self, connection: Connection) -> None:
        try:
            await self._pool.release(connection, timeout=_END_S)
        except DRIVER:  # it died meanwhile: asyncpg took its place in the pool back already
            LOG.debug("a lost connection could not be released", exc_info=True)

    async def _read(self, operation: Coroutine[Any, Any, Any]) -> Any:
        if self._is_closing:
            operation.close()
            raise closing()
        try:
            async with asyncio.timeout(_READ_S):
                return await operation
        except TimeoutError:
            raise Unavailable("The database did not answer.", retry_after_s=2) from None
        except DRIVER as error:
            raise translate(error) from error


async def _send_commit(connection: Connection) -> None:
    try:
        await connection.execute("COMMIT", timeout=_END_S)
    except Exception as error:
        if isinstance(error, UNDONE):
            raise _Again(error) from error
        if isinstance(error, asyncpg.PostgresError) and not is_lost(error):
            raise translate(error) from error  # the server said no
        _drop(connection)
        raise _outcome_unknown() from error


async def _settle(commit: asyncio.Future[None]) -> None:
    """Wait for a commit, also when the caller goes away: what it wrote has listeners."""
    try:
        await asyncio.shield(commit)
    except asyncio.CancelledError:
        while not commit.done():
            try:
                await asyncio.wait({commit})
            except asyncio.CancelledError:
                continue
        commit.exception()  # nobody is left to hear it
        raise


async def _roll_back(connection: Connection) -> None:
    if _is_gone(connection):
        return
    try:
        await connection.execute("ROLLBACK", timeout=_END_S)
    except DRIVER:
        _drop(connection)
    except asyncio.CancelledError:
        _drop(connection)
        raise


def _is_gone(connection: Connection) -> bool:
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:  # it closed, and the pool took it back at once
        return True


def _drop(connection: Connection) -> None:
    if not _is_gone(connection):
        connection.terminate()


async def _touch(tx: Tx) -> None:
    await tx.fetch_one("SELECT pg_current_xact_id()")  # takes a number, so the commit is logged
