"""A database of each engine for every test that asks for `db`, with one table to play with."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from wellio.db.base import Engine, Row, Tx
from wellio.testing.engines import ENGINES, Databases, EngineName


async def make_table(tx: Tx) -> None:
    await tx.execute(
        "CREATE TABLE t (id {text} PRIMARY KEY, n {int} CHECK (n >= 0), note {text}) {strict}"
    )


async def insert(tx: Tx, row_id: str, n: int = 0) -> str:
    await tx.execute("INSERT INTO t (id, n) VALUES (:id, :n)", id=row_id, n=n)
    return row_id


async def one(where: Engine | Tx, sql: str, **params: object) -> Row:
    row = await where.fetch_one(sql, **params)
    assert row is not None
    return row


async def ids(db: Engine) -> list[str]:
    return [row["id"] for row in await db.fetch_all("SELECT id FROM t ORDER BY id")]


@pytest.fixture(params=ENGINES)
def engine_name(request: pytest.FixtureRequest) -> EngineName:
    name: EngineName = request.param
    return name


@pytest.fixture
def databases(engine_name: EngineName, tmp_path: Path) -> Databases:
    return Databases(engine_name, tmp_path, lambda engine: engine.write_schema(make_table))


@pytest.fixture
async def db(databases: Databases) -> AsyncIterator[Engine]:
    async with databases.open() as engine:
        yield engine
