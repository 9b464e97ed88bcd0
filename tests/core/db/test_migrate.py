"""Migrations: forward only, whole or not at all, and never past what this program knows."""

import asyncio
import sqlite3
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.core.db.conftest import one
from wellio.db import connect
from wellio.db.base import Engine
from wellio.db.migrate import MigrationError, Report, Source, leftover_tables, migrate
from wellio.errors import DatabaseError
from wellio.testing.engines import Databases, EngineName

INIT = """
-- A table; with a semicolon in this comment
CREATE TABLE core_note (id {text} PRIMARY KEY, body {text} NOT NULL DEFAULT 'a;b') {strict};
CREATE INDEX core_note_body ON core_note (body);
"""
SEED = "INSERT INTO core_note (id) VALUES ('one'); INSERT INTO core_note (id) VALUES ('two');"
PYTHON = """
async def migrate(tx):
    for row in await tx.fetch_all("SELECT id FROM core_note"):
        await tx.execute(
            "UPDATE core_note SET body = :body WHERE id = :id", id=row["id"], body=row["id"].upper()
        )
"""
CHILD = """
CREATE TABLE chat_line (
    id {text} PRIMARY KEY, note {text} NOT NULL REFERENCES core_note (id) ON DELETE CASCADE
) {strict};
INSERT INTO chat_line VALUES ('l', 'one');
"""


@pytest.fixture
def databases(engine_name: EngineName, tmp_path: Path) -> Databases:
    return Databases(engine_name, tmp_path / "databases")


class Program:
    """The migrations that one version of the program brings along."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plugins: list[str] = []
        self.now_ms = 1_000_000_000_000

    def add(self, plugin: str, files: Mapping[str, str]) -> None:
        (self.folder / plugin).mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (self.folder / plugin / name).write_text(text)
        if plugin not in self.plugins:
            self.plugins.append(plugin)

    async def start(self, db: Engine) -> Report:
        self.now_ms += 1000
        sources = [Source(plugin, self.folder / plugin) for plugin in self.plugins]
        return await migrate(db, sources, backups=self.folder / "backups", now_ms=self.now_ms)

    def backups(self) -> list[Path]:
        return sorted((self.folder / "backups").glob("*"))


@pytest.fixture
def program(tmp_path: Path) -> Program:
    program = Program(tmp_path / "program")
    program.add("core", {"0001_init.sql": INIT})
    return program


async def notes(db: Engine) -> list[tuple[str, str]]:
    rows = await db.fetch_all("SELECT id, body FROM core_note ORDER BY id")
    return [(row["id"], row["body"]) for row in rows]


async def recorded(db: Engine) -> list[str]:
    rows = await db.fetch_all("SELECT plugin, name FROM wellio_migration ORDER BY plugin, name")
    return [f"{row['plugin']}/{row['name']}" for row in rows]


async def exists(db: Engine, table: str) -> bool:
    try:
        await db.fetch_all(f"SELECT 1 FROM {table}")
    except DatabaseError:
        return False
    return True


async def test_a_first_start_runs_everything_without_a_backup(db: Engine, program: Program) -> None:
    program.add("core", {"0002_seed.sql": SEED, "0003_upper.py": PYTHON})
    program.add("chat", {"0001_init.sql": CHILD})
    report = await program.start(db)
    assert report.applied == (
        "core/0001_init",
        "core/0002_seed",
        "core/0003_upper",
        "chat/0001_init",
    )
    assert (report.leftover, report.backup) == ((), None)
    assert await notes(db) == [("one", "ONE"), ("two", "TWO")]
    assert len(await recorded(db)) == 4
    assert program.backups() == []
    assert (await program.start(db)).applied == ()


async def test_a_first_start_that_fails_leaves_nothing(db: Engine, program: Program) -> None:
    program.add("core", {"0002_broken.sql": "CREATE TABLE core_x (a {int}) {strict}; SELEC 1;"})
    with pytest.raises(DatabaseError, match="core/0002_broken failed"):
        await program.start(db)
    for table in ("core_note", "core_x", "wellio_migration"):
        assert not await exists(db, table)
    program.add("core", {"0002_broken.sql": SEED})
    await program.start(db)
    assert len(await notes(db)) == 2


async def test_an_upgrade_runs_what_is_new_after_a_backup(
    db: Engine, program: Program, engine_name: EngineName
) -> None:
    await program.start(db)
    program.add("core", {"0002_seed.sql": SEED})
    report = await program.start(db)
    assert report.applied == ("core/0002_seed",)
    assert len(await notes(db)) == 2
    if engine_name == "sqlite":
        assert report.backup in program.backups()
        copy = sqlite3.connect(str(report.backup))
        assert copy.execute("SELECT count(*) FROM core_note").fetchone() == (0,)
        copy.close()


async def test_three_backups_are_kept(
    db: Engine, program: Program, engine_name: EngineName
) -> None:
    await program.start(db)
    made = []
    for number in range(2, 7):
        program.add("core", {f"000{number}_x.sql": f"CREATE TABLE core_{number} (a {{int}})"})
        made.append((await program.start(db)).backup)
    assert program.backups() == (made[-3:] if engine_name == "sqlite" else [])


async def test_an_upgrade_that_fails_leaves_what_was_before(db: Engine, program: Program) -> None:
    program.add("air", {"0001_init.sql": "CREATE TABLE air_day (id {text}) {strict};"})
    program.plugins.sort()
    await program.start(db)
    program.add("air", {"0002_more.sql": "INSERT INTO air_day (id) VALUES ('monday');"})
    program.add(
        "core",
        {
            "0002_seed.sql": SEED,
            "0003_half.sql": "DELETE FROM core_note; INSERT INTO core_note (id) VALUES (NULL);",
            "0004_never.sql": "DELETE FROM core_note;",
        },
    )
    with pytest.raises(DatabaseError, match="core/0003_half failed"):
        await program.start(db)
    assert await notes(db) == []
    assert await recorded(db) == ["air/0001_init", "air/0002_more", "core/0001_init"]
    kept = program.backups()
    with pytest.raises(DatabaseError, match="core/0003_half failed"):
        await program.start(db)
    assert program.backups() == kept  # a start that did nothing pushes out no copy


async def test_a_migration_that_was_changed_after_it_ran_stops_the_start(
    db: Engine, program: Program
) -> None:
    await program.start(db)
    program.add("core", {"0001_init.sql": INIT + " ", "0002_seed.sql": SEED})
    with pytest.raises(DatabaseError, match=r"changed after they ran: core/0001_init;"):
        await program.start(db)
    assert await notes(db) == []


async def test_an_older_program_refuses_a_newer_database(db: Engine, program: Program) -> None:
    program.add("core", {"0002_seed.sql": SEED})
    program.add("chat", {"0001_init.sql": CHILD})
    await program.start(db)
    (program.folder / "core" / "0002_seed.sql").unlink()
    with pytest.raises(DatabaseError, match=r"newer than this program.*core/0002_seed"):
        await program.start(db)
    (program.folder / "core" / "0001_init.sql").unlink()
    with pytest.raises(DatabaseError, match="newer than this program"):
        await program.start(db)


async def test_a_removed_plugin_is_left_over_and_blocks_nobody(
    db: Engine, program: Program
) -> None:
    program.add("core", {"0002_seed.sql": SEED})
    program.add("chat", {"0001_init.sql": CHILD})
    await program.start(db)
    program.plugins.remove("chat")
    program.add("core", {"0003_upper.py": PYTHON})
    report = await program.start(db)
    assert (report.applied, report.leftover) == (("core/0003_upper",), ("chat",))


async def test_the_tables_of_a_removed_plugin_are_told_from_those_of_others(
    db: Engine, program: Program
) -> None:
    for name in ("sleep", "sleep_diary", "sleeper"):
        sql = f"CREATE TABLE {name}_night (id {{text}}); CREATE TABLE {name}_nap (id {{text}});"
        program.add(name, {"0001_init.sql": sql})
    await program.start(db)
    found = await leftover_tables(db, ["sleep"], ["sleep_diary", "sleeper"])
    assert found == ["sleep_nap", "sleep_night"]
    assert await leftover_tables(db, [], ["sleep", "sleep_diary", "sleeper"]) == []


async def test_engines_that_must_differ_have_a_file_each(
    db: Engine, program: Program, engine_name: EngineName
) -> None:
    program.add(
        "core",
        {
            "0002_own.sqlite.sql": """
                CREATE TRIGGER core_shout AFTER INSERT ON core_note BEGIN
                    UPDATE core_note SET body = 'sqlite' WHERE id = new.id;
                END;
            """,
            "0002_own.postgres.sql": """
                CREATE FUNCTION core_shout() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN new.body := 'postgres'; RETURN new; END $$;
                CREATE TRIGGER core_shout BEFORE INSERT ON core_note
                    FOR EACH ROW EXECUTE FUNCTION core_shout();
            """,
            "0003_seed.sql": SEED,
        },
    )
    report = await program.start(db)
    assert report.applied[1] == "core/0002_own"
    assert await notes(db) == [("one", engine_name), ("two", engine_name)]


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("init.sql", "is not named"),
        ("0002_Upper.sql", "is not named"),
        ("0002_x.mysql.sql", "is not named"),
        ("0001_again.sql", "two migrations 0001"),
    ],
)
async def test_a_misnamed_file_stops_the_start(
    db: Engine, program: Program, name: str, complaint: str
) -> None:
    program.add("core", {name: SEED})
    with pytest.raises(DatabaseError, match=complaint):
        await program.start(db)


async def test_a_migration_may_rebuild_a_table_but_not_orphan_its_rows(
    db: Engine, program: Program, engine_name: EngineName
) -> None:
    line = "CREATE TABLE core_line (note {text} NOT NULL REFERENCES core_note (id)) {strict};"
    program.add("core", {"0002_seed.sql": f"{SEED} {line} INSERT INTO core_line VALUES ('one');"})
    program.add("chat", {"0001_init.sql": CHILD})
    await program.start(db)
    if engine_name == "sqlite":  # there it is the way to change a column
        program.add(
            "core",
            {
                "0003_rebuild.sqlite.sql": """
                    CREATE TABLE core_new (id {text} PRIMARY KEY, body {text}, n {int}) {strict};
                    INSERT INTO core_new (id, body) SELECT id, body FROM core_note;
                    DROP TABLE core_note;
                    ALTER TABLE core_new RENAME TO core_note;
                """
            },
        )
        await program.start(db)
        assert len(await notes(db)) == 2
    program.add("core", {"0004_orphan.sql": "DELETE FROM core_note WHERE id = 'one'"})
    with pytest.raises(DatabaseError):
        await program.start(db)
    assert len(await notes(db)) == 2


async def test_two_programs_that_start_at_once_migrate_once(
    databases: Databases, program: Program, engine_name: EngineName
) -> None:
    program.add("core", {"0002_seed.sql": SEED})
    url, data_dir = await databases.create()
    # Each has a folder of its own; an SQLite database is in the folder, so there is only one.
    folders = [data_dir] if engine_name == "sqlite" else [data_dir / name for name in "abc"]
    engines = [await connect(url, data_dir=folder) for folder in folders]
    await asyncio.gather(*(program.start(engine) for engine in engines))
    program.add("core", {"0003_more.sql": "INSERT INTO core_note (id) VALUES ('three')"})
    await asyncio.gather(*(program.start(engine) for engine in engines))
    assert [row[0] for row in await notes(engines[0])] == ["one", "three", "two"]
    for engine in engines:
        await engine.close()
    await databases.drop(url)


async def test_a_package_brings_its_folder_and_a_room_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("roomy", "roomy/booking"):
        (tmp_path / package / "migrations").mkdir(parents=True)
        (tmp_path / package / "__init__.py").touch()
        (tmp_path / package / "migrations" / "0001_init.sql").write_text("SELECT 1")
    monkeypatch.syspath_prepend(tmp_path)
    names = [
        Source.of_package("roomy", package).migrations("sqlite")[0].name
        for package in ("roomy", "roomy.booking")
    ]
    assert names == ["0001_init", "booking/0001_init"]
    (tmp_path / "onefile.py").touch()
    with pytest.raises(DatabaseError, match="a plugin with tables is a folder, not one file"):
        Source.of_package("onefile", "onefile")
    for missing in ("roomy.billing", "nobody"):
        with pytest.raises(DatabaseError, match="has no folder migrations"):
            Source.of_package("roomy", missing)


async def test_the_cores_own_migrations_run(db: Engine, tmp_path: Path) -> None:
    source = Source.of_package("wellio", "wellio")
    report = await migrate(db, [source], backups=tmp_path, now_ms=1)
    assert report.applied
    assert (await one(db, "SELECT count(*) FROM wellio_event"))[0] == 0


#: What a plugin `mood` must not do, and what is said of it.
TRESPASSES = [
    ("CREATE TABLE note (id {text}) {strict};", "it makes note, whose name has to begin with"),
    ("CREATE TABLE core_mood (id {text}) {strict};", "it makes core_mood"),
    ("CREATE VIEW core_v_x AS SELECT 1 AS one;", "it makes core_v_x"),
    ("ALTER TABLE core_note ADD COLUMN mood {text};", "it changes core_note, which is core's"),
    ("DROP TABLE chat_line;", "it changes chat_line, which is chat's"),
    ("CREATE INDEX mood_x ON core_note (id);", "it changes core_note"),
    ("DROP INDEX core_note_body;", "it changes core_note"),
    ("CREATE TABLE mood_a (n {text} REFERENCES core_note (id)) {strict};", "mood_a.n refers to"),
    (
        "CREATE TABLE mood_a (n {text} REFERENCES core_note (id) ON DELETE RESTRICT) {strict};",
        "keeps it from being deleted",
    ),
    (
        "CREATE TABLE mood_a (n {text} NOT NULL REFERENCES core_note (id) ON DELETE SET NULL);",
        "or SET NULL where it may be null",
    ),
    ("CREATE TABLE mood_a (id {text}) {strict}; -- so\nCOMMIT;", "COMMIT has no place"),
    ("PRAGMA foreign_keys = OFF;", "PRAGMA has no place"),
    ("CREATE TABEL x (id {text});", "mood/0001_init failed"),
]


async def test_a_plugin_keeps_to_its_own_tables(db: Engine, program: Program) -> None:
    program.add("core", {"0002_seed.sql": SEED})
    program.add("chat", {"0001_init.sql": CHILD})
    await program.start(db)
    for sql, complaint in TRESPASSES:
        program.add("mood", {"0001_init.sql": sql})
        with pytest.raises(MigrationError, match=complaint) as caught:
            await program.start(db)
        assert caught.value.plugin == "mood"
    assert not await exists(db, "mood_a")
    own = """
        CREATE TABLE mood_a (id {text} PRIMARY KEY, n {text} REFERENCES core_note (id)
            ON DELETE SET NULL, c {text} NOT NULL REFERENCES chat_line (id) ON DELETE CASCADE,
            b {text} REFERENCES mood_a (id)) {strict};
        CREATE VIEW mood_v_a AS SELECT a.id FROM mood_a a JOIN core_note n ON n.id = a.n;
        UPDATE core_note SET body = 'read';
    """
    program.add("mood", {"0001_init.sql": own})
    await program.start(db)
