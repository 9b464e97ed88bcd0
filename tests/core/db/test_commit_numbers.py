"""Numbers of SQLite's commits: each higher than all before, whatever fails, ends or is killed."""

import asyncio
import shutil
from pathlib import Path
from random import Random

import pytest

from wellio.db import commit_numbers, connect
from wellio.db.base import Engine, Tx
from wellio.db.migrate import Source, migrate
from wellio.errors import DatabaseError

_LOG = "CREATE TABLE log (place {serial}, n {int} NOT NULL) {strict}"
_ADD = "INSERT INTO log (n) SELECT {commit above 0}"


class Refused(Exception):
    """What a body raises after it wrote."""


async def add(tx: Tx, *, fails: bool = False, is_wrong: bool = False) -> None:
    await tx.execute(_ADD)
    if is_wrong:
        await tx.execute("INSERT INTO log (n) VALUES (NULL)")
    if fails:
        raise Refused


async def open_folder(folder: Path) -> Engine:
    engine = await connect(None, data_dir=folder)
    await migrate(engine, [Source.of_package("wellio", "wellio")], backups=None, now_ms=0)
    return engine


async def numbers(db: Engine) -> list[int]:
    return [row["n"] for row in await db.fetch_all("SELECT n FROM log ORDER BY place")]


@pytest.mark.parametrize("block", [1, 3, 2**20])
async def test_no_number_comes_twice(
    block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit_numbers, "BLOCK", block)
    chance = Random(block)  # noqa: S311 - the same steps each time
    folder = tmp_path / "0"
    folder.mkdir()
    db = await open_folder(folder)
    await db.write_schema(_make)
    for step in range(1, 60):
        match chance.choice(["one", "one", "fails", "wrong", "together", "ends", "is killed"]):
            case "one":
                await db.write(add)
            case "fails":
                with pytest.raises(Refused):
                    await db.write(add, fails=True)
            case "wrong":
                with pytest.raises(DatabaseError):
                    await db.write(add, is_wrong=True)
            case "together":
                bodies = [db.write(add, fails=n % 4 == 1) for n in range(9)]
                await asyncio.gather(*bodies, return_exceptions=True)
            case "ends":
                await db.close()
                db = await open_folder(folder)
            case "is killed":  # what is on the disk at this moment, is there afterwards
                folder, killed = tmp_path / str(step), folder
                shutil.copytree(killed, folder)
                await db.close()
                db = await open_folder(folder)
    kept = await numbers(db)
    await db.close()
    assert kept == sorted(kept)
    assert len(kept) > 40


async def test_one_commit_has_one_number(tmp_path: Path) -> None:
    async def twice(tx: Tx) -> None:
        await add(tx)
        await add(tx)

    db = await open_folder(tmp_path)
    await db.write_schema(_make)
    for _ in range(3):
        await db.write(twice)
    kept = await numbers(db)
    await db.close()
    assert kept[::2] == kept[1::2]
    assert len(set(kept)) == 3


async def test_a_block_that_was_undone_is_forgotten(tmp_path: Path) -> None:
    """Else the next start would give out the numbers of a block that the row does not know."""
    db = await open_folder(tmp_path)
    await db.write_schema(_make)
    with pytest.raises(Refused):
        await db.write(add, fails=True)  # the first of its transaction, which takes the block
    await db.write(add)
    [kept] = await numbers(db)
    await db.close()
    db = await open_folder(tmp_path)
    [row] = await db.fetch_all("SELECT next FROM wellio_commit_block")
    await db.close()
    assert kept < row["next"]


async def _make(tx: Tx) -> None:
    await tx.execute(_LOG)
