"""What is wrong with a field is said in our words, whatever pydantic calls it."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

import pydantic
import pytest
from pydantic import Field
from pydantic_core.core_schema import ErrorType

from wellio.field_errors import in_words, invalid_from_pydantic
from wellio.wire import Currency, Date, Id, Instant, Line, Locale, Name, TimeZone, Wire, read_json


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
        (Name, "\u202e", "invalid", "must show something"),
        (Name, "   ", "invalid", "must show something"),
        (Name, "a" * 201, "too_long", "must have at most 200 characters"),
        (Line, "a\nb", "invalid", "must be one line without control characters"),
        (Id, "7", "invalid", "must be a UUID"),
        (Id, 7, "wrong_type", "must be a UUID"),
        (TimeZone, "Mars", "invalid", "must be an IANA time zone such as Europe/Berlin"),
        (list[int], {}, "wrong_type", "must be a list"),
        (tuple[int, ...], "x", "wrong_type", "must be a list"),
        (Annotated[list[int], Field(min_length=2)], [1], "too_short", "at least 2 items"),
        (Annotated[list[int], Field(max_length=1)], [1, 2], "too_long", "at most 1 item"),
        (Annotated[tuple[Line, ...], Field(min_length=1)], [1], "wrong_type", "must be text"),
        (int, "1.5", "wrong_type", "must be a whole number"),
        (int, 1.5, "wrong_type", "must be a whole number"),
        (int, "9" * 5000, "too_large", "must be a whole number of 64 bits"),
        (Annotated[int, Field(ge=1)], 0, "too_small", "must be at least 1"),
        (Annotated[int, Field(le=100)], 101, "too_large", "must be at most 100"),
        (Annotated[float, Field(gt=0)], 0, "too_small", "must be more than 0"),
        (float, "x", "wrong_type", "must be a number"),
        (bool, "maybe", "wrong_type", "must be true or false"),
        (Literal["a", "b"], "c", "not_one_of", "must be 'a' or 'b'"),
        (Size, "m", "not_one_of", "must be 's' or 'l'"),
        (Annotated[str, Field(pattern="^a$")], "b", "wrong_form", "is not of the documented form"),
        (Currency, "eur\n", "wrong_form", "must be an ISO 4217 code such as EUR"),
        (Locale, "de_DE", "wrong_form", "must be a language tag such as de or de-CH"),
        (date, "2026-02-30", "invalid", "must be a date such as 2026-03-01"),
        (date, "x", "invalid", "must be a date such as 2026-03-01"),
        (Date, "2026-02-30", "invalid", "must be a date such as 2026-03-01"),
        (Date, "631152000", "invalid", "must be a date such as 2026-03-01"),
        (datetime, "x", "invalid", "must be an RFC 3339 instant"),
        (time, "x", "invalid", "must be a time such as 09:30"),
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


class Written(Wire):
    """As somebody writes a model who knows pydantic and not us."""

    day: date | None = None
    days: tuple[date, ...] = ()
    at: datetime | None = None
    begins: time | None = None
    lasts: timedelta | None = None
    key: UUID | None = None
    price: Decimal | None = None
    share: float | None = None
    type: date | None = None
    default: date | None = None
    by_id: dict[UUID, date] | None = None


@pytest.mark.parametrize(
    "field, good",
    [
        ("day", '"2026-03-01"'),
        ("days", '["2026-03-01"]'),
        ("at", '"2026-03-01T09:30:00Z"'),
        ("begins", '"09:30"'),
        ("lasts", '"PT30M"'),
        ("key", '"0190A0A0-0000-7000-8000-000000000000"'),
        ("price", '"1.50"'),
        ("price", "1.5"),
        ("share", "1"),
        ("byId", '{"0190a0a0-0000-7000-8000-000000000000": "2026-03-01"}'),
    ],
)
def test_plain_types_are_read_from_the_wires_form(field: str, good: str) -> None:
    assert read_json(pydantic.TypeAdapter(Written), f'{{"{field}": {good}}}'.encode())


@pytest.mark.parametrize(
    "field, given, code, message",
    [
        *(("day", it, "wrong_type", "must be a date") for it in ("5", "true", "[]")),
        *(
            ("day", f'"{it}"', "invalid", "must be a date")
            for it in ("631152000", "2026-02-30", "2026-03-01T00:00:00", " 2026-03-01", "2026-3-1")
        ),
        ("days/0", '["631152000"]', "invalid", "must be a date"),
        ("type", '"631152000"', "invalid", "must be a date"),
        ("default", '"631152000"', "invalid", "must be a date"),
        ("at", "631152000", "wrong_type", "must be an RFC 3339 instant"),
        *(
            ("at", f'"{it}"', "invalid", "must be an RFC 3339 instant")
            for it in ("631152000", "2026-03-01", "2026-03-01T09:30:00", "2026-13-01T00:00:00Z")
        ),
        ("begins", "34200", "wrong_type", "must be a time"),
        *(("begins", f'"{it}"', "invalid", "must be a time") for it in ("9:30", "09:30Z", "24:00")),
        ("lasts", "5", "wrong_type", "must be an ISO 8601 duration"),
        *(("lasts", f'"{it}"', "invalid", "ISO 8601 duration") for it in ("1 day", "00:10", "P")),
        ("key", "5", "wrong_type", "must be a UUID"),
        ("key", '"0190a0a0000070008000000000000000"', "invalid", "must be a UUID"),
        *(("price", f'"{it}"', "invalid", "must be a number") for it in ("1_0", " 5", "٣", "+5")),
        ("share", '"1"', "wrong_type", "must be a number"),
        ("share", "1e400", "too_large", "must be a finite number"),
    ],
)
def test_plain_types_take_nothing_for_what_it_is_not(
    field: str, given: str, code: str, message: str
) -> None:
    name = field.partition("/")[0]
    with pytest.raises(pydantic.ValidationError) as caught:
        read_json(pydantic.TypeAdapter(Written), f'{{"{name}": {given}}}'.encode())
    (error,) = invalid_from_pydantic(caught.value).errors
    assert (error.pointer, error.code) == (f"/{field}", code)
    assert message in error.message


@pytest.mark.parametrize("type_", [Date, Instant, Id])
@pytest.mark.parametrize("given", ["5", "true", "1.5", "[]", "{}"])
def test_what_is_no_text_is_of_a_wrong_type(type_: Any, given: str) -> None:
    with pytest.raises(pydantic.ValidationError) as caught:
        read_json(pydantic.TypeAdapter(type_), given.encode())
    (error,) = invalid_from_pydantic(caught.value).errors
    assert error.code == "wrong_type"
    assert error.message.startswith("must be a")


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
