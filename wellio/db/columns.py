"""What the type of a model's field says of its column: how a value is stored and shown."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import orjson
import pydantic_core
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from wellio.clock import rfc3339
from wellio.wire import AS_INSTANT

#: class -> kind of column, the first that fits
_KINDS: Final[Mapping[type, str]] = {
    datetime: "",  # an Instant is one
    date: "date",
    bool: "bool",
    int: "int",
    float: "float",
    str: "text",
    dict: "json",
    list: "json",
    tuple: "json",
    BaseModel: "json",
}
#: kind -> makes what JSON has of a stored value
SHOWN: Final[Mapping[str, Callable[[Any], Any]]] = {
    "bool": bool,
    "instant": rfc3339,
    "json": orjson.loads,
}


def kind_of_field(field: FieldInfo) -> tuple[str, bool]:
    """Return the kind of a field's column, and whether that may be null.

    Raises:
        ValueError: No column holds what the field does.
    """
    arms, is_null = _without_none(field.annotation)
    kinds = {_kind(arm, field.metadata) for arm in arms}
    if len(kinds) != 1 or "" in kinds:
        raise ValueError(f"no column holds {field.annotation}")
    return kinds.pop(), is_null


def stored(kind: str, value: Any) -> Any:
    """Return a value of a model as its column holds it."""
    if value is None:
        return None
    if kind == "json":
        return pydantic_core.to_json(value).decode()
    return value.isoformat() if kind == "date" else value


def is_same(kind: str, one: Any, other: Any) -> bool:
    """Return whether two stored values are one; JSON by what it says, however it is written."""
    if kind != "json" or one is None or other is None:
        return bool(one == other)
    return _canonical(one) == _canonical(other)


def _without_none(type_: Any) -> tuple[list[Any], bool]:
    arms = get_args(type_) if get_origin(type_) in {Union, UnionType} else (type_,)
    return [arm for arm in arms if arm is not NoneType], NoneType in arms


def _kind(type_: Any, metadata: Any = ()) -> str:
    origin, args = get_origin(type_), get_args(type_)
    if origin is Annotated:
        return _kind(args[0], args[1:])
    if AS_INSTANT in metadata:
        return "instant"
    if origin is Literal:
        return _kind(type(args[0]))
    class_ = origin or type_
    if class_ is Any:
        return "json"
    if not isinstance(class_, type):
        return ""
    return next((kind for base, kind in _KINDS.items() if issubclass(class_, base)), "")


def _canonical(text: str) -> bytes:
    return orjson.dumps(orjson.loads(text), option=orjson.OPT_SORT_KEYS)
