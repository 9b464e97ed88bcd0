"""Reads literals: what all of Python, SQLite and Postgres can hold without changing it."""

from typing import Any, Final

from wellio.clock import parse_rfc3339
from wellio.wire import UNSTORABLE

from .form import Fault, Location
from .nodes import LARGEST, SMALLEST, Constant, Now

MAX_TEXT: Final = 1000


def literal(data: Any, at: Location) -> Constant:
    """Read a literal, null included.

    Raises:
        Fault: It is none, or one that an engine could not hold.
    """
    if data is None:
        return Constant(None, None)
    if isinstance(data, bool):
        return Constant(data, "bool")
    if isinstance(data, str):
        return Constant(text(data, at), "text")
    return Constant(number(data, at), "number")


def number(data: Any, at: Location) -> float:
    """Read a number, as the double that it is from here on.

    Raises:
        Fault: It is none, or too large or too small.
    """
    if isinstance(data, bool) or not isinstance(data, int | float):
        raise Fault(at, "wrong_form", "must be a number")
    if data == 0 or SMALLEST <= abs(data) <= LARGEST:
        return float(data)
    raise Fault(at, "number_range", "must be 0, or between 2^-53 and 2^53 in size")


def text(data: Any, at: Location) -> str:
    """Read a text.

    Raises:
        Fault: It is none, or too long, or holds what cannot be stored.
    """
    if not isinstance(data, str):
        raise Fault(at, "wrong_form", "must be a text")
    if len(data) > MAX_TEXT:
        raise Fault(at, "too_long", f"must have {MAX_TEXT} characters at most")
    if UNSTORABLE.search(data):
        raise Fault(at, "bad_text", "must not hold NUL or unpaired surrogates")
    return data


def instant(data: Any, at: Location) -> Constant | Now:
    """Read an instant.

    Raises:
        Fault: It is none.
    """
    if data == "now":
        return Now()
    try:
        return Constant(parse_rfc3339(data), "instant")
    except (TypeError, ValueError) as error:
        message = 'must be an instant as in RFC 3339, or "now"'
        raise Fault(at, "bad_instant", message) from error
