"""What SQLite's errors mean: whose mistake they are, and whether they may pass."""

import sqlite3
from typing import Final

from wellio.errors import ConstraintViolation, DatabaseError, Unavailable

from .base import too_long

_CONSTRAINTS: Final = {
    sqlite3.SQLITE_CONSTRAINT_UNIQUE: "unique",
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: "unique",
    sqlite3.SQLITE_CONSTRAINT_ROWID: "unique",
    sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY: "foreign_key",
    sqlite3.SQLITE_CONSTRAINT_CHECK: "check",
    sqlite3.SQLITE_CONSTRAINT_NOTNULL: "not_null",
}
#: I/O errors that say nothing about what is on the disk: no room for the shared memory, no memory
_HARMLESS_IO: Final = frozenset(
    {sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_SHMMAP, sqlite3.SQLITE_IOERR_NOMEM}
)
_NOT_NOW: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
    }
)


def translate(error: Exception) -> Exception:
    """Turn a driver's error into ours: 503 for what may pass, a DatabaseError for the rest."""
    code = getattr(error, "sqlite_errorcode", 0)
    if code == sqlite3.SQLITE_INTERRUPT:
        return too_long()
    if code & 0xFF in _NOT_NOW:
        return not_now()
    if code & 0xFF == sqlite3.SQLITE_CONSTRAINT:
        return ConstraintViolation(str(error), _CONSTRAINTS.get(code, "other"))
    return DatabaseError(str(error))


def breaks(error: BaseException) -> bool:
    """Say whether, after this error, nobody knows what the disk holds."""
    code = getattr(error, "sqlite_errorcode", 0)
    if code in _HARMLESS_IO:
        return False
    return code & 0xFF in {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def not_now() -> Unavailable:
    """Return the problem for a write that the disk or another program refuses at present."""
    return Unavailable("The database cannot write now.", retry_after_s=2)
