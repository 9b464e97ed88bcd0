"""Every statement of the clients' room finds its rows by an index, on both engines."""

from collections.abc import Iterator
from typing import Any

import pytest
from wellio_practice.clients import store, team

from wellio.db.dialect import SQLITE
from wellio.testing import StartApp
from wellio.testing.engines import explain

NUMBERS, JSON = {"now", "limit"}, {"metadata", "nothing"}
VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE")
#: What reads a whole table on purpose: the staff are few. (A list of an owner's reads all clients.)
WHOLE = {"wellio_practice.clients.store._STAFF"}
#: The views of auth are read by their own indexes, which its tests look after.
OURS = ("SCAN a", "SCAN b", "SCAN c", "SCAN ct", "SCAN p", "SCAN t")


def statements() -> Iterator[tuple[str, str]]:
    """Return each whole statement with its name."""
    for module in (store, team):
        for name, text in vars(module).items():
            is_sql = isinstance(text, str) and text.strip().startswith(VERBS)
            if is_sql and name.isupper() and ("WHERE" in text or "VALUES" in text):
                yield f"{module.__name__}.{name}", text


def values(sql: str) -> dict[str, Any]:
    """Return something for each parameter."""
    statement = SQLITE.statement(sql)
    lists: dict[str, Any] = {name: ["a"] for name in statement.as_json}
    known = lists | dict.fromkeys(NUMBERS, 1) | dict.fromkeys(JSON, "{}")
    return {name: known.get(name, "a") for name in statement.names}


async def test_every_statement_uses_an_index(
    wellio_app: StartApp, subtests: pytest.Subtests
) -> None:
    db, seen = (await wellio_app()).app.db, 0
    for name, sql in statements():
        if name in WHOLE:
            continue
        with subtests.test(name):
            plan = await explain(db, sql, **values(sql))
            for line in plan.splitlines():
                step = line.strip().removeprefix("->").strip()
                whole = step.startswith("Seq Scan on practice_") or step in OURS
                assert not whole, f"{sql}\n{plan}"
        seen += 1
    assert seen > 12
