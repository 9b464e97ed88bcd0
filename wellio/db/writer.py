"""SQLite's one writer: a thread that owns the only connection which writes and checkpoints.

Bodies are driven here, without a thread hop per statement, in a transaction shared by all that wait
(group commit): one fsync for up to 64 bodies. Each is in a savepoint, apart from the first: it has
nothing before it to keep, and SQLite copies every page that a savepoint changes. Nobody hears of a
result before the commit that holds it.
"""

import asyncio
import logging
import sqlite3
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any, Final

from wellio.errors import DatabaseError, Unavailable

from .base import failed_before, not_only_tx, run_batch, too_long
from .commit_numbers import CommitNumbers
from .sqlite_errors import breaks, not_now, translate
from .writer_tx import WriterTx

LOG = logging.getLogger(__name__)

MAX_GROUP: Final = 64
MAX_GROUP_S: Final = 0.002
_FOREVER: Final = float("inf")
_OPS_BETWEEN_CHECKS: Final = 20_000  # SQLite's steps between two looks at the clock: about 1 ms


@dataclass(slots=True, eq=False)
class Request:
    """A body that waits, and what became of it."""

    fn: Callable[..., Awaitable[Any]]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    future: asyncio.Future[Any]
    context: Context  # the caller's, for a body that is not batched
    is_batched: bool = False  # args is one item; those of the same fn run as one body
    is_alone: bool = False  # batched, but its batch raised: now it runs by itself
    is_schema: bool = False
    is_flush: bool = False  # no body: the log is emptied into the file
    result: Any = None
    error: BaseException | None = None
    callbacks: Sequence[tuple[Callable[..., None], tuple[Any, ...]]] = ()

    @property
    def stands_alone(self) -> bool:
        """Return whether it shares no transaction with others."""
        return self.is_schema or self.is_flush


class Writer(Thread):
    """The thread. Give it requests with `submit`, end it with `stop`."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        release: Callable[[list[Request]], None],
        deadline_s: float,
        before_first: Callable[[sqlite3.Connection], None],
    ) -> None:
        """Prepare the thread.

        Args:
            connection: Its own from now on.
            release: Called on the event loop with the requests of a commit, in their order.
            deadline_s: How long one body may take.
            before_first: Called in the thread before anything is written.
        """
        super().__init__(name="wellio-writer", daemon=True)
        self._connection = connection
        self._numbers = CommitNumbers(connection)
        self._loop = asyncio.get_running_loop()
        self._release = release
        self._deadline_s = deadline_s
        self._before_first: Callable[[sqlite3.Connection], None] | None = before_first
        self._deadline = _FOREVER  # of the body that runs now
        self._waiting: deque[Request] = deque()
        self._wake = Event()
        self._is_idle = self._is_stopping = self._is_broken = False
        connection.set_progress_handler(self._is_late, _OPS_BETWEEN_CHECKS)

    def submit(self, request: Request) -> None:
        """Queue a request; from the event loop."""
        self._waiting.append(request)
        if self._is_idle:
            self._is_idle = False  # one call wakes the thread, for all that comes until it runs
            self._wake.set()

    def stop(self) -> None:
        """End the thread once everything that waits is done."""
        self._is_stopping = True
        self._wake.set()

    def run(self) -> None:
        """Serve requests until the end, then checkpoint and close."""
        asyncio._set_running_loop(_NoLoop())  # type: ignore[arg-type] # noqa: SLF001 - see its class
        while self._has_work():
            if self._is_broken:
                self._refuse([self._waiting.popleft()], _read_only())
            elif self._before_first is not None:
                self._prepare(self._before_first)
            elif self._waiting[0].is_flush:
                self._flush(self._waiting.popleft())
            elif self._waiting[0].is_schema:
                self._run_schema(self._waiting.popleft())
            else:
                self._run_group()
        try:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error:
            LOG.warning("the last checkpoint failed; the next start replays the log", exc_info=True)
        self._connection.close()

    def _has_work(self) -> bool:
        """Wait until somebody waits; False once the thread is to end."""
        while not self._waiting:
            if self._is_stopping:
                return False
            self._is_idle = True
            if not self._waiting:  # looked at again: a request may have come just before the flag
                self._wake.wait()
            self._is_idle = False
            self._wake.clear()
        return True

    def _prepare(self, before_first: Callable[[sqlite3.Connection], None]) -> None:
        """Do what comes before the first write; where that fails, who waits is refused."""
        try:
            before_first(self._connection)
            self._before_first = None
        except (sqlite3.Error, OSError) as error:
            waiting = [self._waiting.popleft() for _ in range(len(self._waiting))]
            if isinstance(error, sqlite3.Error):
                self._give_up(error)
                self._refuse(waiting, error)
            else:
                for request in waiting:
                    request.error = not_now()
                self._hand_back(waiting)

    # -- one transaction for all that wait

    def _run_group(self) -> None:
        done: list[Request] = []
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:  # nothing can be written: none of those who wait would fare
            waiting = [self._waiting.popleft() for _ in range(len(self._waiting))]
            self._give_up(error)
            self._refuse(waiting, error)
            return
        try:
            until = time.monotonic() + MAX_GROUP_S
            for _ in range(MAX_GROUP):
                unit = self._take_unit()
                if not unit:
                    break
                self._run_unit(unit, done)
                if not self._connection.in_transaction:  # a failure took the whole group along
                    self._numbers.undone()
                    self._run_again(done)
                    return
                if time.monotonic() > until:
                    break
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._give_up(error)
            self._refuse(done, error)
        else:
            self._numbers.committed()
            self._hand_back(done)

    def _take_unit(self) -> list[Request]:
        """Take the next body: one request, or the items that wait for the same batched one."""
        waiting = self._waiting
        if not waiting or waiting[0].stands_alone:
            return []
        first = waiting.popleft()
        unit = [first]
        if first.is_batched and not first.is_alone:
            others: list[Request] = []
            for _ in range(min(len(waiting), 2 * MAX_GROUP)):
                if len(unit) == MAX_GROUP or waiting[0].stands_alone:
                    break
                request = waiting.popleft()
                fits = request.is_batched and not request.is_alone and request.fn == first.fn
                (unit if fits else others).append(request)
            waiting.extendleft(reversed(others))
        return unit

    def _run_unit(self, unit: list[Request], done: list[Request]) -> None:
        """Run one body; what it did is undone if it raises, and a batch put back item by item."""
        first, is_first = unit[0], not done
        done += unit
        try:
            if not is_first:
                self._connection.execute("SAVEPOINT body")
            self._run_body(unit)
            if not is_first:
                self._connection.execute("RELEASE body")
        except BaseException as error:  # noqa: BLE001 - whatever a body raises is its caller's
            if isinstance(error.__cause__, sqlite3.Error) and breaks(error.__cause__):
                raise error.__cause__ from None
            if self._connection.in_transaction:
                self._undo(is_first=is_first)
            first.error = error
            if len(unit) > 1:
                del done[-len(unit) :]
                self._put_back(unit)
        finally:
            self._deadline = _FOREVER

    def _undo(self, *, is_first: bool) -> None:
        self._numbers.undone()
        undo = ("ROLLBACK", "BEGIN IMMEDIATE") if is_first else ("ROLLBACK TO body", "RELEASE body")
        for statement in undo:
            self._connection.execute(statement)

    def _run_body(self, unit: list[Request]) -> None:
        first = unit[0]
        self._deadline = time.monotonic() + self._deadline_s
        tx = WriterTx(self._connection, self._numbers, self._deadline)
        if not first.is_batched:
            body = first.fn(tx, *first.args, **first.kwargs)
            first.result = first.context.run(_drive, body)
        else:
            items = [request.args[0] for request in unit]
            results = _drive(run_batch(tx, first.fn, items))
            for request, result in zip(unit, results, strict=True):
                request.result = result
                request.error = result if isinstance(result, Exception) else None
        if tx.has_failed:
            raise failed_before()
        if time.monotonic() > self._deadline:
            raise too_long()
        self._deadline = _FOREVER
        first.callbacks = tx.callbacks

    def _put_back(self, requests: list[Request]) -> None:
        for request in requests:
            request.is_alone, request.error = True, None
        self._waiting.extendleft(reversed(requests))

    def _run_again(self, done: list[Request]) -> None:
        """After SQLite rolled back everything: the last one is to blame, the others come again."""
        culprit = done.pop() if done and done[-1].error else None
        for request in done:
            request.error, request.callbacks = None, ()
        self._waiting.extendleft(reversed(done))
        if culprit:
            self._hand_back([culprit])

    def _run_schema(self, request: Request) -> None:
        execute = self._connection.execute
        try:
            execute("PRAGMA foreign_keys = OFF")  # has no effect inside a transaction
            execute("BEGIN IMMEDIATE")
            tx = WriterTx(self._connection, self._numbers, _FOREVER)
            request.result = _drive(request.fn(tx, *request.args, **request.kwargs))
            if tx.has_failed:
                raise failed_before()
            if broken := execute("PRAGMA foreign_key_check").fetchall():
                tables = sorted({f"{row[0]} -> {row[2]}" for row in broken})
                raise DatabaseError(f"foreign keys point nowhere: {', '.join(tables)}")
            execute("COMMIT")
            self._numbers.committed()
            request.callbacks = tx.callbacks
        except BaseException as error:  # noqa: BLE001 - whatever a body raises is its caller's
            self._numbers.undone()
            request.error = translate(error) if isinstance(error, sqlite3.Error) else error
            if self._connection.in_transaction:
                execute("ROLLBACK")
        finally:
            execute("PRAGMA foreign_keys = ON")
        self._hand_back([request])

    def _flush(self, request: Request) -> None:
        try:
            [is_busy, *_] = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            request.error = not_now() if is_busy else None
        except sqlite3.Error as error:
            self._give_up(error)
            request.error = translate(error)
        self._hand_back([request])

    # -- ends

    def _give_up(self, error: sqlite3.Error) -> None:
        """Roll back; after an I/O error write no more, for a second fsync may lie."""
        self._numbers.undone()
        if breaks(error):
            self._is_broken = True
            LOG.critical("the database is read-only until a restart: %s", error)
        if self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except sqlite3.Error:
                LOG.exception("the rollback failed too")
                self._is_broken = True

    def _refuse(self, requests: list[Request], error: Exception) -> None:
        for request in requests:  # one exception each: raising one twice mixes up tracebacks
            request.error = _read_only() if self._is_broken else translate(error)
            request.callbacks = ()
        self._hand_back(requests)

    def _hand_back(self, requests: list[Request]) -> None:
        try:
            self._loop.call_soon_threadsafe(self._release, requests)
        except RuntimeError:
            LOG.warning("the event loop closed before %d writes could answer", len(requests))

    def _is_late(self) -> bool:
        return time.monotonic() > self._deadline


def _read_only() -> Unavailable:
    return Unavailable("The database is read-only until the server restarts.", retry_after_s=30)


def _drive(body: Awaitable[Any]) -> Any:
    """Run a body to its end; it can only suspend by awaiting what is not its tx."""
    steps = body.__await__()
    try:
        next(steps)
    except StopIteration as stop:
        return stop.value
    steps.close()
    raise not_only_tx()


class _NoLoop:
    """Stands where asyncio looks for the running loop of this thread: there is none to wait on."""

    def __getattr__(self, name: str) -> Any:
        raise not_only_tx()
