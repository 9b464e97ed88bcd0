"""What both engines promise: rows, transactions and the database, as everybody else sees them."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

T = TypeVar("T")
P = ParamSpec("P")
Item = TypeVar("Item")
Result = TypeVar("Result")


class Row(Protocol):
    """A row of a result: values by column name or position. A boolean may come as 0 or 1."""

    def __getitem__(self, key: int | str, /) -> Any:  # noqa: ANN401 - columns have any type
        """Return one column's value."""

    def keys(self) -> Any:  # noqa: ANN401 - a list on SQLite, an iterator on Postgres
        """Return the columns' names."""

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the values."""

    def __len__(self) -> int:
        """Return the number of columns."""


class Tx(Protocol):
    """A transaction, as the body of a write sees it: the only thing it may await."""

    async def execute(self, sql: str, **params: Any) -> int:  # noqa: ANN401
        """Run a statement and return how many rows it touched."""

    async def execute_many(self, sql: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run a statement once for each mapping of parameters."""

    async def fetch_one(self, sql: str, **params: Any) -> Row | None:  # noqa: ANN401
        """Return the first row, or None."""

    async def fetch_all(self, sql: str, **params: Any) -> list[Row]:  # noqa: ANN401
        """Return all rows."""

    def after_commit(self, fn: Callable[..., None], *args: Any) -> None:  # noqa: ANN401
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
        database, and it awaits nothing but `tx`.

        Raises:
            DatabaseError: The body awaited something else, or took longer than a second.
            Unavailable: The database cannot write now.
        """

    async def write_batched(
        self,
        fn: Callable[[Tx, Sequence[Item]], Awaitable[Sequence[Result | Exception]]],
        item: Item,
    ) -> Result:
        """Run a body over all the items that wait for it, at most 64, in one transaction.

        Items come in the order of the calls. An exception in the result is raised to that
        item's caller alone; when the body raises, each item is run again by itself.
        """

    async def fetch_one(self, sql: str, **params: Any) -> Row | None:  # noqa: ANN401
        """Return the first row of a read outside any transaction, or None."""

    async def fetch_all(self, sql: str, **params: Any) -> list[Row]:  # noqa: ANN401
        """Return all rows of a read outside any transaction."""

    async def ping(self) -> None:
        """Raise Unavailable unless the database can be written."""

    async def close(self) -> None:
        """Finish what waits and let the database go."""
