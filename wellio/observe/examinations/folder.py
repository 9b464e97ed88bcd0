"""Looks at the data folder and at what a setting put elsewhere: whose it is, who reads it, room."""

import asyncio
import os
import shutil
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from wellio.config.settings import Config
from wellio.observe.findings import Finding, Gravity

from .examination import Examination

_LOW_BYTES: Final = 1_000_000_000
_FULL_BYTES: Final = 100_000_000
#: What nobody else may read, beside the folder itself.
_PRIVATE: Final = ("secrets", "secrets/*", "*.db*", "*.anchors", "*.jsonl", "mailbox", "backups")


def of_folder(config: Config) -> Sequence[Examination]:
    """Return what is looked at of the folder, and of what lies elsewhere."""
    folder, files, anchors = config.data_dir, config.storage.folder, config.audit.anchor_file
    return [
        _in_thread("data folder", lambda: _modes(folder)),
        _in_thread("owner", lambda: _owner(folder)),
        _in_thread("disk space", lambda: _space("disk space", folder)),
        _in_thread("files folder", lambda: _privacy("files folder", files)),
        _in_thread("files' disk space", lambda: _space("files' disk space", files)),
        _in_thread("audit anchors", lambda: _privacy("audit anchors", anchors)),
    ]


def _in_thread(name: str, look: Callable[[], Finding | None]) -> Examination:
    return Examination(name, lambda: asyncio.to_thread(look))


def _modes(folder: Path) -> Finding:
    private = [folder, *(path for pattern in _PRIVATE for path in folder.glob(pattern))]
    is_open = sorted({path.name for path in private if _is_open(path)})
    if not is_open:
        return Finding("data folder", "ok", "only its owner can read it and its secrets")
    return Finding(
        "data folder",
        "problem",
        f"other users can read: {', '.join(is_open)}",
        "chmod 700 the folders and 600 the files",
    )


def _is_open(path: Path) -> bool:
    try:
        return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)
    except FileNotFoundError:  # SQLite's log comes and goes
        return False


def _owner(folder: Path) -> Finding:
    if folder.stat().st_uid == os.geteuid():
        return Finding("owner", "ok", "the data folder is this user's")
    detail, advice = "the data folder is another user's", "run Wellio and its commands as one user"
    return Finding("owner", "warning", detail, advice)


def _privacy(name: str, path: Path | None) -> Finding | None:
    if path is None or not path.exists():
        return None
    if not _is_open(path):
        return Finding(name, "ok", "only its owner can read it")
    mode = "700" if path.is_dir() else "600"
    return Finding(name, "problem", "other users can read it", f"chmod {mode} it")


def _space(name: str, folder: Path | None) -> Finding | None:
    if folder is None or not folder.exists():
        return None
    free = shutil.disk_usage(folder).free
    status: Gravity = "ok" if free > _LOW_BYTES else "warning" if free > _FULL_BYTES else "problem"
    advice = "" if status == "ok" else "make room: without it nothing can be written"
    return Finding(name, status, f"{free / 1e9:.1f} GB are free", advice)
