"""What a text stands for where JSON has a type: in a query, a variable or an option.

A number, true and false are written as JSON writes them, and everything else is text: nobody's
`1_0`, `+5` or `yes` is guessed at.
"""

import math
from collections.abc import Iterator, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import orjson
from pydantic import BaseModel, SecretStr

from .exact import INTEGER_TEXT, NUMBER_TEXT

_TYPES: Final[Mapping[Any, str]] = {int: "integer", float: "number", bool: "boolean"}
_MAX_DIGITS: Final = 4_000  # pydantic reads no more
_LISTS: Final = (list, tuple, set, frozenset)


class Written(str):
    """Text from where there is nothing else, whatever it stands for: a variable, an option."""

    __slots__ = ()


def json_of(text: str, types: frozenset[str]) -> object:
    """Return what orjson writes for a text: a number only where one is asked for.

    Args:
        text: As it was typed.
        types: Those of JSON that it may be of.
    """
    if "string" in types:
        return text
    if "integer" in types and INTEGER_TEXT.fullmatch(text):
        return orjson.Fragment(text[:_MAX_DIGITS].encode())  # what is longer is as much too large
    if "number" in types and len(text) < _MAX_DIGITS and NUMBER_TEXT.fullmatch(text):
        return orjson.Fragment(text.encode())
    if "boolean" in types and text in {"true", "false"}:
        return text == "true"
    return text


def table_json(model: type[BaseModel], given: Mapping[str, Any]) -> bytes:
    """Write a table as JSON that the model reads strictly.

    Args:
        model: Its fields say what each `Written` text stands for. A list may be JSON, or its items
            with commas between; a table is JSON.
        given: By the fields' names; values may be of the types of TOML, and those that a setting
            has.
    """
    return orjson.dumps(_typed(given, model), default=_plain, option=orjson.OPT_NON_STR_KEYS)


def _typed(value: Any, annotation: Any) -> Any:
    """Return a value as orjson takes it."""
    kinds = list(_kinds(annotation))
    lists = [it for it in kinds if get_origin(it) in _LISTS]
    if isinstance(value, Written):
        value = _read(value, kinds, is_list=bool(lists))
    if isinstance(value, Mapping):
        fields: Mapping[str, Any] = {}
        for kind in kinds:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                fields = {name: it.annotation for name, it in kind.model_fields.items()}
        return {name: _typed(item, fields.get(name)) for name, item in value.items()}
    if isinstance(value, list | tuple):
        item_type = get_args(lists[0])[0] if lists else None
        return [_typed(item, item_type) for item in value]
    if type(value) is int and not -(2**63) <= value < 2**63:
        return orjson.Fragment(str(value).encode())
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # orjson would write null
    return value


def _read(text: str, kinds: list[Any], *, is_list: bool) -> Any:
    is_table = any(
        get_origin(it) is dict or (isinstance(it, type) and issubclass(it, BaseModel | dict))
        for it in kinds
    )
    if (is_list and text[:1] == "[") or (is_table and text[:1] == "{"):
        try:
            return orjson.loads(str(text))
        except orjson.JSONDecodeError:
            return text  # which is neither a list nor a table
    if is_list:
        return text if text[:1] == "{" else [Written(item.strip()) for item in text.split(",")]
    return json_of(text, frozenset(_TYPES.get(kind, "string") for kind in kinds))


def _kinds(annotation: Any) -> Iterator[Any]:
    """Yield what a value may be of, without what is said about it."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from _kinds(inner[0])
    elif origin in {Union, UnionType}:
        for part in inner:
            yield from _kinds(part)
    elif origin is Literal:
        yield from map(type, inner)
    elif annotation is not NoneType:
        yield annotation


def _plain(value: object) -> str:
    """Return the text of what a setting may be in Python: a path, a rate, a network."""
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
