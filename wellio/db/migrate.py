"""Brings a database's schema up to what this program knows: forward only, and never by halves.

A source is a folder `migrations` of `NNNN_name.sql`, or `NNNN_name.sqlite.sql` together with
`NNNN_name.postgres.sql` where the engines must differ, or `NNNN_name.py` with an
`async def migrate(tx)`, or `migrate(tx, derive)` if it needs keys (`Crypto.derive`). What ran is
kept by plugin, name and checksum in `wellio_migration`.
"""

import asyncio
import hashlib
import importlib.util
import inspect
import logging
import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Self

from wellio.errors import DatabaseError, Unavailable
from wellio.files.durability import make_folder

from .base import Database, Engine, Tx
from .catalogue import parts, references
from .ownership import owner_of, refuse_hindrance, refuse_trespass
from .script import split_script

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
_IS_THERE: Final = "SELECT t.name FROM {tables} t WHERE t.name = :name"
#: What would end the transaction of a migration, or reach beyond it, behind comments.
_NOT_HERE: Final = re.compile(
    r"(?:\s|--[^\n]*\n|/\*.*?\*/)*"
    r"(BEGIN|START|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE|PRAGMA|ATTACH|DETACH)\b",
    re.IGNORECASE | re.DOTALL,
)


Derive = Callable[[str], bytes]
"""Returns the key of a purpose, as `Crypto.derive` does."""


class MigrationError(DatabaseError):
    """A plugin's migrations cannot be run, or must not.

    Attributes:
        plugin: Whose they are.
    """

    def __init__(self, plugin: str, message: str) -> None:
        self.plugin = plugin
        super().__init__(message)


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
            MigrationError: There is no such package or folder.
        """
        try:
            spec = importlib.util.find_spec(package)
        except (Exception, SystemExit) as error:  # a package above it, when it is imported
            why = f"the package {package} cannot be found: {type(error).__name__}: {error}"
            raise MigrationError(plugin, f"plugin {plugin}: {why}") from error
        places = list(spec.submodule_search_locations or ()) if spec else []
        folder = Path(places[0]) / "migrations" if places else None
        if folder is None or not folder.is_dir():
            hint = "" if places or not spec else "; a plugin with tables is a folder, not one file"
            raise MigrationError(
                plugin, f"plugin {plugin}: the package {package} has no folder migrations{hint}"
            )
        return cls(plugin, folder, package.partition(".")[2].replace(".", "/"))

    def migrations(self, engine: str) -> list[Migration]:
        """Read the migrations for one engine, in their order.

        Raises:
            MigrationError: A file is misnamed, or no text, or two have one number.
        """
        found: dict[str, Migration] = {}
        for path in sorted(self.folder.iterdir()):
            if path.name.startswith(("__", ".")):
                continue
            match = _FILE.fullmatch(path.name)
            if not match:
                raise self._wrong(f"{path} is not named NNNN_name.sql")
            if match["kind"] not in {".sql", ".py", f".{engine}.sql"}:
                continue
            if match["number"] in found:
                raise self._wrong(f"two migrations {match['number']}")
            try:
                content = path.read_bytes()
                text = content.decode()
            except (OSError, UnicodeDecodeError) as error:
                raise self._wrong(f"{path} cannot be read as text: {error}") from error
            found[match["number"]] = Migration(
                self.plugin,
                "/".join(filter(None, (self.room, path.name.removesuffix(match["kind"])))),
                hashlib.sha256(content).hexdigest(),
                path,
                text,
            )
        return list(found.values())

    def _wrong(self, why: str) -> MigrationError:
        return MigrationError(self.plugin, f"plugin {self.plugin}: {why}")


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


def no_keys(purpose: str) -> bytes:
    """Stand for keys where a database holds nothing that was made with one."""
    raise DatabaseError(f"there is no key for {purpose} here")


async def _without_keys() -> Derive:
    return no_keys


async def migrate(
    engine: Engine,
    sources: Sequence[Source],
    *,
    backups: Path | None,
    now_ms: int,
    keys: Callable[[], Awaitable[Derive]] = _without_keys,
) -> Report:
    """Run what the database lacks: all of a plugin in one transaction, so it is there or not.

    A database that has something already is first copied to `backups` (SQLite), of which the last
    three are kept.

    Args:
        engine: The database; nobody else uses it yet.
        sources: In dependency order.
        backups: The folder for the copies, made when needed; None where there must be no copy.
        now_ms: The time, for the record and the copy's name.
        keys: Returns what derives keys; asked once the first source's migrations are done, which
            are the core's and make the table of the root key.

    Raises:
        MigrationError: A migration was changed after it ran, or the database is newer than this
            program; nothing was done. Or one failed, or did what a plugin's must not: what comes
            before that plugin is done, and nothing of it.
    """
    wanted: dict[str, list[Migration]] = {}
    for source in sources:
        wanted.setdefault(source.plugin, []).extend(source.migrations(engine.engine))
    applied = await engine.write_schema(_applied)
    for plugin, migrations in wanted.items():
        _refuse_strangers(plugin, migrations, applied)
    pending = [m for those in wanted.values() for m in those if (m.plugin, m.name) not in applied]
    leftover = tuple(sorted({plugin for plugin, _ in applied} - wanted.keys()))
    backup = None
    if pending and applied and backups is not None:
        backup = await _back_up(engine, backups, now_ms)
    run = partial(_apply_all, engine.engine, {*wanted, *leftover}, now_ms)
    derive: Derive | None = None
    done: list[str] = []
    if pending and applied:
        LOG.info("migrations: %s", ", ".join(f"{m.plugin}/{m.name}" for m in pending))
    for plugin in dict.fromkeys(m.plugin for m in pending):
        try:
            if derive is None and plugin != sources[0].plugin:
                derive = await keys()
            done += await engine.write_schema(run, derive or no_keys, wanted[plugin])
        except DatabaseError as error:
            if backup is not None and not done:  # it would push out one that is of use
                await asyncio.to_thread(backup.unlink)
            if isinstance(error, MigrationError):
                raise
            raise MigrationError(plugin, f"migrations of {plugin}: {error}") from error
    if leftover:
        LOG.warning("tables of removed plugins are still there: %s", ", ".join(leftover))
    return Report(tuple(f"{m.plugin}/{m.name}" for m in pending), leftover, backup)


async def is_begun(db: Database) -> bool:
    """Tell whether some Wellio has made its tables in a database; it only looks."""
    return await db.fetch_one(_IS_THERE, name="wellio_migration") is not None


async def leftover_tables(
    db: Database, leftover: Collection[str], present: Collection[str]
) -> list[str]:
    """Return the tables of removed plugins: a table's name begins with that of its plugin.

    Args:
        db: The database.
        leftover: The plugins that are not here any more.
        present: Those that are; `sleep_diary` may be, when `sleep` is not.
    """
    plugins = {*leftover, *present}
    rows = await db.fetch_all("SELECT t.name FROM {tables} t ORDER BY t.name")
    return [row["name"] for row in rows if owner_of(row["name"], plugins) in leftover]


async def _applied(tx: Tx) -> dict[tuple[str, str], str]:
    """Return the checksums of what ran; of an empty database nothing, and it stays empty."""
    if not await tx.fetch_one(_IS_THERE, name="wellio_migration"):
        return {}
    rows = await tx.fetch_all("SELECT plugin, name, checksum FROM wellio_migration")
    return {(row["plugin"], row["name"]): row["checksum"] for row in rows}


def _refuse_strangers(
    plugin: str, wanted: Sequence[Migration], applied: Mapping[tuple[str, str], str]
) -> None:
    known = {(m.plugin, m.name): m.checksum for m in wanted}
    changed, newer = [], []
    for key, checksum in applied.items():
        if key in known and known[key] != checksum:
            changed.append("/".join(key))
        elif key not in known and key[0] == plugin:
            newer.append("/".join(key))
    if changed:
        raise MigrationError(
            plugin,
            f"migrations were changed after they ran: {', '.join(sorted(changed))}; "
            "put them back and write a new one",
        )
    if newer:
        raise MigrationError(
            plugin,
            f"the database is newer than this program, which does not know: "
            f"{', '.join(sorted(newer))}; start the newer program, or restore a backup",
        )


async def _apply_all(
    engine: str,
    plugins: Collection[str],
    now_ms: int,
    tx: Tx,
    derive: Derive,
    migrations: Sequence[Migration],
) -> list[str]:
    """Run what a database lacks of a plugin, and return the names of that.

    A program that started at the same time may have been first.
    """
    plugin = migrations[0].plugin
    await tx.execute(_TABLE)
    applied = await _applied(tx)
    pending = [m for m in migrations if (m.plugin, m.name) not in applied]
    before = await parts(tx, engine)
    for migration in pending:
        await _apply(tx, migration, now_ms, derive)
    refuse_trespass(plugin, plugins, before, await parts(tx, engine))
    refuse_hindrance(plugin, plugins, await references(tx, engine))
    return [migration.name for migration in pending]


async def _apply(tx: Tx, migration: Migration, now_ms: int, derive: Derive) -> None:
    try:
        if migration.path.suffix == ".py":
            run = _python(migration)
            await (run(tx, derive) if len(inspect.signature(run).parameters) > 1 else run(tx))
        else:
            for statement in split_script(migration.text):
                if match := _NOT_HERE.match(statement):
                    raise DatabaseError(f"{match[1].upper()} has no place in a migration")
                await tx.execute(statement)
    except Unavailable:
        raise  # the database went away: nobody's migration is to blame
    except (Exception, SystemExit) as error:
        why = f"migration {migration.plugin}/{migration.name} failed: {error}"
        raise MigrationError(migration.plugin, why) from error
    await tx.execute(
        "INSERT INTO wellio_migration (plugin, name, checksum, applied_at) "
        "VALUES (:plugin, :name, :checksum, :now_ms)",
        plugin=migration.plugin,
        name=migration.name,
        checksum=migration.checksum,
        now_ms=now_ms,
    )


def _python(migration: Migration) -> Callable[..., Awaitable[Any]]:
    spec = importlib.util.spec_from_file_location(migration.path.stem, migration.path)
    if spec is None or spec.loader is None:
        raise DatabaseError(f"{migration.path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    run: Callable[..., Awaitable[Any]] = module.migrate
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
