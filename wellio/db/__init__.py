"""The database: SQLite by default, Postgres by a line in the configuration."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from wellio.errors import ConfigError

from .base import Engine
from .lock import FolderLock

if TYPE_CHECKING:
    from .sqlite import SqliteDatabase

_DEADLINE_S: Final = 1.0


async def connect(
    url: str | None,
    *,
    data_dir: Path,
    readers: int = 3,
    pool_size: int = 10,
    max_queue: int = 8192,
    deadline_s: float | None = None,
) -> Engine:
    """Open the database that the configuration names.

    Args:
        url: None for SQLite in the data folder, `sqlite:///<path>` or `postgresql://...`.
        data_dir: The folder of `wellio.db`, unless the URL says otherwise; one process at a time
            has the folder, on Postgres too.
        readers: SQLite's read connections.
        pool_size: Postgres' connections, at most.
        max_queue: How many writes may wait; more are refused with a 503.
        deadline_s: How long the body of one write may take, in seconds; None is one.

    Raises:
        ConfigError: The URL is of another kind.
        DatabaseError: The database cannot be opened, or another server has the folder.
    """
    deadline_s = _DEADLINE_S if deadline_s is None else deadline_s
    if not url or url.startswith("sqlite:///"):
        from .sqlite import SqliteDatabase

        path = Path(url.removeprefix("sqlite:///")) if url else data_dir / "wellio.db"
        return await SqliteDatabase.open(
            path.absolute(),
            lock=FolderLock(path.absolute().parent, data_dir),
            readers=readers,
            max_queue=max_queue,
            deadline_s=deadline_s,
        )
    if url.startswith(("postgresql://", "postgres://")):
        from .postgres import PostgresDatabase

        return await PostgresDatabase.open(
            url,
            folder=data_dir,
            pool_size=pool_size,
            max_queue=max_queue,
            deadline_s=deadline_s,
        )
    scheme = url.partition(":")[0]
    raise ConfigError(f"database.url begins with {scheme!r}: expected sqlite:/// or postgresql://")


async def open_beside(path: Path) -> "SqliteDatabase":
    """Open a small SQLite database of the core's own, in a data folder that `connect` has locked.

    What is deleted there is overwritten, and gone from the disk after a `flush`.

    Args:
        path: The file, absolute; made when it is not there.
    """
    from .sqlite import SqliteDatabase

    return await SqliteDatabase.open(
        path,
        lock=FolderLock(),
        readers=1,
        max_queue=1024,
        deadline_s=_DEADLINE_S,
        pragmas=("PRAGMA secure_delete = ON",),
    )
