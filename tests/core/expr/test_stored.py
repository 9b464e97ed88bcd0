"""Segments over real tables: what a condition selects is what Python says holds."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.core.expr.conftest import NOW
from wellio import Expression, ExpressionField
from wellio.db.base import Engine, Tx
from wellio.testing.engines import ENGINES, Databases, EngineName

LATEST = """(
    SELECT e.value FROM entry e WHERE e.client_id = c.id AND e.metric = :metric_0
    ORDER BY e.at DESC LIMIT 1
)"""
SCHEMA = {
    "name": ExpressionField("text", "c.name"),
    "visits": ExpressionField("number", "c.visits"),
    "isActive": ExpressionField("bool", "c.is_active"),
    "lastSeenAt": ExpressionField("instant", "c.last_seen_at"),
    "labels": ExpressionField(
        "texts", "SELECT l.label FROM label l WHERE l.client_id = c.id AND l.label IS NOT NULL"
    ),
    "channels": ExpressionField("texts", "SELECT value FROM {json_texts}(c.channels)"),
    "sleep": ExpressionField("number", LATEST, {"metric_0": "sleep"}),
}
CLIENTS: dict[str, dict[str, Any]] = {
    "ada": {
        "name": "Ada",
        "visits": 12,
        "isActive": True,
        "lastSeenAt": NOW - 86_400_000,
        "labels": ["vip", None],
        "channels": ["mail", "chat"],
        "sleep": [(1, 4.0), (2, 7.5)],
    },
    "bob": {
        "name": "bob",
        "visits": None,
        "isActive": False,
        "lastSeenAt": NOW - 40 * 86_400_000,
        "labels": [],
        "channels": None,
        "sleep": [],
    },
    "cid": {
        "name": None,
        "visits": 0,
        "isActive": None,
        "lastSeenAt": None,
        "labels": ["evening"],
        "channels": [],
        "sleep": [(1, 1e300)],
    },
}


def op(name: str, *args: Any, **members: Any) -> dict[str, Any]:
    return {"op": name, "args": list(args), **members}


async def fill(tx: Tx) -> None:
    await tx.execute(
        "CREATE TABLE client (id {text} PRIMARY KEY, name {text}, visits {int}, "
        "is_active {bool}, last_seen_at {int}, channels {json}) {strict}"
    )
    await tx.execute("CREATE TABLE label (client_id {text}, label {text}) {strict}")
    await tx.execute(
        "CREATE TABLE entry (client_id {text}, metric {text}, at {int}, value {float}) {strict}"
    )
    for client_id, client in CLIENTS.items():
        channels = client["channels"]
        await tx.execute(
            "INSERT INTO client VALUES (:id, :name, :visits, :is_active, :last_seen_at, :channels)",
            id=client_id,
            name=client["name"],
            visits=client["visits"],
            is_active=client["isActive"],
            last_seen_at=client["lastSeenAt"],
            channels=None if channels is None else str(channels).replace("'", '"'),
        )
        for label in client["labels"]:
            await tx.execute("INSERT INTO label VALUES (:id, :label)", id=client_id, label=label)
        for at, value in client["sleep"]:
            await tx.execute(
                "INSERT INTO entry VALUES (:id, 'sleep', :at, :value)",
                id=client_id,
                at=at,
                value=value,
            )


@pytest.fixture(params=ENGINES)
async def db(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Engine]:
    name: EngineName = request.param
    async with Databases(name, tmp_path).open() as engine:
        await engine.write_schema(fill)
        yield engine


def field(name: str) -> dict[str, str]:
    return {"field": name}


@pytest.mark.parametrize(
    "form, selected",
    [
        (op("gte", field("visits"), 0), {"ada", "cid"}),
        (op("not", op("gt", field("visits"), 5)), {"cid"}),
        (op("eq", op("lower", field("name")), "bob"), {"bob"}),
        (op("lt", field("name"), "a"), {"ada"}),
        (field("isActive"), {"ada"}),
        (op("not", op("coalesce", field("isActive"), False)), {"bob", "cid"}),
        (op("gt", op("days_between", field("lastSeenAt"), {"instant": "now"}), 30), {"bob"}),
        (op("is_null", field("lastSeenAt")), {"cid"}),
        (op("has", field("labels"), "vip"), {"ada"}),
        (op("not", op("has", field("labels"), "vip")), {"bob", "cid"}),
        (op("has", field("channels"), "chat"), {"ada"}),
        (op("gt", field("sleep"), 7), {"ada"}),
        (op("is_null", field("sleep")), {"bob", "cid"}),
        (
            op("gt", op("mean", field("visits"), field("sleep"), minAnswered=1), 5),
            {"ada"},
        ),
    ],
)
async def test_a_condition_selects_those_of_whom_it_is_true(
    db: Engine, form: Any, selected: set[str]
) -> None:
    condition = Expression.check(form, SCHEMA, returns="bool")
    where = condition.to_sql(now=NOW)
    rows = await db.fetch_all("SELECT c.id FROM client c WHERE " + where.sql, **where.params)
    assert {row["id"] for row in rows} == selected
    holds = {
        client_id
        for client_id, client in CLIENTS.items()
        if condition.evaluate(
            {
                **client,
                "labels": [label for label in client["labels"] if label is not None],
                "sleep": client["sleep"][-1][1] if client["sleep"] else None,
            },
            now=NOW,
        )
    }
    assert holds == selected


async def test_two_expressions_stand_in_one_statement(db: Engine) -> None:
    order = Expression.check(op("coalesce", field("visits"), -1), SCHEMA).to_sql(
        now=NOW, prefix="ordering"
    )
    where = Expression.check(op("ne", field("name"), "ada"), SCHEMA).to_sql(now=NOW)
    rows = await db.fetch_all(
        "SELECT c.id FROM client c WHERE " + where.sql + " ORDER BY " + order.sql,
        **where.params,
        **order.params,
    )
    assert [row["id"] for row in rows] == ["bob", "ada"]
