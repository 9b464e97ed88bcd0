"""What JSON can write and nothing here can hold: read exactly, and named by its place.

Half a character, which RFC 8259 allows (8.2), an integer of more than 64 bits and a number beyond
all floats are well-formed. Readers refuse the text, or round it without a word.
"""

import json
import math
import re
from collections.abc import Iterator
from typing import Any, Final, NoReturn

from wellio.errors import FieldError, pointer_to

TOO_LONG: Final = "must be a whole number of 64 bits"
_HALF: Final = re.compile("[\ud800-\udfff]")
_NOUGHTS_FOR_DIGITS: Final = bytes(b"0"[0] if chr(it) in "0123456789" else 0 for it in range(256))
_LONG: Final = b"0" * 19
_MAX_DIGITS: Final = 4_000  # Python reads 4,300, and what is longer is as much too long


def has_long_number(text: bytes) -> bool:
    """Tell whether a text has so many digits in a row as an integer of more than 64 bits.

    It is asked of every body and message: `[0-9]{19}` takes ten times as long to find none.
    """
    return _LONG in text.translate(_NOUGHTS_FOR_DIGITS)


def read_exactly(text: str) -> Any:
    """Read JSON with all that it may say.

    Raises:
        ValueError: It is none.
        RecursionError: It nests too deeply.
    """
    return json.loads(text, parse_constant=_refuse, parse_int=lambda it: int(it[:_MAX_DIGITS]))


def misfits(data: Any, place: tuple[int | str, ...] = ()) -> Iterator[FieldError]:
    """Yield what is wrong with each part of JSON that cannot be held."""
    match data:
        case dict():
            if any(map(_HALF.search, data)):
                yield _wrong(place, "invalid", "must not have a name with an unpaired surrogate")
                return
            for name, value in data.items():
                yield from misfits(value, (*place, name))
        case list():
            for number, value in enumerate(data):
                yield from misfits(value, (*place, number))
        case str() if _HALF.search(data):
            yield _wrong(place, "invalid", "must not hold NUL or unpaired surrogates")
        case int() if not -(2**63) <= data < 2**63:
            yield _wrong(place, "too_large", TOO_LONG)
        case float() if math.isinf(data):
            yield _wrong(place, "too_large", "must be a finite number")


def _wrong(place: tuple[int | str, ...], code: str, message: str) -> FieldError:
    return FieldError(pointer_to(place), code, message)


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity, which only Python writes
