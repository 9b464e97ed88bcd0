"""What `wellio doctor` wants to know of a database: whether it keeps what it is given."""

import sqlite3
from typing import Final

from wellio.observe.findings import Finding

from .base import Database, Tx

#: Before this release, SQLite can damage a log that two connections write or checkpoint at once.
_SAFE_SQLITE: Final = (3, 51, 3)
_FULL: Final = 2  # PRAGMA synchronous
_SHOWN: Final = 5


async def examine_sqlite(db: Database) -> list[Finding]:
    """Look at a SQLite file through its own connections: no other may write or checkpoint."""
    findings = [_version(), await db.write(_durability)]
    damage = [row[0] for row in await db.fetch_all("PRAGMA quick_check")]
    findings.append(
        Finding("integrity", "ok", "quick_check found nothing")
        if damage == ["ok"]
        else Finding(
            "integrity",
            "problem",
            f"quick_check found {len(damage)} faults",
            "stop Wellio and restore the newest backup",
        )
    )
    orphans = await db.fetch_all("PRAGMA foreign_key_check")
    tables = sorted({f"{row[0]} -> {row[2]}" for row in orphans})
    findings.append(
        Finding("foreign keys", "ok", "every row has what it refers to")
        if not tables
        else Finding(
            "foreign keys",
            "problem",
            f"{len(orphans)} rows refer to nothing: {', '.join(tables[:_SHOWN])}",
            "something else wrote to the file; restore the newest backup",
        )
    )
    return findings


def _version() -> Finding:
    version = sqlite3.sqlite_version
    if sqlite3.sqlite_version_info >= _SAFE_SQLITE:
        return Finding("sqlite", "ok", f"SQLite {version}")
    return Finding(
        "sqlite",
        "warning",
        f"SQLite {version} can damage its log when a second program writes",
        "Wellio alone writes to its file; open it with nothing else, or use SQLite 3.51.3 or newer",
    )


async def _durability(tx: Tx) -> Finding:
    mode = await tx.fetch_one("PRAGMA journal_mode")
    synchronous = await tx.fetch_one("PRAGMA synchronous")
    if mode is not None and synchronous is not None and (mode[0], synchronous[0]) == ("wal", _FULL):
        return Finding("durability", "ok", "journal_mode=wal, synchronous=full")
    return Finding(
        "durability", "problem", "a commit may not survive a power cut", "restart Wellio"
    )


async def examine_postgres(db: Database) -> list[Finding]:
    """Look at a Postgres server's version and at the settings that durability hangs on."""
    names = ("server_version", "fsync", "synchronous_commit", "full_page_writes")
    rows = await db.fetch_all(
        "SELECT name, setting FROM pg_settings WHERE name {in names}", names=list(names)
    )
    settings = {row["name"]: row["setting"] for row in rows}
    off = [name for name in names[1:] if settings.get(name) == "off"]
    return [
        Finding("postgres", "ok", f"Postgres {settings['server_version']}"),
        Finding("durability", "ok", "fsync, synchronous_commit and full_page_writes are on")
        if not off
        else Finding(
            "durability",
            "problem",
            f"{', '.join(off)} off: a commit may not survive a power cut",
            "switch on what is off in postgresql.conf",
        ),
    ]
