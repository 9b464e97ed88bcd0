"""What is looked at of a SQLite file: whether it is whole, and keeps what it is given."""

import sqlite3
from collections.abc import Sequence
from typing import Final

from wellio.observe.examinations.examination import Examination
from wellio.observe.findings import Finding

from .base import Database, Tx

_FULL: Final = 2  # PRAGMA synchronous
_SHOWN: Final = 5


def of_sqlite(db: Database) -> Sequence[Examination]:
    """Return what is looked at of a SQLite file, all through its own connections."""

    async def durability() -> Finding:
        return await db.write(_durability)

    async def integrity() -> Finding:
        damage = [row[0] for row in await db.fetch_all("PRAGMA quick_check")]
        if damage == ["ok"]:
            return Finding("integrity", "ok", "quick_check found nothing")
        return Finding(
            "integrity",
            "problem",
            f"quick_check found {len(damage)} faults",
            "stop Wellio and restore the newest backup",
        )

    async def foreign_keys() -> Finding:
        orphans = await db.fetch_all("PRAGMA foreign_key_check")
        if not orphans:
            return Finding("foreign keys", "ok", "every row has what it refers to")
        tables = sorted({f"{row[0]} -> {row[2]}" for row in orphans})
        return Finding(
            "foreign keys",
            "problem",
            f"{len(orphans)} rows refer to nothing: {', '.join(tables[:_SHOWN])}",
            "something else wrote to the file; restore the newest backup",
        )

    return [
        Examination("sqlite", _version, is_brief=False),
        Examination("durability", durability, is_brief=False),
        Examination("integrity", integrity, is_brief=False),
        Examination("foreign keys", foreign_keys, is_brief=False),
    ]


async def _version() -> Finding:
    # Before 3.51.3, a log that two programs write or checkpoint at once can be damaged. Whoever
    # runs a practice cannot change what their system has, so this says what it comes to.
    detail = f"SQLite {sqlite3.sqlite_version}: while Wellio runs, others may read its file"
    return Finding("sqlite", "ok", f"{detail} (sqlite3 -readonly, .backup), and none may write it")


async def _durability(tx: Tx) -> Finding:
    mode = await tx.fetch_one("PRAGMA journal_mode")
    synchronous = await tx.fetch_one("PRAGMA synchronous")
    if mode is not None and synchronous is not None and (mode[0], synchronous[0]) == ("wal", _FULL):
        return Finding("durability", "ok", "journal_mode=wal, synchronous=full")
    return Finding(
        "durability", "problem", "a commit may not survive a power cut", "restart Wellio"
    )
