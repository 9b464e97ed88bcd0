"""A transaction on asyncpg: what a body sees of it, how a body is run, what its errors mean."""

from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping, Sequence
from types import coroutine
from typing import Any, Final, TypeVar

import asyncpg

from wellio.errors import ConstraintViolation, DatabaseError, Unavailable

from .base import Row, failed_before, not_only_tx
from .dialect import POSTGRES
from .statement import Statement

T = TypeVar("T")
Callbacks = list[tuple[Callable[..., None], tuple[Any, ...]]]
Connection = Any  # asyncpg's PoolConnectionProxy

_CONSTRAINTS: Final = {
    asyncpg.UniqueViolationError: "unique",
    asyncpg.ExclusionViolationError: "unique",
    asyncpg.ForeignKeyViolationError: "foreign_key",
    asyncpg.CheckViolationError: "check",
    asyncpg.NotNullViolationError: "not_null",
}
#: The server undid the transaction and asks for another try.
UNDONE: Final = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
    asyncpg.OutdatedSchemaCacheError,
    asyncpg.InvalidCachedStatementError,
)
#: The connection is gone or cannot be had.
_LOST: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InternalClientError,  # a connection that was ended while idle may say this first
    OSError,
)
DRIVER: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    UnicodeError,
)
_NOT_NOW: Final = (
    *_LOST,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.PostgresIOError,
)


def is_lost(error: BaseException) -> bool:
    """Say whether the connection is gone, or could not be had."""
    if isinstance(error, asyncpg.InterfaceError):  # stands for misuse too, with a ValueError or not
        return "closed" in str(error) and not isinstance(error, ValueError)
    return isinstance(error, _LOST)


def may_run_again(failure: Exception | None) -> bool:
    """Say whether a transaction that failed so was undone, and may be run again."""
    return failure is not None and (isinstance(failure, UNDONE) or is_lost(failure))


def translate(error: Exception) -> Exception:
    """Turn a driver's error into ours: 503 for what may pass, a DatabaseError for the rest."""
    if isinstance(error, asyncpg.IntegrityConstraintViolationError):
        return ConstraintViolation(str(error.args[0]), _CONSTRAINTS.get(type(error), "other"))
    if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
        return Unavailable("The database only reads now; it is a standby.", retry_after_s=2)
    if isinstance(error, _NOT_NOW) or may_run_again(error):
        return Unavailable("The database cannot be reached now.", retry_after_s=2)
    return DatabaseError(str(error.args[0] if error.args else error))  # without DETAIL: it has data


class PostgresTx:
    """The transaction as a body sees it."""

    __slots__ = ("_connection", "callbacks", "failure", "has_locked", "is_busy")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.callbacks: Callbacks = []
        self.failure: Exception | None = None
        self.has_locked = False
        self.is_busy = False  # one of our own operations is under way

    async def begin(self, sql: str) -> None:
        """Start the transaction."""
        await self._run(self._connection.execute(sql))

    async def lock(self, sql: str, **params: Any) -> None:
        """Lock what a statement selects."""
        await self.fetch_all(sql, **params)

    async def execute(self, sql: str, **params: Any) -> int:
        """Run a statement and return how many rows it touched."""
        statement = self._statement(sql)
        arguments = statement.positional(params)
        tag: str = await self._run(self._connection.execute(statement.text, *arguments))
        count = tag.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def execute_many(self, sql: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run a statement once for each mapping of parameters."""
        statement = self._statement(sql)
        arguments = [statement.positional(row) for row in rows]
        await self._run(self._connection.executemany(statement.text, arguments))

    async def insert(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert rows with one statement: each column is an array."""
        statement = self._statement(sql)
        columns = [list(column) for column in zip(*rows, strict=True)]
        if columns:
            await self._run(self._connection.execute(statement.text, *columns))

    async def fetch_one(self, sql: str, **params: Any) -> Row | None:
        """Return the first row, or None."""
        statement = self._statement(sql)
        arguments = statement.positional(params)
        row: Row | None = await self._run(self._connection.fetchrow(statement.text, *arguments))
        return row

    async def fetch_all(self, sql: str, **params: Any) -> list[Row]:
        """Return all rows."""
        statement = self._statement(sql)
        arguments = statement.positional(params)
        rows: list[Row] = await self._run(self._connection.fetch(statement.text, *arguments))
        return rows

    def after_commit(self, fn: Callable[..., None], *args: Any) -> None:
        """Have a function called on the event loop after the commit."""
        self.callbacks.append((fn, args))

    def _statement(self, sql: str) -> Statement:
        statement = POSTGRES.statement(sql)
        self.has_locked |= statement.is_locking
        return statement

    async def _run(self, operation: Awaitable[Any]) -> Any:
        if self.failure is not None:
            if isinstance(operation, Coroutine):
                operation.close()
            raise failed_before()
        self.is_busy = True
        try:
            return await operation
        except DRIVER as error:
            self.failure = error
            raise translate(error) from error
        finally:
            self.is_busy = False


@coroutine
def drive(body: Awaitable[T], tx: PostgresTx) -> Generator[Any, Any, T]:
    """Run a body, letting it suspend only where an operation of its tx is under way."""
    steps = body.__await__()
    advance: Callable[[Any], Any] = steps.send
    value: Any = None
    while True:
        try:
            waits_for = advance(value)
        except StopIteration as stop:
            result: T = stop.value
            return result
        if not tx.is_busy:
            steps.close()
            raise not_only_tx()
        try:
            value = yield waits_for
            advance = steps.send
        except BaseException as error:  # noqa: BLE001 - a cancellation too is the body's to see
            value, advance = error, steps.throw
