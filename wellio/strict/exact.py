"""Models that take nothing for what it is not, however naturally they are written.

pydantic is lenient even where it is strict: a text of digits is a date to it, "00:10" a length of
time, `1_0` a decimal. Here each has the one form that the wire has for it.
"""

import re
import uuid
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, TypeAdapter
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from wellio.clock import INSTANT, INSTANT_TEXT

DATE: Final = "must be a date such as 2026-03-01"
DURATION: Final = "must be an ISO 8601 duration such as PT30M"
NUMBER: Final = "must be a number"
TIME: Final = "must be a time such as 09:30"
UUID: Final = "must be a UUID"
#: What a number is in JSON: no blanks, no underscores, no plus, no leading noughts.
INTEGER_TEXT: Final = re.compile(r"-?(?:0|[1-9][0-9]*)", re.ASCII)
NUMBER_TEXT: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DURATION: Final = re.compile(r"-?P(?=\d|T\d)[0-9YMWDTHS.]+", re.ASCII)
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_TIME: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?", re.ASCII)


def wrong_type(sentence: str) -> PydanticCustomError:
    """Return the error of a value that is of another type of JSON than is asked for.

    Args:
        sentence: What it must be.
    """
    return PydanticCustomError("wrong_type", "{sentence}", {"sentence": sentence})


def _reader(
    kind: type, sentence: str, form: re.Pattern[str], read: Callable[[str], object]
) -> Callable[[object], object]:
    """Return what makes a value of texts of one form, and lets nothing else through but values.

    Args:
        kind: What values are.
        sentence: What else is told.
        form: Of the text, whole.
        read: Reads it, or raises ValueError in whatever words.
    """

    def checked(given: object) -> object:
        if isinstance(given, kind):
            return given
        if not isinstance(given, str):
            raise wrong_type(sentence)
        try:
            if form.fullmatch(given):
                return read(given)
        except ValueError:
            pass  # such as a thirteenth month
        raise ValueError(sentence)

    return checked


def _decimal(given: object) -> object:
    is_number = isinstance(given, int | float) and not isinstance(given, bool)
    return _decimal_text(str(given) if is_number else given)


_DURATIONS: Final = TypeAdapter(timedelta)
_decimal_text: Final = _reader(Decimal, NUMBER, NUMBER_TEXT, Decimal)
exact_date: Final = _reader(date, DATE, _DATE, date.fromisoformat)
#: By the type of a schema: what reads a value before pydantic does.
_READERS: Final[Mapping[str, Callable[[object], object]]] = {
    "date": exact_date,
    "datetime": _reader(
        datetime, INSTANT, INSTANT_TEXT, lambda text: datetime.fromisoformat(text.upper())
    ),
    "decimal": _decimal,
    "time": _reader(time, TIME, _TIME, time.fromisoformat),
    "timedelta": _reader(timedelta, DURATION, _DURATION, _DURATIONS.validate_python),
    "uuid": _reader(uuid.UUID, UUID, _UUID, uuid.UUID),
}
#: Members of a schema that hold no other.
_LEAVES: Final = frozenset({"config", "default", "metadata", "serialization"})


def _checked(node: Any) -> Any:
    """Return a schema with the readers in it; one that is there already stays the only one."""
    if isinstance(node, list | tuple):
        return type(node)(map(_checked, node))
    if not isinstance(node, dict):
        return node
    kind = node.get("type")
    if not isinstance(kind, str):  # a table of fields, whatever they are called
        return {name: _checked(field) for name, field in node.items()}
    if kind in _READERS:
        return core_schema.no_info_before_validator_function(_READERS[kind], node)
    if kind == "function-before" and node["function"]["function"] in _READERS.values():
        return node
    return {key: item if key in _LEAVES else _checked(item) for key, item in node.items()}


class Exact(BaseModel):
    """A model whose dates, times, ids and numbers are read from one form alone."""

    model_config = ConfigDict(allow_inf_nan=False)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler, /
    ) -> CoreSchema:
        """Put a reader before each part of a field that needs one."""
        schema: CoreSchema = _checked(handler(source))
        return schema
