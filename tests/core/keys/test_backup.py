"""The copy before a migration holds the database and none of its keys."""

from pathlib import Path

from wellio.db import connect, open_beside
from wellio.db.migrate import Source, migrate
from wellio.keys.ring import MasterRing

SQL = "CREATE TABLE wellio_{} (id {{text}} PRIMARY KEY) {{strict}}"


def program(folder: Path, *names: str) -> list[Source]:
    """Return a program with one migration of each name."""
    folder.mkdir(exist_ok=True)
    for number, name in enumerate(names, 1):
        (folder / f"{number:04}_{name}.sql").write_text(SQL.format(name))
    return [Source("wellio", folder)]


async def test_a_migrations_copy_has_neither_keys_db_nor_secrets(tmp_path: Path) -> None:
    data = tmp_path / "data"
    db = await connect(None, data_dir=data)
    ring = MasterRing.of_folder(data)
    people = await open_beside(data / "keys.db")
    for names in (("a",), ("a", "b")):  # a first start, and an upgrade
        await migrate(people, program(tmp_path / "people", "key"), backups=None, now_ms=1)
        report = await migrate(
            db, program(tmp_path / "program", *names), backups=data / "backups", now_ms=2
        )
    # an upgrade of keys.db itself leaves no copy behind, which an erasure would not reach
    upgrade = program(tmp_path / "people", "key", "more")
    assert (await migrate(people, upgrade, backups=None, now_ms=3)).backup is None
    await people.close()
    await db.close()
    [copy] = (data / "backups").iterdir()
    assert copy == report.backup
    content = copy.read_bytes()
    assert b"wellio_a" in content
    assert b"wellio_key" not in content
    assert ring.newest.secret.hex().encode() not in content
    files = {path.name for path in data.rglob("*") if path.is_file()}
    assert files == {"wellio.db", "wellio.lock", "keys.db", "master.key", copy.name}
