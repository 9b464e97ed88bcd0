"""Operators that make scores of answers, some of which may be missing.

`minAnswered` says how many answers a score needs; without it, all.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from wellio.db.dialect import computed_once

from .arithmetic import PLACES, scale_of_total, total
from .nodes import Value
from .operator import MANY, SCALARS, Group, Operator

_ANSWERS: Final = (Group(("number",), 1, MANY),)
_TOO_FEW: Final = "A null operand is a missing answer. Null if fewer than `minAnswered` are there."
_ITEMS: Final = [{"field": "q1"}, {"field": "q2"}, {"field": "q3"}]


def _of_answered(compute: Callable[[list[float]], float]) -> Callable[..., Value]:
    """Return what computes a score of the answers that are there, if they are enough."""

    def score(least: float, *answers: float | None) -> Value:
        answered = [answer for answer in answers if answer is not None]
        return compute(answered) if len(answered) >= least else None

    return score


def _sql_of_answered(compute: Callable[..., str]) -> Callable[..., str]:
    return lambda least, *answers: (
        f"CASE WHEN {_count(*answers)} >= {least} THEN {compute(*answers)} END"
    )


def _prorated(least: float, *answers: float | None) -> Value:
    answered = [answer for answer in answers if answer is not None]
    return total(*answered) * len(answers) / len(answered) if len(answered) >= least else None


def _count(*answers: str) -> str:
    return f"({' + '.join(f'CAST({answer} IS NOT NULL AS INTEGER)' for answer in answers)})"


def _total(*answers: str) -> str:
    return f"({' + '.join(f'coalesce({answer}, 0.0)' for answer in answers)})"


def _extreme(token: str, beyond: str) -> Callable[..., str]:
    """Return what writes the least or greatest: what is missing counts as beyond all others."""
    return lambda *answers: (
        f"{token}({', '.join(f'coalesce({answer}, {beyond})' for answer in answers)}, {beyond})"
    )


def _scale_of_mean(scales: Sequence[int]) -> int:
    return scale_of_total(scales) + len(scales).bit_length() + PLACES


def _band(value: float, *bands: Any) -> Value:
    reached = [label for at, label in zip(bands[::2], bands[1::2], strict=True) if value >= at]
    return reached[-1] if reached else None


def _sql_of_bands(value: str, *bands: str) -> str:
    def body(column: str) -> str:
        pairs = zip(bands[-2::-2], bands[::-2], strict=True)  # the highest first
        branches = (f"WHEN {column} >= {at} THEN {label}" for at, label in pairs)
        return f"CASE {' '.join(branches)} END"

    return computed_once(value, body)


def _scored(name: str, summary: str, **members: Any) -> Operator:
    return Operator(
        name=name,
        summary=summary,
        takes=_ANSWERS,
        gives="number",
        nulls=_TOO_FEW,
        is_strict=False,
        option="minAnswered",
        levels=2,
        **members,
    )


OPERATORS: Final = (
    _scored(
        "sum",
        "The sum of the answers that are there.",
        python=_of_answered(lambda answered: total(*answered)),
        sql=_sql_of_answered(_total),
        scale=scale_of_total,
        repeats=2,
        example={"op": "sum", "args": _ITEMS},
        result=None,
    ),
    _scored(
        "mean",
        "The mean of the answers that are there.",
        python=_of_answered(lambda answered: total(*answered) / len(answered)),
        sql=_sql_of_answered(lambda *answers: f"({_total(*answers)} / {_count(*answers)})"),
        scale=_scale_of_mean,
        repeats=3,
        example={"op": "mean", "args": _ITEMS, "minAnswered": 2},
        result=2.5,
    ),
    _scored(
        "prorate",
        "The sum, with the mean of the answers that are there in place of each that is missing.",
        python=_prorated,
        sql=_sql_of_answered(
            lambda *answers: f"({_total(*answers)} * {len(answers)} / {_count(*answers)})"
        ),
        scale=_scale_of_mean,
        repeats=3,
        example={"op": "prorate", "args": _ITEMS, "minAnswered": 2},
        result=7.5,
    ),
    _scored(
        "min",
        "The smallest answer.",
        python=_of_answered(min),
        sql=_sql_of_answered(_extreme("{least}", "1e305")),
        scale=max,
        repeats=2,
        example={"op": "min", "args": _ITEMS, "minAnswered": 1},
        result=2.0,
    ),
    _scored(
        "max",
        "The greatest answer.",
        python=_of_answered(max),
        sql=_sql_of_answered(_extreme("{greatest}", "-1e305")),
        scale=max,
        repeats=2,
        example={"op": "max", "args": _ITEMS, "minAnswered": 1},
        result=3.0,
    ),
    Operator(
        name="count_answered",
        summary="How many of the operands are not null.",
        takes=(Group(SCALARS, 1, MANY, is_alike=False),),
        gives="number",
        python=lambda *answers: float(sum(answer is not None for answer in answers)),
        sql=lambda *answers: f"CAST({_count(*answers)} AS {{float}})",
        nulls="Never null.",
        is_strict=False,
        scale=lambda scales: len(scales).bit_length(),
        example={"op": "count_answered", "args": _ITEMS},
        result=2.0,
    ),
    Operator(
        name="reverse",
        summary="An answer turned round on its scale, from the second operand to the third: "
        "on 0 to 3, 3 becomes 0 and 1 becomes 2.",
        takes=(Group(("number",), 3, 3),),
        gives="number",
        python=lambda answer, low, high: low + high - answer,
        sql=lambda answer, low, high: f"({low} + {high} - {answer})",
        scale=scale_of_total,
        example={"op": "reverse", "args": [{"field": "q1"}, 0, 3]},
        result=0.0,
    ),
    Operator(
        name="bands",
        summary="The label of the highest of the `bands` that the number has reached. Between "
        "two bands the lower one counts: 9.5 is not yet in a band from 10.",
        takes=(Group(("number",)),),
        gives="text",
        python=_band,
        sql=_sql_of_bands,
        nulls="Null if the number is null, and below the first band.",
        option="bands",
        levels=2,
        example={
            "op": "bands",
            "args": [{"field": "score"}],
            "bands": [
                {"from": 0, "label": "minimal"},
                {"from": 5, "label": "mild"},
                {"from": 10, "label": "moderate"},
            ],
        },
        result="moderate",
    ),
)
