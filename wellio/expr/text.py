"""Operators on text: what Python and both engines agree on, code point by code point."""

import string
from typing import Final

from .operator import Group, Operator

_LOWER: Final = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_PAIR: Final = (Group(("text",), 2, 2),)

OPERATORS: Final = (
    Operator(
        name="contains",
        summary="Whether the second stands anywhere in the first, in the same case; `%` and `_` "
        "are plain characters. The empty text stands in every text.",
        takes=_PAIR,
        gives="bool",
        python=lambda text, part: part in text,
        sql=lambda text, part: f"({{position}}({text}, {part}) > 0)",
        example={"op": "contains", "args": [{"field": "name"}, "Love"]},
        result=True,
    ),
    Operator(
        name="starts_with",
        summary="Whether the first begins with the second, in the same case.",
        takes=_PAIR,
        gives="bool",
        python=lambda text, part: text.startswith(part),
        sql=lambda text, part: f"({{position}}({text}, {part}) = 1)",
        example={"op": "starts_with", "args": [{"field": "name"}, "ada"]},
        result=False,
    ),
    Operator(
        name="lower",
        summary="The text with A to Z as a to z. All other letters stay as they are, `Ä` too: no "
        "two systems agree on the rest.",
        takes=(Group(("text",)),),
        gives="text",
        python=lambda text: text.translate(_LOWER),
        sql=lambda text: f"lower({text})",
        example={"op": "lower", "args": [{"field": "name"}]},
        result="ada lovelace",
    ),
    Operator(
        name="has",
        summary="Whether a list has an item: a label, a choice of a question with several. A list "
        "without a value is empty.",
        takes=(Group(("texts",)), Group(("text",))),
        gives="bool",
        python=lambda items, item: (None if item is None else item in items) if items else False,
        sql=lambda items, item: f"({item} IN ({items}))",
        nulls="Null if the item is null and the list has items.",
        is_strict=False,
        example={"op": "has", "args": [{"field": "labels"}, "vip"]},
        result=True,
    ),
)
