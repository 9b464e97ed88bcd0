"""What cannot be committed was not done, and nobody hears of it."""

import sqlite3
from collections.abc import Callable
from contextlib import closing

import asyncpg
import pytest

from tests.core.events.conftest import Node, Noted, effect
from wellio.db.base import Engine, Tx
from wellio.errors import DatabaseError
from wellio.testing.engines import postgres_url

#: A key that is looked at with the commit; the product's own SQL cannot ask for one.
BOOKS = """
CREATE TABLE author (id TEXT PRIMARY KEY);
CREATE TABLE book (
    id TEXT PRIMARY KEY,
    author_id TEXT NOT NULL REFERENCES author (id) DEFERRABLE INITIALLY DEFERRED
);
"""


async def make_books(db: Engine) -> None:
    """Make the tables behind the product's back."""
    if db.engine == "sqlite":
        [row] = await db.fetch_all("SELECT file FROM pragma_database_list WHERE name = 'main'")
        with closing(sqlite3.connect(row["file"])) as connection:
            connection.executescript(BOOKS)
    else:
        [row] = await db.fetch_all("SELECT current_database() AS name")
        direct = await asyncpg.connect(postgres_url(row["name"]))
        await direct.execute(BOOKS)
        await direct.close()


async def test_nobody_hears_of_what_could_not_be_committed(
    db: Engine, node: Callable[..., Node]
) -> None:
    one, heard = node(), list[str]()
    one.bus.subscribe(Noted, lambda event: heard.append(event.thing_id))
    one.follow("follower")
    await one.start()
    await make_books(db)

    async def orphan(tx: Tx) -> str:
        await tx.execute("INSERT INTO book (id, author_id) VALUES ('b', 'nobody')")
        await effect(tx, "writer", "orphan")
        tx.after_commit(heard.append, "called back")
        await one.bus.publish(tx, Noted(thing_id="orphan"))
        return "done"

    with pytest.raises(DatabaseError):
        await db.write(orphan)
    await one.bus.settled()
    assert heard == []
    for table in ("book", "effect", "wellio_event"):
        assert await db.fetch_all(f"SELECT * FROM {table}") == [], table
    await one.note("after")
    assert heard == ["after"]
