"""Replaces parts of the product; one that is not there any more stops the start."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

from wellio.db import postgres, sqlite
from wellio.db.postgres_tx import PostgresTx

#: What a slow disk takes for the commit of messages, in seconds: longer than the nemesis waits
#: after an acknowledgement (test_breaks.py), so that the kill comes in this time.
_COMMIT_S: Final = 1.0
_MESSAGES: Final = "INSERT INTO chat_message"


def wrap(owner: object, name: str, make: Callable[[Any], Any]) -> None:
    """Replace an attribute by what a function makes of it."""
    setattr(owner, name, make(getattr(owner, name)))


def edit(owner: object, name: str, old: str, new: str) -> None:
    """Replace a part of a text."""
    text = getattr(owner, name)
    if old not in text:
        raise AssertionError(f"{name} does not hold {old!r} any more")
    setattr(owner, name, text.replace(old, new))


def slow_commits() -> None:
    """Have each commit of messages take its time, on both engines; breaks nothing by itself."""
    wrap(sqlite, "_open_writer", lambda open_: lambda path: _SlowConnection(open_(path)))
    wrap(PostgresTx, "insert", _noting)
    wrap(postgres, "_send_commit", _slow)


class _SlowConnection:
    """A connection of SQLite whose COMMIT begins late when it holds messages."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._has_messages = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def executemany(self, sql: str, rows: Any) -> Any:
        self._has_messages |= _MESSAGES in sql
        return self._connection.executemany(sql, rows)

    def execute(self, sql: str, *parameters: Any) -> Any:
        if sql == "COMMIT" and self._has_messages:
            self._has_messages = False
            time.sleep(_COMMIT_S)
        return self._connection.execute(sql, *parameters)


_with_messages: set[Any] = set()  # connections of Postgres


def _noting(insert: Any) -> Any:
    async def noting(tx: PostgresTx, sql: str, rows: Any) -> Any:
        if _MESSAGES in sql:
            _with_messages.add(tx._connection)  # noqa: SLF001 - this is what `_send_commit` gets
        return await insert(tx, sql, rows)

    return noting


def _slow(commit: Any) -> Any:
    async def slow(connection: Any) -> None:
        if connection in _with_messages:
            _with_messages.discard(connection)
            await asyncio.sleep(_COMMIT_S)
        await commit(connection)

    return slow
