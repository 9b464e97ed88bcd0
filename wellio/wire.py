"""The wire: camelCase models that refuse unknown fields, the types they share, and pages."""

import base64
import binascii
import re
import zoneinfo
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Annotated, Any, Generic, TypeVar

import orjson
from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    Strict,
    StringConstraints,
    TypeAdapter,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import MISSING, CoreSchema, PydanticCustomError, core_schema

from .clock import FIRST_MS, INSTANT, LAST_MS, parse_rfc3339, rfc3339
from .errors import invalid
from .ids import is_id
from .strict.exact import UUID, Exact, exact_date, wrong_type
from .text import address_validator, composed, is_visible, one_line, plain_signs

RowT = TypeVar("RowT")
ItemT = TypeVar("ItemT")
MAX_LIMIT = 100
MAX_CURSOR = 4096
"""Characters: 200 of any script are up to 2,400 bytes as a sort key, and a third more in base64."""
ABSENT: Any = MISSING
"""The default of a field that a change may leave out: absent, it stays as it is."""
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_PHONE = re.compile(
    r"\+?[0-9 ()./-]{3,40}(?: ?(?:[x#,]|;?ext(?:n|ension)?[.:=]?) ?[0-9]{1,8})?",
    re.ASCII | re.IGNORECASE,
)


class Wire(Exact):
    """A request or response: camelCase on the wire, snake_case here, nothing unknown."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True
    )

    def given(self) -> dict[str, Any]:
        """Return the fields that were sent, by their names here: what a change changes.

        class ClientChange(Wire):
            name: Name = ABSENT           # null is a 422
            phone: Phone | None = ABSENT  # null empties it
        """
        return {
            it: getattr(self, it) for it in type(self).model_fields if it in self.model_fields_set
        }


def _no_control(text: str) -> str:
    """Refuse what one of the engines or a terminal cannot hold: NUL and lone surrogates."""
    if UNSTORABLE.search(text):
        raise ValueError("must not hold NUL or unpaired surrogates")
    return text


def _one_line(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("must be one line without control characters")
    return one_line(text)


def _visible(text: str) -> str:
    if not is_visible(text):
        raise ValueError("must show something")
    return text


def _canonical_id(text: object) -> str:
    if not isinstance(text, str):
        raise wrong_type(UUID)
    lower = text.lower()
    if not is_id(lower):
        raise ValueError(UUID)
    return lower


@lru_cache(maxsize=1)
def time_zones() -> frozenset[str]:
    """Return the names of IANA's time zones."""
    # Neither is a zone: the one is the machine's own, the other says that nobody chose one.
    return frozenset(zoneinfo.available_timezones() - {"localtime", "Factory"})


def _known_zone(name: str) -> str:
    if name not in time_zones():
        raise ValueError("must be an IANA time zone such as Europe/Berlin")
    return name


def _email(text: str) -> str:
    validator = address_validator()
    try:
        address: str = validator.validate_email(text, check_deliverability=False).normalized
        return address
    except validator.EmailNotValidError as error:
        raise ValueError("must be an e-mail address") from error


def _phone(text: str) -> str:
    plain = plain_signs(text)
    if not _PHONE.fullmatch(plain) or sum(map(str.isdigit, plain)) < 3:
        raise ValueError("must be a phone number such as +49 30 901820 ext. 89")
    return plain


def _instant(value: object, info: ValidationInfo) -> object:
    if isinstance(value, str):
        return parse_rfc3339(value)
    if info.mode == "json" or type(value) is not int:
        raise wrong_type(INSTANT)
    return value


@dataclass(frozen=True)
class Form:
    """Says what a text looks like, by a pattern to programs and by a sentence to people.

    Weekday = Annotated[str, Form(r"[A-Z][a-z]+day", "must be a weekday such as Monday")]

    Attributes:
        pattern: Of the whole text; as ECMA-262 and Python read it.
        message: What an error says.
        code: The error's code.
    """

    pattern: str
    message: str
    code: str = "wrong_form"

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Check a text against the pattern."""
        pattern = re.compile(self.pattern)

        def check(text: str) -> str:
            if not pattern.fullmatch(text):
                raise PydanticCustomError(self.code, "{message}", {"message": self.message})
            return text

        return core_schema.no_info_after_validator_function(check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Show the pattern to programs."""
        return {**handler(schema), "pattern": f"^{self.pattern}$"}


Id = Annotated[
    str,
    Strict(),
    BeforeValidator(_canonical_id),
    WithJsonSchema({"type": "string", "format": "uuid"}),
]
"""A UUID, taken in either case and kept in lower case."""
Text = Annotated[str, Strict(), AfterValidator(_no_control)]
"""Text of any length, line ends and tabs included; no other control characters."""
Line = Annotated[Text, AfterValidator(_one_line), StringConstraints(strip_whitespace=True)]
"""One line, without blanks at its ends; it may be empty."""
VisibleText = Annotated[Text, Field(min_length=1), AfterValidator(_visible)]
"""Text of which somebody sees something: blanks and joiners alone are none."""
Name = Annotated[
    VisibleText,
    AfterValidator(_one_line),
    StringConstraints(strip_whitespace=True, max_length=200),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 200}),
]
"""A visible line of up to 200 characters."""
Email = Annotated[
    Line,
    StringConstraints(min_length=3, max_length=254),
    AfterValidator(_email),
    WithJsonSchema({"type": "string", "format": "email", "maxLength": 254}),
]
"""An e-mail address that mail can be sent to; `address_key` compares two of them."""
Phone = Annotated[Line, StringConstraints(max_length=60), AfterValidator(_phone)]
"""A number to dial, and an extension if it has one."""
Password = Annotated[
    Text, AfterValidator(composed), StringConstraints(min_length=10, max_length=256)
]
"""A password that somebody chooses, of 10 to 256 characters."""
TimeZone = Annotated[Line, StringConstraints(max_length=64), AfterValidator(_known_zone)]
"""A time zone of the IANA list, such as `Europe/Berlin`."""
Currency = Annotated[str, Form(r"[A-Z]{3}", "must be an ISO 4217 code such as EUR")]
"""Three capital letters of ISO 4217, such as `EUR`."""
Locale = Annotated[
    str,
    StringConstraints(max_length=35),
    Form(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", "must be a language tag such as de or de-CH"),
]
"""A language tag of BCP 47, such as `de` or `pt-BR`."""
Date = Annotated[date, BeforeValidator(exact_date)]
"""A date, `YYYY-MM-DD` on the wire; in a `Wire`, plain `date` is the same."""
AS_INSTANT = BeforeValidator(_instant)
Instant = Annotated[
    int,
    Field(strict=True, ge=FIRST_MS, le=LAST_MS),
    AS_INSTANT,
    PlainSerializer(rfc3339, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""Milliseconds UTC in Python, RFC 3339 on the wire: a number is none there."""


def read_json(adapter: TypeAdapter[Any], text: bytes) -> Any:
    """Read JSON as a type, taking no value for one of another kind.

    A number is no date, true is no number, and "1" is neither.

    Args:
        adapter: Of the type.
        text: JSON, as orjson reads it too.

    Raises:
        ValidationError: It is something else.
    """
    return adapter.validate_json(text, strict=True, by_alias=True, by_name=False)


class PageQuery(Wire):
    """The query of every list."""

    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="Items on a page.")] = 50
    cursor: Annotated[
        str | None,
        Field(max_length=MAX_CURSOR, description="`nextCursor` of the page before."),
    ] = None


class Page(Wire, Generic[ItemT]):
    """A page of a list."""

    items: list[ItemT]
    next_cursor: Annotated[
        str | None, Field(description="Give it as `cursor` for the next page; null on the last.")
    ]


def encode_cursor(*parts: str | int) -> str:
    """Make an opaque cursor of the sort key of a page's last row."""
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def decode_cursor(text: str, *types: type) -> tuple[Any, ...]:
    """Read a cursor back.

    Args:
        text: What `encode_cursor` made.
        types: The type of each part: `str` or `int`.

    Raises:
        Invalid: It is none of ours; the error stands at `/cursor`.
    """
    try:
        padded = text + "=" * (-len(text) % 4)
        parts = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as error:
        raise _bad_cursor() from error
    if not isinstance(parts, list) or [type(part) for part in parts] != list(types):
        raise _bad_cursor()
    if any(type(part) is int and not -(2**63) <= part < 2**63 for part in parts):
        raise _bad_cursor()
    if any(type(part) is str and "\x00" in part for part in parts):
        raise _bad_cursor()
    return tuple(parts)


def _bad_cursor() -> Exception:
    return invalid("/cursor", "bad_cursor", "is no cursor of this list")


def page(
    rows: Sequence[RowT],
    limit: int,
    cursor_of: Callable[[RowT], str],
    item: Callable[[RowT], Any],
) -> dict[str, Any]:
    """Make a page of a list.

    Args:
        rows: Up to `limit + 1` rows; one more than `limit` tells that there is a next page.
        limit: Items on a page.
        cursor_of: Returns a row's cursor.
        item: Returns a row's form on the wire.
    """
    shown = rows[:limit]
    more = len(rows) > limit
    return {
        "items": [item(row) for row in shown],
        "nextCursor": cursor_of(shown[-1]) if more else None,
    }
