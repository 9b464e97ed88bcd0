"""A transaction on SQLite, as a body sees it in the writer's thread."""

import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .base import Row, failed_before, too_long
from .commit_numbers import CommitNumbers
from .dialect import COMMIT_NUMBER, SQLITE
from .sqlite_errors import translate
from .statement import Statement


class WriterTx:
    """The transaction as a body sees it; its methods never suspend."""

    __slots__ = ("_connection", "_numbers", "callbacks", "deadline", "has_failed", "has_locked")

    def __init__(
        self, connection: sqlite3.Connection, numbers: CommitNumbers, deadline: float
    ) -> None:
        self._connection = connection
        self._numbers = numbers
        self.deadline = deadline
        self.callbacks: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        self.has_failed = self.has_locked = False

    async def lock(self, sql: str, **params: Any) -> None:
        """Do nothing but note it: whoever writes is alone."""
        self._statement(sql)

    async def execute(self, sql: str, **params: Any) -> int:
        """Run a statement and return how many rows it touched."""
        cursor = self._run(sql, params)
        if cursor.description is not None:  # RETURNING: it is done only when it is read
            return len(cursor.fetchall())
        return max(cursor.rowcount, 0)

    async def execute_many(self, sql: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run a statement once for each mapping of parameters."""
        for row in rows:
            self._run(sql, row)

    async def insert(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert rows with one call, which costs half of one statement with many values."""
        statement = self._statement(sql)
        try:
            self._connection.executemany(statement.text, rows)
        except (sqlite3.Error, OverflowError, UnicodeError) as error:
            self.has_failed = True
            raise translate(error) from error

    async def fetch_one(self, sql: str, **params: Any) -> Row | None:
        """Return the first row, or None."""
        rows = self._run(sql, params).fetchall()
        return rows[0] if rows else None

    async def fetch_all(self, sql: str, **params: Any) -> list[Row]:
        """Return all rows."""
        return self._run(sql, params).fetchall()

    def after_commit(self, fn: Callable[..., None], *args: Any) -> None:
        """Have a function called on the event loop after the commit."""
        self.callbacks.append((fn, args))

    def _run(self, sql: str, params: Mapping[str, Any]) -> sqlite3.Cursor:
        statement = self._statement(sql)
        try:
            if COMMIT_NUMBER in statement.required:
                params = {**params, COMMIT_NUMBER: self._numbers.current()}
            return self._connection.execute(*statement.for_sqlite(params))
        except (sqlite3.Error, OverflowError, UnicodeError) as error:
            self.has_failed = True
            raise translate(error) from error

    def _statement(self, sql: str) -> Statement:
        if self.has_failed:
            raise failed_before()
        if time.monotonic() > self.deadline:
            self.has_failed = True
            raise too_long()
        statement = SQLITE.statement(sql)
        self.has_locked |= statement.is_locking
        return statement
