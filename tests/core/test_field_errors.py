"""What is wrong with a field is said in our words, whatever pydantic calls it."""

from datetime import date, datetime, time
from enum import StrEnum
from typing import Annotated, Any, Literal, get_args

import pydantic
import pytest
from pydantic import Field
from pydantic_core.core_schema import ErrorType

from wellio.field_errors import in_words, invalid_from_pydantic
from wellio.wire import Id, Instant, Line, Name, TimeZone, Wire


class Thing(Wire):
    kind: Literal["cup"]
    name: Name


class Other(Wire):
    kind: Literal["pot"]


class Size(StrEnum):
    SMALL = "s"
    LARGE = "l"


@pytest.mark.parametrize(
    "type_, given, code, message",
    [
        (Thing, None, "wrong_type", "must be an object"),
        (Thing, [], "wrong_type", "must be an object"),
        (dict[str, int], "x", "wrong_type", "must be an object"),
        (Thing, {"kind": "cup"}, "missing", "must be there"),
        (Thing, {"kind": "cup", "name": "x", "more": 1}, "extra_forbidden", "is no field"),
        (Name, 7, "wrong_type", "must be text"),
        (Name, "", "too_short", "must have at least 1 character"),
        (Name, "a" * 201, "too_long", "must have at most 200 characters"),
        (Line, "a\nb", "invalid", "must be one line without control characters"),
        (Id, "7", "invalid", "must be a UUID"),
        (TimeZone, "Mars", "invalid", "must be an IANA time zone such as Europe/Berlin"),
        (list[int], {}, "wrong_type", "must be a list"),
        (tuple[int, ...], "x", "wrong_type", "must be a list"),
        (Annotated[list[int], Field(min_length=2)], [1], "too_short", "at least 2 items"),
        (Annotated[list[int], Field(max_length=1)], [1, 2], "too_long", "at most 1 item"),
        (Annotated[tuple[Line, ...], Field(min_length=1)], [1], "wrong_type", "must be text"),
        (int, "1.5", "wrong_type", "must be a whole number"),
        (int, 1.5, "wrong_type", "must be a whole number"),
        (int, "9" * 5000, "wrong_type", "must be a whole number"),
        (Annotated[int, Field(ge=1)], 0, "too_small", "must be at least 1"),
        (Annotated[int, Field(le=100)], 101, "too_large", "must be at most 100"),
        (Annotated[float, Field(gt=0)], 0, "too_small", "must be more than 0"),
        (float, "x", "wrong_type", "must be a number"),
        (bool, "maybe", "wrong_type", "must be true or false"),
        (Literal["a", "b"], "c", "not_one_of", "must be 'a' or 'b'"),
        (Size, "m", "not_one_of", "must be 's' or 'l'"),
        (Annotated[str, Field(pattern="^a$")], "b", "wrong_form", "has not the form ^a$"),
        (date, "2026-02-30", "wrong_type", "must be a date such as 2026-03-01"),
        (date, "x", "wrong_type", "must be a date such as 2026-03-01"),
        (datetime, "x", "wrong_type", "must be an RFC 3339 instant"),
        (time, "x", "wrong_type", "must be a time such as 09:30"),
        (Instant, "x", "invalid", "must be an RFC 3339 instant"),
        (Instant, "2026-13-45T99:99:99Z", "invalid", "must be an RFC 3339 instant"),
        (
            Annotated[Thing | Other, Field(discriminator="kind")],
            {"kind": "secret"},
            *("not_one_of", "is of none of the documented kinds"),
        ),
    ],
)
def test_a_wrong_value_is_told_in_our_words(
    type_: Any, given: object, code: str, message: str
) -> None:
    with pytest.raises(pydantic.ValidationError) as caught:
        pydantic.TypeAdapter(type_).validate_python(given)
    (error,) = invalid_from_pydantic(caught.value).errors
    assert error.code == code
    assert message in error.message
    assert "secret" not in error.message


def test_nothing_of_pydantics_own_gets_through() -> None:
    """Neither a kind of error without a sentence here, nor a ValueError that a library raised."""
    known = {
        "field_type": "List",
        "min_length": 1,
        "max_length": 1,
        "ge": 1,
        "gt": 1,
        "le": 1,
        "lt": 1,
    }
    context = {
        **known,
        "multiple_of": 1,
        "pattern": "x",
        "expected": "1",
        "error": UnicodeError("secret"),
    }
    for type_ in get_args(ErrorType):
        item: Any = {"type": type_, "loc": (), "msg": "Input should be secret", "ctx": context}
        code, message = in_words(item)
        assert "Input" not in message
        assert "secret" not in message
        assert code != type_ or code in {"missing", "extra_forbidden", "too_short", "too_long"}
