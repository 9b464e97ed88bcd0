"""Python, SQLite and Postgres, asked the same questions about the same rows."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

import pytest

from wellio import Expression, ExpressionField
from wellio.db.base import Engine, Tx
from wellio.testing.engines import ENGINES, Databases

NOW = 1_790_000_000_000
Row = Mapping[str, Any]

SCHEMA = {
    "n1": ExpressionField("number", "t.n1"),
    "n2": ExpressionField("number", "t.n2"),
    "whole": ExpressionField("number", "t.whole"),
    "t1": ExpressionField("text", "t.t1"),
    "t2": ExpressionField("text", "t.t2"),
    "b1": ExpressionField("bool", "t.b1"),
    "b2": ExpressionField("bool", "t.b2"),
    "at1": ExpressionField("instant", "t.at1"),
    "at2": ExpressionField("instant", "t.at2"),
    "items": ExpressionField("texts", "SELECT value FROM {json_texts}(t.items)"),
}
COLUMNS = {
    "n1": "{float}",
    "n2": "{float}",
    "whole": "{int}",
    "t1": "TEXT",
    "t2": "TEXT",
    "b1": "{bool}",
    "b2": "{bool}",
    "at1": "{int}",
    "at2": "{int}",
    "items": "{json}",
}


def shown(expression: Expression, answer: Any) -> Any:
    """Return an engine's answer as Python has it: a bool of SQLite comes as 0 or 1."""
    return bool(answer) if expression.type == "bool" and answer is not None else answer


class Oracles:
    """Both engines, to be asked from tests that are not coroutines, as hypothesis wants them."""

    def __init__(self, runner: asyncio.Runner, engines: Sequence[Engine]) -> None:
        self._runner = runner
        self.engines = engines

    def fetch(self, engine: Engine, sql: str, **params: Any) -> list[Any]:
        return [tuple(row) for row in self._runner.run(engine.fetch_all(sql, **params))]

    def answers(self, expressions: Sequence[Expression], rows: Sequence[Row]) -> list[list[Any]]:
        """Return what Python answers about each row, once both engines have answered the same."""
        source, params = table(rows)
        return self.compare(expressions, rows, source, params)

    def compare(
        self,
        expressions: Sequence[Expression],
        rows: Sequence[Row],
        source: str,
        params: dict[str, Any],
    ) -> list[list[Any]]:
        """Do the same with rows that are in the database: in `source`, which is named t."""
        expected = [
            [expression.evaluate(row, now=NOW) for expression in expressions] for row in rows
        ]
        fragments = [
            expression.to_sql(now=NOW, prefix=f"e{index}")
            for index, expression in enumerate(expressions)
        ]
        for fragment in fragments:
            params = params | fragment.params
        columns = ", ".join(fragment.sql for fragment in fragments)
        sql = "SELECT " + columns + " FROM " + source + " ORDER BY t.place"
        for engine in self.engines:
            found = [
                [shown(*pair) for pair in zip(expressions, row, strict=True)]
                for row in self.fetch(engine, sql, **params)
            ]
            assert found == expected, engine.engine
        return expected

    def fill(self, source: tuple[str, dict[str, Any]], *, is_first: bool) -> None:
        """Put rows into a table that stays."""

        async def body(tx: Tx) -> None:
            if is_first:
                columns = ", ".join(f"{name} {type_}" for name, type_ in COLUMNS.items())
                await tx.execute("CREATE TABLE all_pairs (place {int}, " + columns + ") {strict}")
            await tx.execute("INSERT INTO all_pairs SELECT * FROM " + source[0], **source[1])

        for engine in self.engines:
            self._runner.run(engine.write(body))


def table(rows: Sequence[Row], start: int = 0) -> tuple[str, dict[str, Any]]:
    """Return SQL of a table `t` that has these rows, counted from `start`, and its parameters."""
    selects, params = [], {}
    for place, row in enumerate(rows, start):
        cells = []
        for name, type_ in COLUMNS.items():
            parameter = f"r{place}_{name}"
            params[parameter] = stored(name, row.get(name))
            cells.append(f"CAST(:{parameter} AS {type_}) AS {name}")
        selects.append(f"SELECT {place} AS place, {', '.join(cells)}")
    return "(" + " UNION ALL ".join(selects) + ") AS t", params


def stored(name: str, value: Any) -> Any:
    """Return a value as a column holds it."""
    if name == "items" and value is not None:
        import orjson

        return orjson.dumps(value).decode()
    return float(value) if name in {"n1", "n2"} and value is not None else value


@pytest.fixture(scope="module")
def oracles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oracles]:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        try:
            engines = [
                runner.run(
                    stack.enter_async_context(Databases(name, tmp_path_factory.mktemp(name)).open())
                )
                for name in ENGINES
            ]
            yield Oracles(runner, engines)
        finally:
            runner.run(stack.aclose())


def check(form: Any) -> Expression:
    return Expression.check(form, SCHEMA)
