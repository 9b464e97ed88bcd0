"""SQLite's readers: one on the event loop's thread for what takes few steps, the rest in threads.

A look-up by key is 4 µs of work; to hand it to a thread and back costs ten times that.
"""

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import quote

import aiosqlite

from .base import Row
from .dialect import SQLITE
from .sqlite_errors import translate

MAX_STEPS: Final = 6000
"""Of SQLite's machine; about 0.3 ms, for which nobody else on the loop runs."""

BUSY_S: Final = 2.0
"""How long a thread waits for a stranger's lock on the file."""
CACHED_STATEMENTS: Final = 1000
LIKE_AS_ON_POSTGRES: Final = "PRAGMA case_sensitive_like = ON"
"""It also lets LIKE use an index."""

_STEPS_BETWEEN_LOOKS: Final = 1000
_READS_A_TURN: Final = 32
_PRAGMAS: Final = ("PRAGMA query_only = ON", LIKE_AS_ON_POSTGRES)
Values = Mapping[str, Any] | Sequence[Any]


class Readers:
    """The connections of one file that only read."""

    def __init__(self, path: Path) -> None:
        """Describe them; none is open yet."""
        self._path = path
        self._quick = QuickReader(path)
        self._threads: list[_Reader] = []
        self._reads = 0

    async def open(self, count: int) -> None:
        """Open so many in threads, and the quick one."""
        for _ in range(count):
            self._threads.append(await _Reader.open(self._path))
        self._quick.open()

    async def fetch_all(self, sql: str, params: Mapping[str, Any]) -> list[Row]:
        """Return all rows of a read.

        Raises:
            DatabaseError: SQLite refuses the statement.
            Unavailable: The disk or another program refuses at present.
        """
        text, values = SQLITE.statement(sql).for_sqlite(params)
        self._reads += 1
        if self._reads % _READS_A_TURN == 0:  # whoever only reads would never let go of the loop
            await asyncio.sleep(0)
        try:
            rows = self._quick.fetch_all(text, values)
            if rows is None:
                rows = await min(self._threads, key=_Reader.load).fetch_all(text, values)
        except (sqlite3.Error, OverflowError, UnicodeError) as error:
            raise translate(error) from error
        return rows

    async def close(self) -> None:
        """Close them."""
        self._quick.close()
        for reader in self._threads:
            await reader.close()


class QuickReader:
    """A connection on the thread of its caller; it blocks, but for no longer than `MAX_STEPS`."""

    def __init__(self, path: Path) -> None:
        """Describe it; it is not open yet."""
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._long: set[str] = set()
        self._looks = 0

    def open(self) -> None:
        """Open it, at once: the file is there."""
        connection = sqlite3.connect(**_options(self._path), timeout=0)
        connection.row_factory = sqlite3.Row
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        connection.set_progress_handler(self._is_long, _STEPS_BETWEEN_LOOKS)
        self._connection = connection

    def fetch_all(self, text: str, values: Values) -> list[Row] | None:
        """Return all rows, or None if it takes a thread.

        Raises:
            sqlite3.Error: SQLite refuses the statement.
        """
        if self._connection is None or text in self._long:
            return None
        self._looks = 0
        try:
            return self._connection.execute(text, values).fetchall()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                self._long.add(text)
                # From then on, CPython 3.11 would prepare the interrupted statement at each call.
                self.close()
                self.open()
            elif error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            return None

    def close(self) -> None:
        """Close it."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _is_long(self) -> bool:
        """Tell SQLite to stop; a statement's steps count on from one run to the next."""
        self._looks += 1
        return self._looks * _STEPS_BETWEEN_LOOKS > MAX_STEPS


class _Reader:
    """A connection in a thread of its own."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection
        self._waiting = 0

    @classmethod
    async def open(cls, path: Path) -> Self:
        connection = await aiosqlite.connect(**_options(path), timeout=BUSY_S)
        try:
            connection.row_factory = sqlite3.Row
            for pragma in _PRAGMAS:
                await connection.execute_fetchall(pragma)
        except BaseException:  # a cancelled start too: its thread would keep the process
            await connection.close()
            raise
        return cls(connection)

    def load(self) -> int:
        return self._waiting

    async def fetch_all(self, text: str, values: Values) -> list[Row]:
        self._waiting += 1
        try:
            rows = await self._connection.execute_fetchall(text, values)
        finally:
            self._waiting -= 1
        return rows  # type: ignore[return-value] # typed as an iterable; execute_fetchall gives a list

    async def close(self) -> None:
        await self._connection.close()


def _options(path: Path) -> dict[str, Any]:
    return {
        "database": f"file:{quote(str(path))}?mode=ro",
        "uri": True,
        "isolation_level": None,
        "cached_statements": CACHED_STATEMENTS,
    }
