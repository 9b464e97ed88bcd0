"""What is wrong with the fields of a request, in our words.

pydantic finds it; its own words name classes and types of Python, which the API's callers have no
part in. One table has a code and a sentence for each of its findings.
"""

from collections.abc import Iterable
from typing import Any, Final, get_args

import pydantic
from pydantic_core import ErrorDetails
from pydantic_core.core_schema import ErrorType

from .clock import INSTANT
from .errors import FieldError, Invalid, invalid, pointer_to
from .strict.exact import DATE, DURATION, NUMBER, TIME, UUID

MAX_NAMED = 1_000
"""So many wrong fields are named; a client that has more of them does not read their names."""


def _all(types: str, code: str, message: str) -> Iterable[tuple[str, tuple[str, str]]]:
    return ((type_, (code, message)) for type_ in types.split())


_WHOLE: Final = "must be a whole number"
#: By pydantic's type of an error: our code, and a sentence with what its context says.
_WORDS: Final[dict[str, tuple[str, str]]] = dict(
    (
        *_all("missing", "missing", "must be there"),
        *_all("extra_forbidden", "extra_forbidden", "is no field of this request"),
        *_all("string_type string_unicode", "wrong_type", "must be text"),
        *_all("int_type int_parsing int_from_float", "wrong_type", _WHOLE),
        *_all("int_parsing_size", "too_large", "must be a whole number of 64 bits"),
        *_all("float_type float_parsing decimal_type decimal_parsing", "wrong_type", NUMBER),
        *_all("finite_number", "too_large", "must be a finite number"),
        *_all("bool_type bool_parsing", "wrong_type", "must be true or false"),
        *_all(
            "model_type model_attributes_type dataclass_type dict_type mapping_type",
            *("wrong_type", "must be an object"),
        ),
        *_all(
            "list_type tuple_type set_type frozen_set_type iterable_type",
            *("wrong_type", "must be a list"),
        ),
        *_all("none_required", "wrong_type", "must be null"),
        # A text that is none is `invalid`, as a check of ours says it; a number is of a wrong type.
        *_all("date_type", "wrong_type", DATE),
        *_all(
            "date_parsing date_from_datetime_parsing date_from_datetime_inexact", "invalid", DATE
        ),
        *_all("datetime_type", "wrong_type", INSTANT),
        *_all(
            "datetime_parsing datetime_from_date_parsing datetime_object_invalid timezone_aware",
            *("invalid", INSTANT),
        ),
        *_all("time_type", "wrong_type", TIME),
        *_all("time_parsing", "invalid", TIME),
        *_all("time_delta_type", "wrong_type", DURATION),
        *_all("time_delta_parsing", "invalid", DURATION),
        *_all("uuid_type", "wrong_type", UUID),
        *_all("uuid_parsing uuid_version", "invalid", UUID),
        *_all("url_type", "wrong_type", "must be an address"),
        *_all("url_parsing url_syntax_violation", "invalid", "must be an address"),
        *_all("literal_error enum", "not_one_of", "must be {expected}"),
        *_all(
            "union_tag_invalid union_tag_not_found",
            *("not_one_of", "is of none of the documented kinds"),
        ),
        *_all("string_pattern_mismatch", "wrong_form", "is not of the documented form"),
        *_all("string_too_short", "too_short", "must have at least {min_length} character{s}"),
        *_all("string_too_long", "too_long", "must have at most {max_length} character{s}"),
        *_all("too_short", "too_short", "must have at least {min_length} {what}{s}"),
        *_all("too_long", "too_long", "must have at most {max_length} {what}{s}"),
        *_all("greater_than", "too_small", "must be more than {gt}"),
        *_all("greater_than_equal", "too_small", "must be at least {ge}"),
        *_all("less_than", "too_large", "must be less than {lt}"),
        *_all("less_than_equal", "too_large", "must be at most {le}"),
        *_all("multiple_of", "wrong_form", "must be a multiple of {multiple_of}"),
        *_all("recursion_loop", "wrong_form", "must not hold itself"),
    )
)
_OTHER: Final = ("invalid", "is not as documented")
_PYDANTICS: Final = frozenset(get_args(ErrorType))
WORDS: Final = tuple(dict.fromkeys((*_WORDS.values(), _OTHER)))
"""The codes and sentences by which fields are wrong, beside what a plugin says by `invalid`."""


def invalid_from_pydantic(error: pydantic.ValidationError, prefix: str = "") -> Invalid:
    """Turn a validation error into a problem that names every field and echoes no input."""
    if error.error_count() > MAX_NAMED:
        return invalid(prefix, "too_many_errors", f"holds more than {MAX_NAMED} wrong fields")
    found = error.errors(include_url=False, include_input=False)
    holders = {item["loc"][:-1] for item in found if item["loc"]}
    return Invalid(
        "Some fields are wrong.",
        errors=[
            FieldError(prefix + pointer_to(item["loc"]), *in_words(item))
            for item in found
            # pydantic counts only the good items of a list, whose bad ones are named already.
            if not (item["type"] == "too_short" and item["loc"] in holders)
        ],
    )


def in_words(item: ErrorDetails) -> tuple[str, str]:
    """Return the code of a finding and a sentence about it, neither with what was sent."""
    type_, context = item["type"], item.get("ctx", {})
    if type_ == "value_error" and type(error := context["error"]) is ValueError:
        return _OTHER[0], str(error)  # a check of ours, which has words
    if type_ not in _PYDANTICS or (type_.startswith("too_") and "field_type" not in context):
        return type_, item["msg"]  # a `PydanticCustomError` of ours
    code, message = _WORDS.get(type_, _OTHER)
    shown = {name: _shortly(value) for name, value in context.items()}
    return code, message.format_map({**shown, **_counted(context)})


def _shortly(value: object) -> object:
    """Return a bound as people write it: 0, not 0.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _counted(context: dict[str, Any]) -> dict[str, str]:
    """Return what is counted, and how it ends in the plural.

    pydantic calls a text a "Value" where a check of ours stands before the length.
    """
    number = context.get("min_length", context.get("max_length"))
    what = "character" if context.get("field_type") == "Value" else "item"
    return {"what": what, "s": "" if number == 1 else "s"}
