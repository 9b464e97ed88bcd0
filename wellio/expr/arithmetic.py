"""Operators of arithmetic: IEEE doubles, added and multiplied from left to right."""

import operator
from collections.abc import Sequence
from functools import reduce
from typing import Final

from .operator import MANY, Group, Operator, infix

#: Binary places that a quotient may have beyond those of its parts: a double has 53.
PLACES: Final = 53


def total(*numbers: float) -> float:
    """Add from left to right, as SQL does; `sum` of Python 3.12 compensates its rounding."""
    return reduce(operator.add, numbers)


def scale_of_total(scales: Sequence[int]) -> int:
    """Return the scale of a sum."""
    return max(scales) + len(scales).bit_length()


OPERATORS: Final = (
    Operator(
        name="add",
        summary="The sum.",
        takes=(Group(("number",), 2, MANY),),
        gives="number",
        python=total,
        sql=infix("+"),
        scale=scale_of_total,
        example={"op": "add", "args": [{"field": "q1"}, {"field": "q2"}, 10]},
        result=15.0,
    ),
    Operator(
        name="subtract",
        summary="The first less the second.",
        takes=(Group(("number",), 2, 2),),
        gives="number",
        python=operator.sub,
        sql=infix("-"),
        scale=scale_of_total,
        example={"op": "subtract", "args": [{"field": "score"}, {"field": "q1"}]},
        result=9.0,
    ),
    Operator(
        name="multiply",
        summary="The product.",
        takes=(Group(("number",), 2, MANY),),
        gives="number",
        python=lambda *numbers: reduce(operator.mul, numbers),
        sql=infix("*"),
        scale=sum,
        example={"op": "multiply", "args": [{"field": "score"}, 4]},
        result=48.0,
    ),
    Operator(
        name="divide",
        summary="The first divided by the second, with its fraction.",
        takes=(Group(("number",), 2, 2),),
        gives="number",
        python=lambda dividend, divisor: dividend / divisor if divisor else None,
        sql=lambda dividend, divisor: f"({dividend} / NULLIF({divisor}, 0))",
        nulls="Null if an operand is null, and when dividing by zero.",
        scale=lambda scales: sum(scales) + PLACES,
        example={"op": "divide", "args": [{"field": "score"}, {"field": "q2"}]},
        result=6.0,
    ),
)
