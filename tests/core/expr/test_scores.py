"""Published instruments, scored with expressions: every edge of every band, and missing answers.

PHQ-9: Kroenke, Spitzer, Williams (2001); GAD-7: Spitzer et al. (2006); WHO-5: Topp et al. (2015);
PSS-10: Cohen, Williamson (1988), items 4, 5, 7 and 8 reversed; BRS: Smith et al. (2008).
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest

from tests.core.expr.conftest import NOW
from wellio import Expression, ExpressionField


def op(name: str, *args: Any, **members: Any) -> dict[str, Any]:
    return {"op": name, "args": list(args), **members}


def items(count: int) -> list[dict[str, str]]:
    return [{"field": f"q{number}"} for number in range(1, count + 1)]


def score(form: Any, answers: Sequence[int | None]) -> Any:
    schema = {f"q{number}": ExpressionField("number") for number in range(1, len(answers) + 1)}
    values = {f"q{number}": answer for number, answer in enumerate(answers, start=1)}
    return Expression.check(form, schema).evaluate(values, now=NOW)


def answers_of(total: int, count: int, most: int) -> list[int]:
    """Return answers that add up to a total, as evenly as it goes."""
    return [total // count + (index < total % count) for index in range(count)]


def bands(*labels: tuple[int, str]) -> list[dict[str, Any]]:
    return [{"from": start, "label": label} for start, label in labels]


SEVERITY = [
    (0, "minimal"),
    (5, "mild"),
    (10, "moderate"),
    (15, "moderately severe"),
    (20, "severe"),
]
PHQ9, GAD7, WHO5 = items(9), items(7), items(5)


@pytest.mark.parametrize(
    "count, most, labels",
    [
        pytest.param(9, 27, SEVERITY, id="PHQ-9"),
        pytest.param(7, 21, [*SEVERITY[:3], (15, "severe")], id="GAD-7"),
    ],
)
def test_every_total_has_its_published_band(
    count: int, most: int, labels: list[tuple[int, str]]
) -> None:
    total = op("sum", *items(count))
    band = op("bands", total, bands=bands(*labels))
    ranges = pairwise([*labels, (most + 1, "")])
    expected = [label for (start, label), (end, _) in ranges for _ in range(start, end)]
    assert len(expected) == most + 1
    for value, label in enumerate(expected):
        answers = answers_of(value, count, 3)
        assert max(answers) <= 3
        assert (score(total, answers), score(band, answers)) == (value, label)


@pytest.mark.parametrize(
    "answers, index",
    [((0, 0, 0, 0, 0), 0), ((1, 2, 3, 4, 5), 60), ((3, 3, 3, 2, 2), 52), ((5, 5, 5, 5, 5), 100)],
)
def test_who_5_is_the_raw_score_times_four(answers: Sequence[int], index: int) -> None:
    assert score(op("multiply", op("sum", *WHO5), 4), answers) == index


@pytest.mark.parametrize("raw, is_poor", [(12, True), (13, False)])
def test_who_5_below_50_asks_for_more(raw: int, is_poor: bool) -> None:
    index = op("multiply", op("sum", *WHO5), 4)
    assert score(op("lte", index, 50), answers_of(raw, 5, 5)) is is_poor


def test_the_last_item_of_the_phq_9_speaks_whatever_the_sum() -> None:
    flag = op("gte", {"field": "q9"}, 1)
    assert score(flag, [0] * 8 + [1]) is True
    assert score(flag, [3] * 8 + [0]) is False
    assert score(flag, [3] * 8 + [None]) is None


def test_reversed_items_of_the_pss_10() -> None:
    total = op(
        "sum",
        *(
            op("reverse", item, 0, 4) if number in {4, 5, 7, 8} else item
            for number, item in enumerate(items(10), start=1)
        ),
    )
    assert score(total, [0] * 10) == 16
    assert score(total, [4] * 10) == 24
    assert score(total, [4, 4, 4, 0, 0, 4, 0, 0, 4, 4]) == 40


def test_the_mean_of_the_brs() -> None:
    mean = op(
        "mean",
        *(
            op("reverse", item, 1, 5) if number % 2 == 0 else item
            for number, item in enumerate(items(6), start=1)
        ),
        minAnswered=5,
    )
    assert score(mean, [5, 1, 5, 1, 5, 1]) == 5
    assert score(mean, [3, 3, 4, 2, None, 3]) == (3 + 3 + 4 + 4 + 3) / 5
    assert score(mean, [3, 3, 4, None, None, 3]) is None


@pytest.mark.parametrize(
    "missing, sum_, prorated, band",
    [
        (0, 9, 9.0, "mild"),
        (1, None, 9.0, "mild"),
        (2, None, 9.0, "mild"),
        (3, None, None, None),
    ],
)
def test_missing_answers_make_no_total_unless_proration_allows(
    missing: int, sum_: float | None, prorated: float | None, band: str | None
) -> None:
    answers = [1] * (9 - missing) + [None] * missing
    proration = op("prorate", *PHQ9, minAnswered=7)
    assert score(op("sum", *PHQ9), answers) == sum_
    assert score(proration, answers) == prorated
    assert score(op("bands", proration, bands=bands(*SEVERITY)), answers) == band


def test_a_prorated_score_between_two_bands_is_in_the_lower_one() -> None:
    proration = op("prorate", *PHQ9, minAnswered=8)
    answers = [2, 1, 1, 1, 1, 1, 1, 0, None]  # 8 of 8 answers: 9.0, and one more point 10.125
    assert score(proration, answers) == 9.0
    assert score(proration, [3, *answers[1:]]) == 10.125
    assert score(op("bands", proration, bands=bands(*SEVERITY)), [3, *answers[1:]]) == "moderate"
    assert score(op("bands", 9.5, bands=bands(*SEVERITY)), []) == "mild"


def test_a_symptom_count() -> None:
    count = op("sum", *(op("if", op("gte", item, 2), 1, 0) for item in GAD7))
    assert score(count, [2, 3, 1, 0, 2, None, 1]) == 3
