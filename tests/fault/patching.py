"""Replaces parts of the product; one that is not there any more stops the start."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

from wellio.db import postgres, sqlite

#: What a slow disk takes for a commit, in seconds: the kill has to come in this time.
_COMMIT_S: Final = 0.25


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
    """Have each commit take its time, on both engines; breaks nothing by itself."""
    wrap(sqlite, "_open_writer", lambda open_: lambda path: _SlowConnection(open_(path)))
    wrap(postgres, "_send_commit", _slow)


class _SlowConnection:
    """A connection of SQLite whose COMMIT begins late."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, sql: str, *parameters: Any) -> Any:
        if sql == "COMMIT":
            time.sleep(_COMMIT_S)
        return self._connection.execute(sql, *parameters)


def _slow(commit: Any) -> Any:
    async def slow(*args: Any) -> None:
        await asyncio.sleep(_COMMIT_S)
        await commit(*args)

    return slow
