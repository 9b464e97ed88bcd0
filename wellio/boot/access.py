"""Whether this process may use what is in its data folder: else a start says whose it is."""

import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

from wellio.errors import WellioError

_USED = ("secrets", "secrets/*", "*.db*", "*.anchors", "*.jsonl", "wellio.lock", "mailbox", "files")


def refuse_foreign(data_dir: Path) -> None:
    """Stop where a file or folder of a practice is not this user's to read and write. It blocks.

    Raises:
        WellioError: The first such path, whose it is, and whose it must be.
    """
    for path in _paths(data_dir):
        if not _may_use(path):
            found, me = path.stat(), os.geteuid()
            mode = "700" if stat.S_ISDIR(found.st_mode) else "600"
            needed = f"must belong to {_name(me)}, as whom this runs: `chown {_name(me)} {path}`"
            if found.st_uid == me:
                needed = f"its owner must be able to read and write it: `chmod {mode} {path}`"
            raise WellioError(
                f"{path} cannot be used: it belongs to {_name(found.st_uid)} (mode"
                f" {stat.S_IMODE(found.st_mode):o}), and {needed}"
            )


def _paths(data_dir: Path) -> Iterator[Path]:
    """Yield what is there, a folder before what is in it: who may not enter one sees no further."""
    if data_dir.exists():
        yield data_dir
        for pattern in _USED:
            yield from sorted(data_dir.glob(pattern))


def _may_use(path: Path) -> bool:
    needed = os.R_OK | os.W_OK | (os.X_OK if path.is_dir() else 0)
    is_gone = not os.path.lexists(path)  # SQLite's log comes and goes
    return is_gone or os.access(path, needed, effective_ids=os.access in os.supports_effective_ids)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # as in a container
        return f"user {uid}"
