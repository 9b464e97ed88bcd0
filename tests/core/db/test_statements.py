"""Every statement that the source spells out is one that Postgres understands.

What people do is tried on SQLite where nothing but plain statements is reached. So each statement
is prepared here on Postgres once, against the tables of all plugins: its words, tables, columns and
types. What it does with rows is for the tests that run it.
"""

import ast
import importlib
from collections.abc import Callable, Iterator
from typing import Any

import asyncpg

from tests.core.source_tree import Source, read
from wellio.db.dialect import POSTGRES
from wellio.testing.engines import Databases, EngineName

CALLS = {"execute", "execute_many", "fetch_all", "fetch_one", "insert", "lock"}


def spelled_out(source: Source) -> Iterator[tuple[int, str]]:
    """Return the statements that a file runs, but those whose text is put together as it runs."""
    for node in ast.walk(source.tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=name), args=[first, *_]) if name in CALLS:
                text = value_of(first, vars(importlib.import_module(source.module)))
                if isinstance(text, str):
                    yield node.lineno, text


def value_of(node: ast.expr, names: dict[str, Any]) -> object:
    """Return what an expression of constants comes to, None where it needs more than those."""
    expression = ast.fix_missing_locations(ast.Expression(node))
    try:
        return eval(compile(expression, "statement", "eval"), names)  # noqa: S307 - our own source
    except NameError:
        return None


async def test_postgres_understands_every_statement(
    wellio_databases: Callable[[EngineName, bool], Databases],
) -> None:
    databases = wellio_databases("postgres", True)
    url, _ = await databases.create()
    connection = await asyncpg.connect(url)
    wrong, count = [], 0
    try:
        for source in read("wellio", "plugins"):
            if source.module.startswith(("wellio.db", "wellio.testing", "wellio.keys.people")):
                continue  # the engines' own, and a database that is SQLite whatever the practice's
            for line, text in spelled_out(source):
                count += 1
                try:
                    await connection.prepare(POSTGRES.statement(text).text)
                except asyncpg.PostgresError as error:
                    wrong.append(f"{source.path}:{line}: {error}")
    finally:
        await connection.close()
        await databases.drop(url)
    assert not wrong, "\n".join(wrong)
    assert count > 150, "a third of them is put together as it runs, no more"
