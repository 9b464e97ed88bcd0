"""Nothing from outside reaches the SQL's text: values are parameters, names are looked up."""

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.core.expr.conftest import NOW, Oracles, check
from tests.core.expr.forms import expressions
from wellio import Expression, ExpressionField
from wellio.db.dialect import POSTGRES, SQLITE

HOSTILE = [
    "'; DROP TABLE t; --",
    '"; DROP TABLE t; --',
    "') OR TRUE --",
    ":n1",
    "{rows r (a int)}",
    "{float}",
    "$1",
    "$$",
    "\\' OR 1=1",
    "/*",
    "?",
    "%",
]
#: What the writer's own texts, and the columns of the tests' schema, are made of.
WORDS = re.compile(r"[A-Za-z0-9_.:{}()+\-*/<>=, ]*")


def op(name: str, *args: Any, **members: Any) -> dict[str, Any]:
    return {"op": name, "args": list(args), **members}


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_value_is_a_value(oracles: Oracles, text: str) -> None:
    forms = [
        op("eq", {"field": "t1"}, text),
        op("contains", {"field": "t1"}, text),
        op("in", {"field": "t1"}, "a", text),
        op("has", {"field": "items"}, text),
        op("bands", 1, bands=[{"from": 0, "label": text}]),
    ]
    rows = [{"t1": text, "items": [text]}, {"t1": "other", "items": ["other"]}]
    answers = oracles.answers([check(form) for form in forms], rows)
    assert answers == [[True, True, True, True, text], [False, False, False, False, text]]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_field_name_is_only_looked_up(name: str) -> None:
    field = ExpressionField("text", "t.t1")
    hostile = Expression.check(op("eq", {"field": name}, "a"), {name: field})
    harmless = Expression.check(op("eq", {"field": "name"}, "a"), {"name": field})
    assert hostile.to_sql(now=NOW) == harmless.to_sql(now=NOW)
    assert hostile.evaluate({name: "a"}, now=NOW) is True


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(expressions(depth=4))
def test_the_text_of_the_sql_is_ours(form: Any) -> None:
    fragment = check(form).to_sql(now=NOW)
    assert WORDS.fullmatch(fragment.sql)
    named = set(re.findall(r":(\w+)", fragment.sql))
    assert named == fragment.params.keys()
    for dialect in (SQLITE, POSTGRES):
        assert dialect.statement("SELECT " + fragment.sql).required == fragment.params.keys()


def test_the_same_form_with_other_values_is_the_same_statement() -> None:
    first, second = (
        check(op("and", op("eq", {"field": "t1"}, text), op("gt", {"field": "n1"}, number))).to_sql(
            now=NOW
        )
        for text, number in [("a", 1), ("'", 2)]
    )
    assert first.sql == second.sql
    assert first.params != second.params


def test_fields_with_parameters_keep_them_apart() -> None:
    def metric(name: str, value: str) -> ExpressionField:
        column = "(SELECT m.value FROM t m WHERE m.key = :" + name + ")"
        return ExpressionField("number", column, {name: value})

    form = op("gt", {"field": "weight"}, {"field": "mood"})
    schema = {"weight": metric("m_1", "weight"), "mood": metric("m_2", "mood")}
    assert Expression.check(form, schema).to_sql(now=NOW).params == {"m_1": "weight", "m_2": "mood"}
    taken = {"weight": metric("expr_0", "weight"), "mood": metric("m_2", "mood")}
    with pytest.raises(ValueError, match="expr_0"):
        Expression.check(op("add", {"field": "weight"}, 1), taken).to_sql(now=NOW)
    clash = {"weight": metric("m_1", "weight"), "mood": metric("m_1", "mood")}
    with pytest.raises(ValueError, match="m_1"):
        Expression.check(form, clash).to_sql(now=NOW)


@pytest.mark.parametrize("prefix", ["", "A", "a b", "a;", "1", "a'"])
def test_a_prefix_is_an_identifier(prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        check(1).to_sql(now=NOW, prefix=prefix)


def test_a_field_without_a_column_is_for_python_alone() -> None:
    expression = Expression.check({"field": "q1"}, {"q1": ExpressionField("number")})
    assert expression.evaluate({"q1": 1}, now=NOW) == 1
    with pytest.raises(ValueError, match="q1"):
        expression.to_sql(now=NOW)
