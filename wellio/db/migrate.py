"""Brings a database's schema up to what this program knows: forward only, and never by halves.

A source is a folder `migrations` of `NNNN_name.sql`, or `NNNN_name.sqlite.sql` together with
`NNNN_name.postgres.sql` where the engines must differ, or `NNNN_name.py` with an
`async def migrate(tx)`. What ran is kept by plugin, name and checksum in `wellio_migration`.
"""

import asyncio
import hashlib
import importlib.util
import logging
import re
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from wellio.errors import DatabaseError
from wellio.files.durability import make_folder

from .base import Database, Engine, Tx
from .dialect import split_script

LOG = logging.getLogger(__name__)

_KEPT_BACKUPS: Final = 3
_FILE: Final = re.compile(
    r"(?P<number>\d{4})_[a-z0-9_]+(?P<kind>\.sql|\.sqlite\.sql|\.postgres\.sql|\.py)"
)
_TABLE: Final = """
    CREATE TABLE IF NOT EXISTS wellio_migration (
        plugin {text} NOT NULL,
        name {text} NOT NULL,
        checksum {text} NOT NULL,
        applied_at {int} NOT NULL,
        PRIMARY KEY (plugin, name)
    ) {strict}
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file, as it is on the disk.

    Attributes:
        plugin: Whose it is.
        name: `0001_init`, or `clients/0001_init` in a room of its plugin.
        checksum: SHA-256 of the file, in hex.
        path: Where it is; `.sql` or `.py`.
        text: What stands in it.
    """

    plugin: str
    name: str
    checksum: str
    path: Path
    text: str


@dataclass(frozen=True, slots=True)
class Source:
    """A folder of migrations.

    Attributes:
        plugin: Whose they are.
        folder: Where they are.
        room: Put before their names, for a plugin that has several folders.
    """

    plugin: str
    folder: Path
    room: str = ""

    @classmethod
    def of_package(cls, plugin: str, package: str) -> Self:
        """Return the source `<package>/migrations`; of `wellio_x.room` the room is `room`.

        Raises:
            DatabaseError: There is no such package or folder.
        """
        spec = importlib.util.find_spec(package)
        places = list(spec.submodule_search_locations or ()) if spec else []
        folder = Path(places[0]) / "migrations" if places else None
        if folder is None or not folder.is_dir():
            hint = "" if places or not spec else "; a plugin with tables is a folder, not one file"
            raise DatabaseError(
                f"plugin {plugin}: the package {package} has no folder migrations{hint}"
            )
        return cls(plugin, folder, package.partition(".")[2].replace(".", "/"))

    def migrations(self, engine: str) -> list[Migration]:
        """Read the migrations for one engine, in their order.

        Raises:
            DatabaseError: A file is misnamed, or two have one number.
        """
        found: dict[str, Migration] = {}
        for path in sorted(self.folder.iterdir()):
            if path.name.startswith(("__", ".")):
                continue
            match = _FILE.fullmatch(path.name)
            if not match:
                raise DatabaseError(f"plugin {self.plugin}: {path} is not named NNNN_name.sql")
            if match["kind"] not in {".sql", ".py", f".{engine}.sql"}:
                continue
            if match["number"] in found:
                raise DatabaseError(f"plugin {self.plugin}: two migrations {match['number']}")
            content = path.read_bytes()
            found[match["number"]] = Migration(
                self.plugin,
                "/".join(filter(None, (self.room, path.name.removesuffix(match["kind"])))),
                hashlib.sha256(content).hexdigest(),
                path,
                content.decode(),
            )
        return list(found.values())


@dataclass(frozen=True, slots=True)
class Report:
    """What `migrate` found and did.

    Attributes:
        applied: `plugin/name` of what ran now.
        leftover: Plugins that have migrations in the database and are not here any more.
        backup: The copy that was made first, if any.
    """

    applied: tuple[str, ...]
    leftover: tuple[str, ...]
    backup: Path | None


async def migrate(
    engine: Engine, sources: Sequence[Source], *, backups: Path | None, now_ms: int
) -> Report:
    """Run what the database lacks.

    An empty database gets everything in one transaction; a later one each migration in its own,
    after a copy to `backups` (SQLite) of which the last three are kept.

    Args:
        engine: The database; nobody else uses it yet.
        sources: In dependency order.
        backups: The folder for the copies, made when needed; None where there must be no copy.
        now_ms: The time, for the record and the copy's name.

    Raises:
        DatabaseError: A migration was changed after it ran, or the database is newer than this
            program; nothing was done. Or one failed: it, and what follows, was not done.
    """
    wanted = [m for source in sources for m in source.migrations(engine.engine)]
    present = {source.plugin for source in sources}
    is_first, pending, leftover = await engine.write_schema(_begin, present, wanted, now_ms)
    backup = None
    if pending and not is_first:
        backup = await _back_up(engine, backups, now_ms) if backups is not None else None
        for migration in pending:
            LOG.info("migration %s/%s", migration.plugin, migration.name)
            await engine.write_schema(_apply_once, migration, now_ms)
    if leftover:
        LOG.warning("tables of removed plugins are still there: %s", ", ".join(leftover))
    return Report(tuple(f"{m.plugin}/{m.name}" for m in pending), leftover, backup)


async def is_begun(db: Database) -> bool:
    """Tell whether some Wellio has made its tables in a database; it only looks."""
    found = "SELECT t.name FROM {tables} t WHERE t.name = :name"
    return await db.fetch_one(found, name="wellio_migration") is not None


async def leftover_tables(
    db: Database, leftover: Collection[str], present: Collection[str]
) -> list[str]:
    """Return the tables of removed plugins: a table's name begins with that of its plugin.

    Args:
        db: The database.
        leftover: The plugins that are not here any more.
        present: Those that are; `sleep_diary` may be, when `sleep` is not.
    """
    owners = sorted({*leftover, *present}, key=len, reverse=True)
    rows = await db.fetch_all("SELECT t.name FROM {tables} t ORDER BY t.name")
    return [
        row["name"]
        for row in rows
        if next((it for it in owners if row["name"].startswith(f"{it}_")), None) in leftover
    ]


async def _begin(
    tx: Tx, present: set[str], wanted: Sequence[Migration], now_ms: int
) -> tuple[bool, list[Migration], tuple[str, ...]]:
    """Compare what ran with what is wanted; fill an empty database at once."""
    await tx.execute(_TABLE)
    applied = {
        (row["plugin"], row["name"]): row["checksum"]
        for row in await tx.fetch_all("SELECT plugin, name, checksum FROM wellio_migration")
    }
    _refuse_strangers(present, wanted, applied)
    pending = [m for m in wanted if (m.plugin, m.name) not in applied]
    if not applied:
        for migration in pending:
            await _apply(tx, migration, now_ms)
    leftover = {plugin for plugin, _ in applied} - present
    return not applied, pending, tuple(sorted(leftover))


def _refuse_strangers(
    present: set[str], wanted: Sequence[Migration], applied: dict[tuple[str, str], str]
) -> None:
    known = {(m.plugin, m.name): m.checksum for m in wanted}
    changed, newer = [], []
    for key, checksum in applied.items():
        if key in known and known[key] != checksum:
            changed.append("/".join(key))
        elif key not in known and key[0] in present:
            newer.append("/".join(key))
    if changed:
        raise DatabaseError(
            f"migrations were changed after they ran: {', '.join(sorted(changed))}; "
            "put them back and write a new one"
        )
    if newer:
        raise DatabaseError(
            f"the database is newer than this program, which does not know: "
            f"{', '.join(sorted(newer))}; start the newer program, or restore a backup"
        )


async def _apply_once(tx: Tx, migration: Migration, now_ms: int) -> None:
    """Run a migration, unless a program that started at the same time was first."""
    done = await tx.fetch_one(
        "SELECT 1 FROM wellio_migration WHERE plugin = :plugin AND name = :name",
        plugin=migration.plugin,
        name=migration.name,
    )
    if not done:
        await _apply(tx, migration, now_ms)


async def _apply(tx: Tx, migration: Migration, now_ms: int) -> None:
    try:
        if migration.path.suffix == ".py":
            await _python(migration)(tx)
        else:
            for statement in split_script(migration.text):
                await tx.execute(statement)
    except Exception as error:
        raise DatabaseError(
            f"migration {migration.plugin}/{migration.name} failed: {error}"
        ) from error
    await tx.execute(
        "INSERT INTO wellio_migration (plugin, name, checksum, applied_at) "
        "VALUES (:plugin, :name, :checksum, :now_ms)",
        plugin=migration.plugin,
        name=migration.name,
        checksum=migration.checksum,
        now_ms=now_ms,
    )


def _python(migration: Migration) -> Callable[[Tx], Awaitable[Any]]:
    spec = importlib.util.spec_from_file_location(migration.path.stem, migration.path)
    if spec is None or spec.loader is None:
        raise DatabaseError(f"{migration.path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    run: Callable[[Tx], Awaitable[Any]] = module.migrate
    return run


async def _back_up(engine: Engine, backups: Path, now_ms: int) -> Path | None:
    await asyncio.to_thread(make_folder, backups)
    target = backups / f"before-migration-{now_ms}.db"
    if not await engine.backup(target):
        return None
    await asyncio.to_thread(_prune, backups)
    return target


def _prune(backups: Path) -> None:
    for old in sorted(backups.glob("before-migration-*.db"))[:-_KEPT_BACKUPS]:
        old.unlink()
