"""Operators on instants. There are no weekdays or months: SQLite knows no time zones."""

from typing import Final

from .operator import Group, Operator

_DAY_MS: Final = "86400000.0"

OPERATORS: Final = (
    Operator(
        name="days_between",
        summary="The days from the first instant to the second, of 24 hours each, with their "
        "fraction; below zero if the second is earlier.",
        takes=(Group(("instant",), 2, 2),),
        gives="number",
        python=lambda start, end: (float(end) - float(start)) / float(_DAY_MS),
        sql=lambda start, end: (
            f"((CAST({end} AS {{float}}) - CAST({start} AS {{float}})) / {_DAY_MS})"
        ),
        scale=lambda _scales: 144,  # 64 for a difference of BIGINTs, 27 for a day, 53 to divide
        example={"op": "days_between", "args": [{"field": "lastSeenAt"}, {"instant": "now"}]},
        result=14.5,
    ),
)
