"""The page about expressions: every operator is on it, and every example gives what it says."""

import pytest

from tests.core.expr.reference import NOW, PAGE, SCHEMA, VALUES, page
from wellio import Expression
from wellio.expr.literal import MAX_TEXT
from wellio.expr.nodes import MAX_DEPTH
from wellio.expr.operator import MANY
from wellio.expr.reader import MAX_NODES
from wellio.expr.table import OPERATORS


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "run: .venv/bin/python -m tests.core.expr.reference"


@pytest.mark.parametrize("name", OPERATORS)
def test_an_example_gives_what_it_says(name: str) -> None:
    operator = OPERATORS[name]
    answer = Expression.check(operator.example, SCHEMA).evaluate(VALUES, now=NOW)
    assert (answer, type(answer)) == (operator.result, type(operator.result))


def test_the_page_tells_the_sizes() -> None:
    text = PAGE.read_text()
    for words in (
        f"up to {MAX_NODES} parts",
        f"nested {MAX_DEPTH} levels",
        f"up to {MANY} operands",
        f"up to {MAX_TEXT:,} characters",
    ):
        assert words in text


def test_every_exception_to_the_rule_of_null_is_told() -> None:
    rule = OPERATORS["eq"].nulls
    assert {it.name for it in OPERATORS.values() if not it.is_strict and it.nulls == rule} == set()
