"""Looks whether a folder and a database are free for a demo, and changes nothing."""

from pathlib import Path
from typing import Final

from wellio.boot.presence import has_practice
from wellio.config.settings import Config
from wellio.errors import WellioError

from .record import database_name

#: What a new disk has, and what says that a server ran: neither is anybody's data.
_NOTHING: Final = frozenset({"lost+found", "wellio.lock"})
_NAMED: Final = 3


def refuse_used(data_dir: Path) -> None:
    """Stop if a folder has anything in it.

    A practice on Postgres has its keys there, and no database that would show.

    Raises:
        WellioError: It has, or cannot be read.
    """
    try:
        found = sorted({path.name for path in data_dir.iterdir()} - _NOTHING)
    except FileNotFoundError:
        return
    except OSError as error:
        raise WellioError(f"the data folder {data_dir} cannot be used: {error.strerror}") from error
    if found:
        named = ", ".join(found[:_NAMED]) + (" and more" if len(found) > _NAMED else "")
        raise WellioError(
            f"{data_dir} is no demo and has something in it ({named}): "
            "name a new or empty folder by --data"
        )


async def refuse_begun(config: Config) -> None:
    """Stop if a database elsewhere has a practice in it, even one of nobody.

    Raises:
        WellioError: It has, or cannot be reached.
    """
    if config.database.url is not None and await has_practice(config):
        raise WellioError(f"a demo needs an empty database: {database_name(config)} has a practice")
