"""What a start asks of a Postgres server, and says in a sentence where it is not so."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from tests.core.db.pooler import Others, Pooler
from wellio.db import connect
from wellio.errors import DatabaseError
from wellio.observe.examinations.examination import look
from wellio.testing.engines import Databases, postgres


async def run(sql: str) -> None:
    connection = await asyncpg.connect(postgres().url())
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    databases = Databases("postgres", tmp_path / "databases")
    made, _ = await databases.create()
    yield made
    await databases.drop(made)


async def refused(url: str, folder: Path) -> str:
    with pytest.raises(DatabaseError) as caught:
        await connect(url, data_dir=folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


async def test_a_server_that_is_well(url: str, tmp_path: Path) -> None:
    db = await connect(url, data_dir=tmp_path)
    found = await look(db.examinations())
    await db.close()
    assert {it.name: it.status for it in found} == dict.fromkeys(
        ("postgres", "durability", "standby", "encoding", "connections", "pooler"), "ok"
    )


@pytest.mark.parametrize("others", ["refuse", "ignore", "pass"])
async def test_transaction_pooling_is_named(url: str, tmp_path: Path, others: Others) -> None:
    async with Pooler(url, others).running() as pooled:
        said = await refused(pooled, tmp_path)
        assert "transaction pooling" in said
        assert "pool_mode = session" in said
    await (await connect(url, data_dir=tmp_path)).close()


async def test_another_encoding_is_refused(tmp_path: Path) -> None:
    await run("CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'"
              " TEMPLATE template0")  # fmt: skip
    said = await refused(postgres().url("latin"), tmp_path)
    assert said.startswith("encoding LATIN1, UTF8 needed: make another database")
    await run("DROP DATABASE latin")


@pytest.mark.parametrize("limit", [0, 1, 2, 9])
async def test_too_few_connections_are_refused_with_the_number(
    url: str, tmp_path: Path, limit: int
) -> None:
    await run(f"CREATE ROLE few LOGIN CONNECTION LIMIT {limit}")
    try:
        said = await refused(url.replace("//postgres:", "//few:"), tmp_path)
    finally:
        await run("DROP ROLE few")
    assert "10" in said
    assert "connections" in said
    assert limit == 0 or said.startswith(f"the role allows {limit} connections, 10 needed")


async def test_a_database_can_have_a_limit_too(url: str, tmp_path: Path) -> None:
    name = url.partition("?")[0].rpartition("/")[2]
    await run(f'CREATE ROLE many LOGIN; ALTER DATABASE "{name}" CONNECTION LIMIT 3')
    try:
        said = await refused(url.replace("//postgres:", "//many:"), tmp_path)
    finally:
        await run("DROP ROLE many")
    assert said.startswith("the database allows 3 connections, 10 needed")
