"""Every operator, on every combination of a few nasty values: no luck needed to find a difference.

The rows are the product of the values of all columns of a type, so operators see all pairs.
"""

from collections.abc import Iterator
from itertools import cycle, islice, product
from typing import Any

import pytest

from tests.core.expr.conftest import NOW, Oracles, check, table
from wellio.expr.nodes import Type
from wellio.expr.operator import Operator
from wellio.expr.table import OPERATORS

NAN = float("nan")
VALUES: dict[Type, dict[str, list[Any]]] = {
    "number": {
        "n1": [None, 0.0, 1.0, 0.1, -7.0, 2.0**53, 5e-324, 1e300, NAN],
        "n2": [None, -0.0, 1.0, 1 / 3, 2.0**-53],
        "whole": [None, 0, 7, 2**53 + 1],
    },
    "text": {
        "t1": [None, "", "a", "A", "ab", "50 %", "ä", "a\u0308", "\U0001f600"],
        "t2": [None, "", "a", "b", "%", "_", "Ä", "\uffff"],
    },
    "bool": {"b1": [None, True, False], "b2": [None, True, False]},
    "instant": {
        "at1": [None, 0, NOW, NOW - 1, -(2**63), 2**63 - 1],
        "at2": [None, 0, NOW, NOW + 43_200_000],
    },
    "texts": {"items": [None, [], ["a"], ["b", "ä"], ["A", ""]]},
}
LITERALS: dict[Type, Any] = {"number": 7, "text": "a", "bool": True, "instant": {"instant": "now"}}
BANDS = [{"from": at, "label": f"from {at}"} for at in (-7, 0, 0.1, 7)]


def products() -> list[dict[str, Any]]:
    """Return rows that hold all combinations within each type."""
    columns = [
        [dict(zip(pool, values, strict=True)) for values in product(*pool.values())]
        for pool in VALUES.values()
    ]
    count = max(map(len, columns))
    parts = zip(*(islice(cycle(column), count) for column in columns), strict=True)
    return [{name: value for part in row for name, value in part.items()} for row in parts]


def operands(operator: Operator, type_: Type, count: int) -> list[Any]:
    """Return fields of the right types, and literals where there are no more."""
    fixed = [group.types[0] for group in operator.takes[:-1] for _ in range(group.least)]
    left = {name: [{"field": column} for column in pool] for name, pool in VALUES.items()}
    return [
        left[wanted].pop(0) if left[wanted] else LITERALS[wanted]
        for wanted in [*fixed, *[type_] * (count - len(fixed))]
    ]


def uses(operator: Operator) -> Iterator[dict[str, Any]]:
    """Return ways to use an operator: with more and fewer operands, null among them, options."""
    for type_ in operator.takes[-1].types:
        for count in sorted({operator.least, min(operator.most, 3), min(operator.most, 4)}):
            args = operands(operator, type_, count)
            for place in range(len(args)):
                spoiled = args if place == 0 else [*args[:place], None, *args[place + 1 :]]
                form = {"op": operator.name, "args": spoiled}
                if operator.option == "minAnswered":
                    for least in range(1, count + 1):
                        yield form | {"minAnswered": least}
                else:
                    yield form | ({"bands": BANDS} if operator.option == "bands" else {})


ROWS = products()


@pytest.fixture(scope="module")
def filled(oracles: Oracles) -> Oracles:
    """Return both engines with a table `t` that has all rows."""
    for start in range(0, len(ROWS), 50):
        oracles.fill(table(ROWS[start : start + 50], start), is_first=start == 0)
    return oracles


@pytest.mark.parametrize("name", OPERATORS)
def test_all_pairs_of_nasty_values(filled: Oracles, name: str) -> None:
    expressions = [check(form) for form in uses(OPERATORS[name])]
    assert expressions
    filled.compare(expressions, ROWS, "all_pairs AS t", {})
