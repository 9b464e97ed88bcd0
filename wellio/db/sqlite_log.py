"""Tells the write-ahead log of a SQLite file from one that was left beside another file.

SQLite takes `wellio.db-wal` for the log of whichever `wellio.db` lies there. So a backup that is
put in the place of a database whose server was killed gets that one's log written into it, and is
damaged without a word. Nothing in a log says whose it is; so each opening gives the file a number
of its own, in its header (`PRAGMA application_id`), and notes it in `wellio.db-mark`, which a close
takes away with the log. A log that is there when the file has another number was left by another. A
copy made by SQLite's own backup has the number too, but the version of an empty schema.
"""

import os
import secrets
import sqlite3
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import orjson

from wellio.errors import DatabaseError

_HEADER_BYTES: Final = 100
_SCHEMA_AT, _NUMBER_AT = 40, 68  # https://www.sqlite.org/fileformat.html, 1.3


@dataclass(frozen=True, slots=True)
class _Mark:
    """What a file's header may say while its log is beside it; `schemas` is empty for any."""

    numbers: list[int]
    schemas: list[int]

    @classmethod
    def read(cls, path: Path) -> Self | None:
        try:
            found = orjson.loads(path.read_bytes())
            return cls(found["numbers"], found["schemas"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):  # none, or half of one
            return None

    def write(self, path: Path, *, is_synced: bool) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(orjson.dumps({"numbers": self.numbers, "schemas": self.schemas}))
            file.flush()
            if is_synced:
                os.fsync(file.fileno())


class LogMark:
    """The mark of one file; its methods block."""

    def __init__(self, path: Path) -> None:
        """Describe it.

        Args:
            path: The database.
        """
        self._path = path
        self._mark = _beside(path, "-mark")
        self._number = 0
        self._schemas: set[int] = set()
        self._is_narrow = False

    def refuse_left_over(self) -> None:
        """Look at a log before SQLite reads it.

        Raises:
            DatabaseError: It is another file's; the message says what to do.
        """
        log, mark = _beside(self._path, "-wal"), _Mark.read(self._mark)
        if mark is None or not log.exists() or not log.stat().st_size:
            return
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
        if len(header) < _HEADER_BYTES:
            return
        [number] = struct.unpack_from("!I", header, _NUMBER_AT)
        [schema] = struct.unpack_from("!I", header, _SCHEMA_AT)
        if number not in mark.numbers or (mark.schemas and schema not in mark.schemas):
            raise DatabaseError(
                f"{log} is not the log of the {self._path.name} beside it, which was put there "
                f"since: move {log.name} and {_beside(self._path, '-shm').name} away, and start "
                "again; what only that log holds is of the database that was there before"
            )

    def set(self, connection: sqlite3.Connection) -> None:
        """Give the file its number, before anything else goes into the log."""
        [old] = connection.execute("PRAGMA application_id").fetchone()
        self._number = secrets.randbelow(2**31 - 1) + 1
        _Mark([old, self._number], []).write(self._mark, is_synced=True)
        connection.execute(f"PRAGMA application_id = {self._number}")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [schema] = connection.execute("PRAGMA schema_version").fetchone()
        self._schemas = {schema}
        # What a power cut takes of this is still there in the wider form.
        _Mark([self._number], []).write(self._mark, is_synced=False)

    def remove(self) -> None:
        """Take the note away, after a close that left no log."""
        if not _beside(self._path, "-wal").exists():
            self._mark.unlink(missing_ok=True)

    def widen(self) -> None:
        """Note that the schema may be any, before it is changed."""
        if self._is_narrow:
            self._is_narrow = False
            _Mark([self._number], []).write(self._mark, is_synced=True)

    def narrow(self, schema: int) -> None:
        """Note which versions of the schema the file has by now, in its log or before it."""
        self._schemas.add(schema)
        self._is_narrow = True
        _Mark([self._number], sorted(self._schemas)).write(self._mark, is_synced=False)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
