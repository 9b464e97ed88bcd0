"""SQLite: one writer thread, a few readers, one data folder that nobody else serves.

Durable means `journal_mode=WAL` with `synchronous=FULL`: a result is out only after its fsync.
"""

import asyncio
import logging
import os
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextvars import copy_context
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec, Self, TypeVar
from urllib.parse import quote

from wellio.errors import DatabaseError
from wellio.files.durability import sync_folder
from wellio.observe.examinations.examination import Examination

from .base import Row, Tx, closing, overloaded
from .lock import FolderLock
from .sqlite_examination import of_sqlite
from .sqlite_log import LogMark
from .sqlite_reader import BUSY_S, CACHED_STATEMENTS, LIKE_AS_ON_POSTGRES, Readers
from .write_hook import current_write_hook, run_alone, run_with
from .writer import Request, Writer

LOG = logging.getLogger(__name__)

T = TypeVar("T")
P = ParamSpec("P")
Item = TypeVar("Item")
Result = TypeVar("Result")

_WRITER: Final = (
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA mmap_size = 0",
    "PRAGMA journal_size_limit = 67108864",
    "PRAGMA cache_size = -16384",
    # 12 MB: what many commits changed is copied once, and nobody waits long for the copying.
    "PRAGMA wal_autocheckpoint = 3000",
    "PRAGMA temp_store = MEMORY",  # what a savepoint would undo needs no file
    LIKE_AS_ON_POSTGRES,
)


class SqliteDatabase:
    """The engine of a practice that has no database server."""

    engine: Final = "sqlite"

    def __init__(self, path: Path, lock: FolderLock, max_queue: int) -> None:
        self._path = path
        self._mark = LogMark(path)
        self._lock = lock
        self._max_queue = max_queue
        self._pending = 0
        self._is_closing = False
        self._readers = Readers(path)
        self._writer: Writer

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        lock: FolderLock,
        readers: int,
        max_queue: int,
        deadline_s: float,
        pragmas: Sequence[str] = (),
    ) -> Self:
        """Open the file, made if need be; its folder is locked until it is closed.

        Raises:
            DatabaseError: The file cannot be used, or another file's log lies beside it.
        """
        database = cls(path, lock, max_queue)
        try:
            database._mark.refuse_left_over()
            connection = _open_writer(path)
            for pragma in pragmas:
                connection.execute(pragma)
            database._writer = Writer(connection, database._release, deadline_s, database._mark.set)
            database._writer.start()
            await database._readers.open(readers)
        except BaseException as error:
            await database.close()
            if isinstance(error, sqlite3.Error):
                raise DatabaseError(f"cannot open {path}: {error}") from error
            raise
        return database

    async def write(
        self, fn: Callable[Concatenate[Tx, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a body in a transaction and return its result once that is on the disk."""
        result: T
        if (write_hook := current_write_hook()) is None:
            result = await self._submit(fn, args, kwargs)
        else:
            result = await self._submit(run_with, (write_hook, fn, args, kwargs), {})
        return result

    async def write_batched(
        self,
        fn: Callable[[Tx, Sequence[Item]], Awaitable[Sequence[Result | Exception]]],
        item: Item,
    ) -> Result:
        """Run a body over all the items that wait for it, in one transaction."""
        result: Result
        if current_write_hook() is None:
            result = await self._submit(fn, (item,), {}, is_batched=True)
        else:
            result = await self.write(run_alone, fn, item)
        return result

    async def write_schema(
        self, fn: Callable[Concatenate[Tx, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a body alone, without a deadline, foreign keys checked at its end."""
        await asyncio.to_thread(self._mark.widen)
        result: T = await self._submit(fn, args, kwargs, is_schema=True)
        [row] = await self.fetch_all("PRAGMA schema_version")
        await asyncio.to_thread(self._mark.narrow, row[0])
        return result

    async def fetch_one(self, sql: str, **params: Any) -> Row | None:
        """Return the first row of a read outside any transaction, or None."""
        rows = await self.fetch_all(sql, **params)
        return rows[0] if rows else None

    async def fetch_all(self, sql: str, **params: Any) -> list[Row]:
        """Return all rows of a read outside any transaction."""
        if self._is_closing:
            raise closing()
        return await self._readers.fetch_all(sql, params)

    async def ping(self) -> None:
        """Raise Unavailable unless the database can be written: it commits a little something."""
        await self.write(_touch)

    async def backup(self, target: Path) -> bool:
        """Copy the database to a file, also while it is written."""
        await asyncio.to_thread(_copy, self._path, target)
        return True

    async def flush(self) -> None:
        """Bring everything into the file and empty the log, where deleted content would stay.

        Raises:
            Unavailable: Somebody reads at present, or the disk refuses.
        """
        await self._submit(_nothing, (), {}, is_flush=True)

    def examinations(self) -> Sequence[Examination]:
        """Return what is looked at of the file and of how it is written."""
        return of_sqlite(self)

    async def close(self) -> None:
        """Finish the writes that wait, checkpoint, and let the folder go."""
        if self._is_closing:
            return
        self._is_closing = True
        await self._readers.close()  # first: the last checkpoint wants nobody reading
        if hasattr(self, "_writer"):
            self._writer.stop()
            await asyncio.to_thread(self._writer.join)
            await asyncio.to_thread(self._mark.remove)
        self._lock.release()

    def _submit(
        self,
        fn: Callable[..., Awaitable[Any]],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        *,
        is_batched: bool = False,
        is_schema: bool = False,
        is_flush: bool = False,
    ) -> asyncio.Future[Any]:
        if self._is_closing:
            raise closing()
        if self._pending >= self._max_queue:
            raise overloaded()
        self._pending += 1
        future = asyncio.get_running_loop().create_future()
        self._writer.submit(
            Request(
                fn,
                args,
                kwargs,
                future,
                copy_context(),
                is_batched=is_batched,
                is_schema=is_schema,
                is_flush=is_flush,
            )
        )
        return future

    def _release(self, requests: list[Request]) -> None:
        """After a commit, on the event loop and in commit order: callbacks, then the callers."""
        self._pending -= len(requests)
        for request in requests:
            for fn, args in request.callbacks:
                try:
                    fn(*args)
                except Exception:
                    LOG.exception("a callback after a commit failed")
            if request.future.done():  # its caller went away; what it wrote stays
                continue
            if request.error is not None:
                request.future.set_exception(request.error)
            else:
                request.future.set_result(request.result)


async def _nothing(tx: Tx) -> None:
    """Stand for a body where there is none."""


async def _touch(tx: Tx) -> None:
    await tx.execute("PRAGMA user_version = 0")  # rewrites the first page, so it must reach the log


def _open_writer(path: Path) -> sqlite3.Connection:
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        sync_folder(path.parent)  # SQLite syncs the file, not the entry that leads to it
    connection = sqlite3.connect(
        path,
        timeout=BUSY_S,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=CACHED_STATEMENTS,
    )
    connection.row_factory = sqlite3.Row
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        connection.close()
        raise DatabaseError(f"{path} stands on a file system without WAL (journal mode {mode})")
    for pragma in _WRITER:
        connection.execute(pragma)
    return connection


def _copy(source: Path, target: Path) -> None:
    """Copy with SQLite's online backup; the target appears only when it is whole and synced."""
    part = target.with_name(target.name + ".part")
    reader = sqlite3.connect(f"file:{quote(str(source))}?mode=ro", uri=True)
    writer = sqlite3.connect(part)
    try:
        reader.backup(writer)
    finally:
        writer.close()
        reader.close()
    part.chmod(0o600)
    part.replace(target)
    sync_folder(target.parent)
