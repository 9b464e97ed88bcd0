"""Operators of three-valued logic, as in SQL: true, false, and null for unknown."""

from typing import Final

from .nodes import Value
from .operator import MANY, SCALARS, Group, Operator, infix


def all_of(*values: Value) -> bool | None:
    """Return what AND returns: false outweighs null, null outweighs true."""
    if False in values:
        return False
    return None if None in values else True


def _any_of(*values: Value) -> bool | None:
    if True in values:
        return True
    return None if None in values else False


def _coalesce(*values: Value) -> Value:
    return next((value for value in values if value is not None), None)


OPERATORS: Final = (
    Operator(
        name="and",
        summary="Whether all are true.",
        takes=(Group(("bool",), 1, MANY),),
        gives="bool",
        python=all_of,
        sql=infix("AND"),
        nulls="False if one is false, however many are null; else null if one is null.",
        is_strict=False,
        example={
            "op": "and",
            "args": [{"field": "isActive"}, {"op": "gte", "args": [{"field": "score"}, 15]}],
        },
        result=False,
    ),
    Operator(
        name="or",
        summary="Whether at least one is true.",
        takes=(Group(("bool",), 1, MANY),),
        gives="bool",
        python=_any_of,
        sql=infix("OR"),
        nulls="True if one is true, however many are null; else null if one is null.",
        is_strict=False,
        example={
            "op": "or",
            "args": [
                {"field": "isActive"},
                {"op": "eq", "args": [{"field": "nickname"}, "Ada"]},
            ],
        },
        result=True,
    ),
    Operator(
        name="not",
        summary="True of false, false of true.",
        takes=(Group(("bool",)),),
        gives="bool",
        python=lambda value: not value,
        sql=lambda value: f"(NOT {value})",
        example={"op": "not", "args": [{"field": "isActive"}]},
        result=False,
    ),
    Operator(
        name="is_null",
        summary="Whether there is no value: an answer that was not given, a time that never was. "
        "The only way to ask: `eq` with null is null.",
        takes=(Group(SCALARS, is_alike=False),),
        gives="bool",
        python=lambda value: value is None,
        sql=lambda value: f"({value} IS NULL)",
        nulls="Never null.",
        is_strict=False,
        example={"op": "is_null", "args": [{"field": "nickname"}]},
        result=True,
    ),
    Operator(
        name="coalesce",
        summary="The first that is not null.",
        takes=(Group(SCALARS, 2, MANY),),
        gives=None,
        python=_coalesce,
        sql=lambda *values: f"coalesce({', '.join(values)})",
        nulls="Null if all are.",
        is_strict=False,
        scale=max,
        example={"op": "coalesce", "args": [{"field": "nickname"}, {"field": "name"}]},
        result="Ada Lovelace",
    ),
    Operator(
        name="if",
        summary="The second if the first is true, else the third.",
        takes=(Group(("bool",)), Group(SCALARS, 2, 2)),
        gives=None,
        python=lambda condition, then, otherwise: then if condition else otherwise,
        sql=lambda condition, then, otherwise: (
            f"CASE WHEN {condition} THEN {then} ELSE {otherwise} END"
        ),
        nulls="A null condition counts as false; null where the part that is taken is null.",
        is_strict=False,
        scale=max,
        example={"op": "if", "args": [{"field": "isActive"}, "active", "paused"]},
        result="active",
    ),
)
