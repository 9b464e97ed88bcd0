"""Operators that compare: values of one type, in the order of numbers, code points or time."""

import operator
from typing import Final

from .logic import all_of
from .nodes import Type, Value
from .operator import MANY, ORDERED, SCALARS, Group, Operator, infix


def _pair(types: tuple[Type, ...]) -> tuple[Group, ...]:
    return (Group(types, 2, 2),)


def _is_in(value: Value, *options: Value) -> bool | None:
    if value is None:
        return None
    if value in options:
        return True
    return None if None in options else False


def _is_between(value: Value, low: Value, high: Value) -> bool | None:
    above = None if value is None or low is None else operator.ge(value, low)
    below = None if value is None or high is None else operator.le(value, high)
    return all_of(above, below)


OPERATORS: Final = (
    Operator(
        name="eq",
        summary="Whether two values are the same. Text is compared character by character: upper "
        "and lower case differ, and so do two ways to write an accent.",
        takes=_pair(SCALARS),
        gives="bool",
        python=operator.eq,
        sql=infix("="),
        example={"op": "eq", "args": [{"field": "city"}, "Berlin"]},
        result=True,
    ),
    Operator(
        name="ne",
        summary="Whether two values differ.",
        takes=_pair(SCALARS),
        gives="bool",
        python=operator.ne,
        sql=infix("<>"),
        example={"op": "ne", "args": [{"field": "nickname"}, "Ada"]},
        result=None,
    ),
    Operator(
        name="lt",
        summary="Whether the first is less than the second. Text is ordered by code point.",
        takes=_pair(ORDERED),
        gives="bool",
        python=operator.lt,
        sql=infix("<"),
        example={"op": "lt", "args": [{"field": "score"}, 10]},
        result=False,
    ),
    Operator(
        name="lte",
        summary="Whether the first is less than the second, or the same.",
        takes=_pair(ORDERED),
        gives="bool",
        python=operator.le,
        sql=infix("<="),
        example={"op": "lte", "args": [{"field": "score"}, 12]},
        result=True,
    ),
    Operator(
        name="gt",
        summary="Whether the first is greater than the second.",
        takes=_pair(ORDERED),
        gives="bool",
        python=operator.gt,
        sql=infix(">"),
        example={"op": "gt", "args": [{"instant": "now"}, {"field": "lastSeenAt"}]},
        result=True,
    ),
    Operator(
        name="gte",
        summary="Whether the first is greater than the second, or the same.",
        takes=_pair(ORDERED),
        gives="bool",
        python=operator.ge,
        sql=infix(">="),
        example={"op": "gte", "args": [{"field": "score"}, 10]},
        result=True,
    ),
    Operator(
        name="between",
        summary="Whether the first is at least the second and at most the third.",
        takes=(Group(ORDERED, 3, 3),),
        gives="bool",
        python=_is_between,
        sql=lambda value, low, high: f"({value} BETWEEN {low} AND {high})",
        nulls="Null unless the bounds that are known already say no.",
        is_strict=False,
        example={"op": "between", "args": [{"field": "score"}, 10, 14]},
        result=True,
    ),
    Operator(
        name="in",
        summary="Whether the first is one of the others.",
        takes=(Group(SCALARS, 2, MANY),),
        gives="bool",
        python=_is_in,
        sql=lambda value, *options: f"({value} IN ({', '.join(options)}))",
        nulls="Null if the first is null, or if a null is among the others and none is the same.",
        is_strict=False,
        example={"op": "in", "args": [{"field": "city"}, "Berlin", "Bremen"]},
        result=True,
    ),
)
