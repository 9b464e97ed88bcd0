"""The largest expressions that the check lets through are no trouble for any of the three."""

from typing import Any

import pytest

from tests.core.expr.conftest import NOW, Oracles, Row, check
from wellio import Expression, Invalid
from wellio.expr.nodes import MAX_DEPTH, MAX_SCALE, MAX_WEIGHT, Type
from wellio.expr.operator import Operator
from wellio.expr.reader import MAX_NODES
from wellio.expr.table import OPERATORS

N, B = {"field": "n1"}, {"field": "b1"}
ROWS: list[Row] = [
    {"n1": 3, "b1": True, "t1": "a"},
    {"n1": 2.0**53, "n2": 2.0**-53, "whole": -1},
    {},
]
LEAVES: dict[Type, Any] = {
    "number": N,
    "text": {"field": "t1"},
    "bool": B,
    "instant": {"field": "at1"},
    "texts": {"field": "items"},
}
BANDS = [{"from": number, "label": str(number)} for number in range(5)]


def op(name: str, *args: Any, **members: Any) -> dict[str, Any]:
    return {"op": name, "args": list(args), **members}


def made(wanted: Type, form: Any, type_: Type) -> Any:
    """Make a value of one type of a value of another."""
    if wanted == type_:
        return form
    condition = form if type_ == "bool" else op("is_null", form)
    return condition if wanted == "bool" else op("if", condition, LEAVES[wanted], LEAVES[wanted])


def types_of(operator: Operator, count: int) -> list[tuple[Type, ...]]:
    """Return the types allowed for each of its operands."""
    fixed = [group.types for group in operator.takes[:-1] for _ in range(group.least)]
    return fixed + [operator.takes[-1].types] * (count - len(fixed))


def deepest(operator: Operator, place: int) -> tuple[Any, int] | None:
    """Nest an operator in one of its own operands, as often as the check allows."""
    count = max(operator.least, min(operator.most, 3))
    allowed = types_of(operator, count)
    first = allowed[-1][0]
    gives = operator.gives or first
    if "texts" in allowed[place]:
        return None  # only fields are lists
    best, form, type_, times = None, LEAVES[first], first, 0
    while True:
        args = [LEAVES[types[0]] for types in allowed]
        args[place] = made(allowed[place][0], form, type_)
        form = op(operator.name, *args, **({"bands": BANDS} if operator.option == "bands" else {}))
        type_, times = gives, times + 1
        try:
            check(form)
        except Invalid as problem:
            codes = {error.code for error in problem.errors}
            return (best, times - 1) if codes <= {"too_deep", "too_large", "number_range"} else None
        best = form


CHAINS = [
    pytest.param(form, times, id=f"{operator.name}-{place}")
    for operator in OPERATORS.values()
    for place in range(max(operator.least, min(operator.most, 3)))
    for form, times in filter(None, [deepest(operator, place)])
]


@pytest.mark.parametrize("form, times", CHAINS)
def test_the_deepest_nesting_is_no_trouble(oracles: Oracles, form: Any, times: int) -> None:
    assert times >= 2
    oracles.answers([check(form)], ROWS)
    inside = check(form).to_sql(now=NOW)
    for engine in oracles.engines:  # within a statement that nests by itself
        oracles.fetch(engine, around(check(form), inside.sql), **inside.params)


def around(expression: Expression, sql: str) -> str:
    """Return a statement that has an expression in the middle of a condition."""
    columns = (
        "CAST(1 AS {float}) AS n1, TRUE AS b1, 'a' AS t1, CAST(1 AS {int}) AS at1, "
        "CAST('[]' AS {json}) AS items"
    )
    source = "(SELECT " + columns + ") AS t"
    condition = "(t.b1 OR (NOT t.b1 AND " + sql + " IS NOT NULL))"
    return (
        "SELECT count(*) FROM " + source + " WHERE t.n1 = 1 AND "
        "EXISTS (SELECT 1 FROM (SELECT 1 AS one) AS u WHERE u.one = 1 AND " + condition + ")"
    )


def wide(parts: int) -> Any:
    """Return an expression of almost 500 parts, or a little more."""
    return op("or", *[op("or", *[B] * 98)] * 5, *[B] * (parts - 496))


WIDEST = {
    "parts": wide(MAX_NODES),
    "operands": op("add", *[N] * 100),
    "options": op("in", {"field": "t1"}, *[f"'{number}" for number in range(99)]),
    "scores": op("prorate", *[op("reverse", N, 0, 3)] * 100, minAnswered=50),
    "bands": op("bands", N, bands=[{"from": at, "label": str(at)} for at in range(100)]),
    "sum of sums": op("sum", *[op("sum", *[N] * 98)] * 5),
    "products": op("multiply", *[N] * 9),
    "quotients": op("divide", op("divide", op("divide", N, N), N), op("multiply", N, N)),
}


@pytest.mark.parametrize("name", WIDEST)
def test_the_largest_expressions_are_no_trouble(oracles: Oracles, name: str) -> None:
    oracles.answers([check(WIDEST[name])], ROWS)


def test_a_part_more_is_too_much() -> None:
    with pytest.raises(Invalid):
        check(wide(MAX_NODES + 1))
    assert check(WIDEST["scores"]).root.weight <= MAX_WEIGHT


@pytest.mark.parametrize("form", [WIDEST["products"], WIDEST["quotients"]])
@pytest.mark.parametrize("number", [2.0**53, 2.0**-53, 1.0000000000000002 * 2.0**-53, -1 / 3])
def test_arithmetic_stays_far_from_the_ends_of_doubles(
    oracles: Oracles, form: Any, number: float
) -> None:
    [[answer]] = oracles.answers([check(form)], [{"n1": number}])
    scale = check(form).root.scale
    assert 2.0**-scale <= abs(answer) <= 2.0**scale
    assert scale <= MAX_SCALE


def test_there_is_room_for_what_people_write() -> None:
    """A condition on the band of a prorated score with reversed items, and some alternatives."""
    score = op("prorate", *[op("reverse", N, 0, 3)] * 60, minAnswered=48)
    band = op("in", op("bands", score, bands=BANDS), "3", "4")
    rule = op("or", op("and", band, B), op("and", B, op("not", B)))
    assert check(rule).root.levels <= MAX_DEPTH
