"""Numbers SQLite's commits, as Postgres numbers its transactions: each higher than all before.

They come in blocks, so that giving one out writes nothing. A block is taken by moving a row on in
the transaction that first needs a number of it; where that is undone, the block is forgotten, for
the row may be back where it was. So no number is ever in two commits, whatever is killed when.
"""

import sqlite3
from typing import Final

BLOCK = 2**20
_TAKE: Final = "UPDATE wellio_commit_block SET next = next + ? RETURNING next"


class CommitNumbers:
    """The numbers of one connection's commits; in its thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._current: int | None = None
        self._next = self._end = 0
        self._is_fresh = False  # the transaction under way took the block

    def current(self) -> int:
        """Return the number of the transaction under way.

        Raises:
            sqlite3.Error: A new block could not be taken.
        """
        if self._current is None:
            if self._next == self._end:
                [[self._end]] = self._connection.execute(_TAKE, (BLOCK,)).fetchall()
                self._next, self._is_fresh = self._end - BLOCK, True
            self._current = self._next
            self._next += 1
        return self._current

    def committed(self) -> None:
        """Let the next transaction have the next number."""
        self._current, self._is_fresh = None, False

    def undone(self) -> None:
        """Go on with another number after a part of the transaction was undone, or all of it."""
        self._current = None
        if self._is_fresh:
            self._next = self._end = 0
            self._is_fresh = False
