"""What a text stands for where JSON has a type: in a query, a variable or an option.

A number, true and false are written as JSON writes them, and everything else is text: nobody's
`1_0`, `+5` or `yes` is guessed at.
"""

import orjson

from .exact import INTEGER_TEXT, NUMBER_TEXT


def json_of(text: str, types: frozenset[str]) -> object:
    """Return what orjson writes for a text: a number only where one is asked for.

    Args:
        text: As it was typed.
        types: Those of JSON that it may be of.
    """
    if "string" in types:
        return text
    is_number = ("integer" in types and INTEGER_TEXT.fullmatch(text)) or (
        "number" in types and NUMBER_TEXT.fullmatch(text)
    )
    if is_number:
        return orjson.Fragment(text.encode())  # of any length
    if "boolean" in types and text in {"true", "false"}:
        return text == "true"
    return text
