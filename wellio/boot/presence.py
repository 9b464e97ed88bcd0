"""Whether there is a practice: a start makes one, and every other command looks after one.

A practice lies in its folder (SQLite), or in a database elsewhere with its keys in the folder. A
folder or a URL that somebody named by mistake must not pass for a practice that is empty.
"""

import asyncio
import tempfile
from pathlib import Path

from wellio.audit.store import ANY, has_rows
from wellio.config.settings import Config
from wellio.db import connect
from wellio.db.base import Database
from wellio.db.migrate import is_begun
from wellio.db.peek import finds
from wellio.errors import WellioError
from wellio.keys.ring import has_master_key


class AnotherPractice(WellioError):
    """A start would begin an empty practice beside one that has people in it."""


def sqlite_file(config: Config) -> Path | None:
    """Return where a SQLite database is; None when the settings name a server."""
    url = config.database.url.get_secret_value() if config.database.url else ""
    if url and not url.startswith("sqlite:///"):
        return None
    return Path(url.removeprefix("sqlite:///")) if url else config.data_dir / "wellio.db"


async def is_there(config: Config) -> bool:
    """Tell whether a command finds a practice to work on; it only looks.

    Raises:
        DatabaseError: The database cannot be reached.
    """
    if sqlite_file(config) is not None:
        return await has_practice(config)
    has_keys = config.secrets.master_key is not None or has_master_key(config.data_dir)
    return has_keys and await has_practice(config)


async def has_practice(config: Config) -> bool:
    """Tell whether there is a practice in the database, without a lock and without a migration.

    Raises:
        DatabaseError: It cannot be reached.
    """
    path = sqlite_file(config)
    if path is not None:
        return await asyncio.to_thread(lambda: path.exists() and path.stat().st_size > 0)
    assert config.database.url is not None  # noqa: S101 - else there is a path
    with tempfile.TemporaryDirectory() as folder:  # for the lock of a folder
        db = await connect(config.database.url.get_secret_value(), data_dir=Path(folder))
        try:
            return await is_begun(db)
        finally:
            await db.close()


async def refuse_another(config: Config, db: Database) -> None:
    """Stop before an empty practice is begun elsewhere, beside one in the folder with people in it.

    Args:
        config: The settings.
        db: The database that they name.

    Raises:
        AnotherPractice: There is one; the message says what to do.
    """
    beside, used = config.data_dir / "wellio.db", sqlite_file(config)
    is_other = used is None or used.absolute() != beside.absolute()
    if is_other and await asyncio.to_thread(finds, beside, ANY) and not await has_rows(db):
        raise AnotherPractice(
            f"{config.data_dir} holds a practice in wellio.db, and the database that database.url "
            "names has none (a setting moves no data): take database.url away to go on with that "
            "practice, or say --new to begin an empty one"
        )


async def refuse_lost(config: Config) -> None:
    """Stop where there is no practice, before one is begun in a folder that had one elsewhere.

    Raises:
        AnotherPractice: It had; the message says what to do.
    """
    if await asyncio.to_thread(_was_signed, config.data_dir):
        raise AnotherPractice(
            f"{config.data_dir} was used with another database than the settings name, where there "
            "is no practice (a setting moves no data): set database.url to the other one, put a "
            "lost wellio.db back from its backup, or say --new to begin an empty practice"
        )


def _was_signed(folder: Path) -> bool:
    """Tell whether a log of a practice was ever signed here."""
    return any(path.stat().st_size for path in folder.glob("audit*.anchors"))
