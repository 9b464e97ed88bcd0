"""One meaning, three implementations: Python, SQLite and Postgres answer every question alike."""

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from tests.core.expr.conftest import Oracles, check
from tests.core.expr.forms import expressions, rows
from wellio import Invalid

#: The check refuses these, rightly, however well the types fit.
REFUSED = {"number_range", "too_large"}
SHORT = settings(
    max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
LONG = settings(SHORT, max_examples=1500)
questions = st.lists(expressions(depth=5), min_size=4, max_size=12)
tables = st.lists(rows, min_size=1, max_size=4)


def ask(oracles: Oracles, forms: list[object], table: list[dict[str, object]]) -> None:
    checked = []
    for form in forms:
        try:
            checked.append(check(form))
        except Invalid as problem:
            if {error.code for error in problem.errors} - REFUSED:
                raise
    if not checked:
        reject()
    oracles.answers(checked, table)


@SHORT
@given(questions, tables)
def test_every_expression_has_one_answer(
    oracles: Oracles, forms: list[object], table: list[dict[str, object]]
) -> None:
    ask(oracles, forms, table)


@pytest.mark.prove
@pytest.mark.timeout(3600)
@LONG
@given(questions, tables)
def test_every_expression_has_one_answer_at_length(
    oracles: Oracles, forms: list[object], table: list[dict[str, object]]
) -> None:
    ask(oracles, forms, table)
