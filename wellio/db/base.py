"""What both engines promise: rows, transactions and the database, as everybody else sees them."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from wellio.errors import DatabaseBusy, DatabaseDeadline, DatabaseError, Stopping, Unavailable
from wellio.observe.examinations.examination import Examination

T = TypeVar("T")
P = ParamSpec("P")
Item = TypeVar("Item")
Result = TypeVar("Result")


class Row(Protocol):
    """A row of a result: values by column name or position. A boolean may come as 0 or 1."""

    def __getitem__(self, key: int | str, /) -> Any:
        """Return one column's value."""

    def keys(self) -> Any:
        """Return the columns' names."""

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the values."""

    def __len__(self) -> int:
        """Return the number of columns."""


class Tx(Protocol):
    """A transaction, as the body of a write sees it: the only thing it may await."""

    @property
    def has_locked(self) -> bool:
        """Say whether a statement with `{for_update}` ran in it, on SQLite too."""

    async def lock(self, sql: str, **params: Any) -> None:
        """Lock what a statement with `{for_update}` selects, until the transaction ends.

        What depends on the lock is read by another statement after it: on Postgres one that had to
        wait sees, beside the rows that it locked, what was there before. On SQLite nothing runs,
        for nobody else writes meanwhile.
        """

    async def execute(self, sql: str, **params: Any) -> int:
        """Run a statement and return how many rows it touched."""

    async def execute_many(self, sql: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run a statement once for each mapping of parameters."""

    async def insert(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Run an `INSERT INTO t {values (a text, b int)}` for tuples in this order of columns."""

    async def fetch_one(self, sql: str, **params: Any) -> Row | None:
        """Return the first row, or None."""

    async def fetch_all(self, sql: str, **params: Any) -> list[Row]:
        """Return all rows."""

    def after_commit(self, fn: Callable[..., None], *args: Any) -> None:
        """Have a function called on the event loop after the commit, and only if it happens.

        Calls come in commit order, before the writer's own `await` returns; what they raise is
        logged and reaches nobody.
        """


class Database(Protocol):
    """SQLite or Postgres. `write` is the only way to write, `fetch_*` the way to read."""

    @property
    def engine(self) -> str:
        """Return `sqlite` or `postgres`: for health and logs, never to decide by."""

    async def write(
        self,
        fn: Callable[Concatenate[Tx, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a body in a transaction and return its result once that is durable.

        The body may run again after a serialization failure, so it changes nothing but the
        database, and it awaits nothing but `tx`. A statement that fails ends it: its error may
        be turned into another, never passed over. It sees the caller's context variables.

        Raises:
            DatabaseError: The body awaited something else, or went on after a failed statement.
            ConstraintViolation: A constraint refused a statement, and so the body.
            Unavailable: The database cannot write now, or the body took longer than a second.
        """

    async def write_batched(
        self,
        fn: Callable[[Tx, Sequence[Item]], Awaitable[Sequence[Result | Exception]]],
        item: Item,
    ) -> Result:
        """Run a body over all the items that wait for it, at most 64, in one transaction.

        Items come in the order of the calls. An exception in the result is raised to that
        item's caller alone; when the body raises, each item is run again by itself. So is at once
        an item with a write hook (`write_hook.py`), as a request with an `Idempotency-Key` has. A
        batch sees nobody's context variables.
        """

    async def fetch_one(self, sql: str, **params: Any) -> Row | None:
        """Return the first row of a read outside any transaction, or None."""

    async def fetch_all(self, sql: str, **params: Any) -> list[Row]:
        """Return all rows of a read outside any transaction."""

    async def ping(self) -> None:
        """Raise Unavailable unless the database can be written."""

    async def close(self) -> None:
        """Finish what waits and let the database go."""


class Engine(Database, Protocol):
    """A database as the program that starts it sees it: what migrations need on top."""

    async def write_schema(
        self,
        fn: Callable[Concatenate[Tx, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a body that changes the schema: alone, without a deadline, run once.

        On SQLite foreign keys are off meanwhile and checked before the commit; on Postgres an
        advisory lock keeps two starting programs apart.
        """

    async def backup(self, target: Path) -> bool:
        """Copy the database to a file; False where the engine has tools of its own for that."""

    def examinations(self) -> Sequence[Examination]:
        """Return what is looked at of the server, its settings and the data."""


async def run_batch(
    tx: Tx, fn: Callable[[Tx, Sequence[Any]], Awaitable[Sequence[Any]]], items: Sequence[Any]
) -> Sequence[Any]:
    """Run a batched body and see to it that each item gets a result."""
    results = await fn(tx, items)
    if len(results) != len(items):
        raise DatabaseError(f"a batch of {len(items)} items returned {len(results)} results")
    return results


def not_only_tx() -> DatabaseError:
    """Return the error of a body that awaited something besides its transaction."""
    return DatabaseError(
        "a write body may await nothing but its tx: do other work before or after the write"
    )


def too_long() -> Unavailable:
    """Return the problem for a body that held the writer longer than it may: nothing was done."""
    return DatabaseDeadline(retry_after_s=1)


def failed_before() -> DatabaseError:
    """Return the error of a body that went on after one of its statements had failed."""
    return DatabaseError(
        "a statement of this body failed, so its transaction is over: let the error out of the body"
    )


def overloaded() -> Unavailable:
    """Return the problem for a write that finds the queue full."""
    return DatabaseBusy(retry_after_s=1)


def closing() -> Unavailable:
    """Return the problem for whoever comes after the close has begun."""
    return Stopping(retry_after_s=5)
