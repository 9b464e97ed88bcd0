"""Wire models refuse what no engine could hold, and cursors read only themselves."""

from datetime import date
from typing import Annotated, Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wellio import (
    ABSENT,
    Currency,
    Date,
    Email,
    Id,
    Instant,
    Invalid,
    Locale,
    Name,
    PageQuery,
    Password,
    Phone,
    Text,
    TimeZone,
    VisibleText,
    Wire,
    decode_cursor,
    encode_cursor,
    fold,
    page,
    sort_key,
)
from wellio.field_errors import invalid_from_pydantic

ID = "01a20772-1225-73e4-a6d8-513d962f6fde"


@pytest.mark.parametrize(
    ("type_", "given_value", "expected"),
    [
        (Id, ID.upper(), ID),
        (Name, "  Ada  ", "Ada"),
        (Email, "Ada@Example.COM", "Ada@example.com"),
        (Email, "ada@practice.local", "ada@practice.local"),
        (Email, "ada@example.test", "ada@example.test"),
        (TimeZone, "Europe/Berlin", "Europe/Berlin"),
        (Instant, "2026-03-01T09:30:00Z", 1_772_357_400_000),
        (Text, "two\nlines 🎉", "two\nlines 🎉"),
        (Currency, "EUR", "EUR"),
        (Locale, "de-CH", "de-CH"),
        (Date, "2024-02-29", date(2024, 2, 29)),
        (Phone, "\u202a+49\u00a030 901820\u202c", "+49 30 901820"),
        (Phone, "030\u200b901820;ext=89", "030901820;ext=89"),
        (Phone, "\uff0b49 \u0663\u0660\u2011901820 ext. 89", "+49 30-901820 ext. 89"),
        (Name, "\u202eevil\u202c\u2066", "evil"),
        (VisibleText, "\U0001f469\u200d\u2695\ufe0f", "\U0001f469\u200d\u2695\ufe0f"),
        (VisibleText, " \u2764\ufe0f ", " \u2764\ufe0f "),
        (Password, "Zu\u0308rich-cafe\u0301-1", "Z\u00fcrich-caf\u00e9-1"),
    ],
)
def test_good_values_are_taken_in_their_canonical_form(
    type_: Any, given_value: str, expected: object
) -> None:
    assert pydantic.TypeAdapter(type_).validate_python(given_value) == expected


@pytest.mark.parametrize(
    ("type_", "given_value"),
    [
        (Id, "1"),
        (Id, 1),
        (Name, " "),
        (Name, "a\x00b"),
        (Name, "two\nlines"),
        (Name, "x" * 201),
        (Email, "nobody"),
        (Email, "a@b"),
        (Email, "x" * 250 + "@example.com"),
        (TimeZone, "Mars/Olympus"),
        (TimeZone, "../../etc/passwd"),
        (Instant, "yesterday"),
        (Instant, "0001-01-01T00:00:00+23:59"),
        (Text, "a\x00b"),
        (Text, "\ud800"),
        (Currency, "eur"),
        (Locale, "german"),
        (Password, "short"),
        (Password, "e\u0301" * 9),
        (Date, "631152000"),
        (Date, "2026-02-30"),
        (Date, "2026-03-01T00:00:00"),
        (Instant, 253_402_300_800_000),
        (Instant, True),
        (Phone, "((((("),
        (Phone, "call me"),
    ],
)
def test_bad_values_are_refused(type_: Any, given_value: object) -> None:
    with pytest.raises(pydantic.ValidationError):
        pydantic.TypeAdapter(type_).validate_python(given_value)


@pytest.mark.parametrize(
    ("typed", "typed_otherwise"),
    [
        ("Ada@Example.com", "ada@example.COM"),
        ("Zoë", "Zoe\u0308"),
        ("ÉLODIE", "e\u0301lodie"),
        ("STRASSE", "straße"),
        ("ΣΊΣΥΦΟΣ", "Σίσυφος"),
        ("Sle\u00adep\u200b", "sleep"),
    ],
)
def test_what_is_typed_otherwise_has_one_form(typed: str, typed_otherwise: str) -> None:
    assert fold(typed) == fold(typed_otherwise) == fold(fold(typed))


@pytest.mark.parametrize(("one", "another"), [("zoë", "zoe"), ("ada@a.de", "ada@a.at")])
def test_what_is_another_name_stays_one(one: str, another: str) -> None:
    assert fold(one) != fold(another)


def test_what_shows_nothing_is_no_text() -> None:
    for text in (
        *(
            "",
            "   ",
            "\n\n",
            "\u200b",
            "\u2800",
            "\u3164",
            "\ufeff",
            "\u00ad",
            "\u2060\u200d\ufe0f",
        ),
        *("\u115f\u1160", "\u3000", "\u2066 \u2069", "\U000e0041", "\u034f", "\u180e"),
    ):
        for type_ in (Name, VisibleText):
            with pytest.raises(pydantic.ValidationError):
                pydantic.TypeAdapter[str](type_).validate_python(text)


class Person(Wire):
    full_name: Name
    time_zone: TimeZone


def test_a_problem_names_every_field_and_echoes_none() -> None:
    with pytest.raises(pydantic.ValidationError) as caught:
        Person.model_validate({"fullName": "\x00secret", "timeZone": "secret", "sec/ret~": 1})
    problem = invalid_from_pydantic(caught.value).to_dict("request-1")
    assert [error["pointer"] for error in problem["errors"]] == [
        "/fullName",
        "/timeZone",
        "/sec~1ret~0",
    ]
    assert "secret" not in str([error["message"] for error in problem["errors"]])
    assert (problem["status"], problem["requestId"]) == (422, "request-1")


@pytest.mark.parametrize(
    "type_, given_value, message",
    [
        (Name, "", "must have at least 1 character"),
        (Name, "a" * 201, "must have at most 200 characters"),
        (
            Annotated[list[int], pydantic.Field(min_length=1)],
            [],
            "must have at least 1 item",
        ),
    ],
)
def test_a_length_is_told_in_words_that_fit(type_: Any, given_value: object, message: str) -> None:
    with pytest.raises(pydantic.ValidationError) as caught:
        pydantic.TypeAdapter(type_).validate_python(given_value)
    assert [error.message for error in invalid_from_pydantic(caught.value).errors] == [message]


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\x00")),
    st.integers(-(2**63), 2**63 - 1),
)
def test_a_cursor_reads_back(text: str, number: int) -> None:
    assert decode_cursor(encode_cursor(text, number), str, int) == (text, number)


@given(st.text(min_size=1, max_size=200) | st.characters(codec="utf-8").map(lambda it: it * 200))
def test_the_cursor_of_every_name_is_taken_back(name: str) -> None:
    cursor = encode_cursor(sort_key(name), ID)
    assert PageQuery(cursor=cursor).cursor == cursor


@given(st.text())
def test_any_other_text_is_a_422_at_cursor(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        decode_cursor(text, str, int)
    assert [error.pointer for error in caught.value.errors] == ["/cursor"]


@pytest.mark.parametrize(
    "parts", [("a",), ("a", "b"), (1, "a"), ("a", 1, 2), ("a", True), ("a\x00", 1), ("a", 2**63)]
)
def test_a_cursor_of_another_list_is_refused(parts: tuple[str | int, ...]) -> None:
    with pytest.raises(Invalid):
        decode_cursor(encode_cursor(*parts), str, int)


@pytest.mark.parametrize(
    ("rows", "items", "cursor"),
    [([], [], None), ([1, 2], [1, 2], None), ([1, 2, 3], [1, 2], encode_cursor(2))],
)
def test_a_page_ends_with_a_cursor_only_if_there_is_more(
    rows: list[int], items: list[int], cursor: str | None
) -> None:
    answer = page(rows, 2, encode_cursor, lambda row: row)
    assert answer == {"items": items, "nextCursor": cursor}


class PersonChange(Wire):
    full_name: Name = ABSENT
    nickname: Name | None = ABSENT
    city: Name | None = None


@pytest.mark.parametrize(
    "sent, expected",
    [
        ({}, {}),
        ({"fullName": "Ada"}, {"full_name": "Ada"}),
        ({"nickname": None, "city": None}, {"nickname": None, "city": None}),
        ({"city": "Rome", "fullName": "Ada"}, {"full_name": "Ada", "city": "Rome"}),
    ],
)
def test_a_change_gives_what_was_sent(sent: dict[str, Any], expected: dict[str, Any]) -> None:
    change = PersonChange.model_validate(sent)
    assert list(change.given().items()) == list(expected.items())
    assert (change.full_name is ABSENT) == ("fullName" not in sent)


@pytest.mark.parametrize("sent", [{"fullName": None}, {"fullName": ""}, {"nickname": 1}])
def test_null_is_refused_where_nothing_may_be_empty(sent: dict[str, Any]) -> None:
    with pytest.raises(pydantic.ValidationError):
        PersonChange.model_validate(sent)


def test_what_is_absent_has_no_default_and_is_not_required() -> None:
    schema = PersonChange.model_json_schema()
    assert "default" not in schema["properties"]["fullName"]
    assert "required" not in schema


def test_an_instant_is_written_as_it_is_read() -> None:
    adapter = pydantic.TypeAdapter[int](Instant)
    text = "2026-03-01T09:30:00.000Z"
    assert adapter.dump_python(adapter.validate_python(text), mode="json") == text
    assert adapter.dump_python(adapter.validate_python(text)) == 1_772_357_400_000
