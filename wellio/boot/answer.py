"""Holds what a hook returned against what its specification says.

mypy tells it to an author. But whoever installs a stranger's wheel runs no mypy over it, so a wrong
answer is refused when the app starts, while its plugin can be named, and not at somebody's request.
"""

import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from functools import cache
from types import NoneType, SimpleNamespace, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints, is_typeddict

from wellio.errors import PluginError
from wellio.events.event import Event
from wellio.jobs.jobs import Job
from wellio.jobs.schedules import Schedule
from wellio.mail import Letterhead

from .hook import Hook

#: What the core's own specifications import for mypy alone.
_LATE = {"Event": Event, "Job": Job, "Schedule": Schedule, "Letterhead": Letterhead}
_MAX_SHOWN = 60


def check_answer(hook: Hook, answer: object) -> None:
    """Refuse what is not what a hook has to return.

    Raises:
        PluginError: It says what is wrong, and with which item.
    """
    if wrong := _fault(answer, _returned_by(hook)):
        raise PluginError(f"it returned {wrong}")


def is_protocol(thing: object) -> bool:
    """Tell whether something is a Protocol, and not a class that follows one."""
    return isinstance(thing, type) and bool(getattr(thing, "_is_protocol", False))


def is_called_as(there: Any, wanted: Any, *, is_bound: bool = False) -> bool:
    """Tell whether one function may be called as another says.

    Args:
        there: The function.
        wanted: The other, which belongs to a class.
        is_bound: Whether the first got its `self` already.
    """
    if inspect.iscoroutinefunction(there) != inspect.iscoroutinefunction(wanted) and (
        inspect.isroutine(there)  # of another callable, nothing is known before it is called
    ):
        return False
    parameters = list(inspect.signature(wanted).parameters.values())[int(is_bound) :]
    by_place = [
        it.name for it in parameters if it.kind in {it.POSITIONAL_ONLY, it.POSITIONAL_OR_KEYWORD}
    ]
    by_name = {it.name: None for it in parameters if it.kind is it.KEYWORD_ONLY}
    try:
        inspect.signature(there).bind(*by_place, **by_name)
    except (TypeError, ValueError):  # it needs other arguments, or does not say which
        return False
    return True


@cache
def _returned_by(hook: Hook) -> Any:
    return _hints(hook.function).get("return", Any)


def _hints(function: Any) -> Mapping[str, Any]:
    """Return what a function says it returns; nothing where that cannot be found out."""
    said = {key: it for key, it in inspect.get_annotations(function).items() if key == "return"}
    try:
        names = function.__globals__
        return get_type_hints(SimpleNamespace(__annotations__=said), names, {**_LATE, **names})
    except (NameError, AttributeError, TypeError):  # imported for mypy alone
        return {}


def _fault(answer: Any, wanted: Any) -> str | None:
    """Say what was found instead of what is wanted; None where it is what is wanted."""
    if inspect.iscoroutine(answer):
        answer.close()  # nobody will await it, and Python would say so at some other place
        return "a coroutine: it has to be a plain function, without `async`"
    look = _LOOKS.get(get_origin(wanted) or wanted, _item_fault)
    return look(answer, wanted)


def _lifespan_fault(answer: Any, _: Any) -> str | None:
    if isinstance(answer, AsyncGenerator):
        return None
    return f"{_shown(answer)}: it has to be `async def` with one `yield`"


def _nothing_fault(answer: Any, _: Any) -> str | None:
    return "something that is to be awaited" if inspect.isawaitable(answer) else None


def _mapping_fault(answer: Any, _: Any) -> str | None:
    return None if isinstance(answer, Mapping) else f"{_shown(answer)} and no mapping"


def _sequence_fault(answer: Any, wanted: Any) -> str | None:
    if not isinstance(answer, Sequence) or isinstance(answer, str | bytes):
        return f"{_shown(answer)} and no sequence"
    (item_type,) = get_args(wanted) or (Any,)
    for item in answer:
        if wrong := _fault(item, item_type):
            return f"a sequence with {wrong}, which is no {_named(item_type)}"
    return None


def _item_fault(answer: Any, wanted: Any) -> str | None:
    return None if _is(answer, wanted) else f"{_shown(answer)}{_lacking(answer, wanted)}"


_LOOKS: Mapping[Any, Callable[[Any, Any], str | None]] = {
    AsyncIterator: _lifespan_fault,
    NoneType: _nothing_fault,
    Mapping: _mapping_fault,
    Sequence: _sequence_fault,
}


def _is(thing: Any, wanted: Any) -> bool:
    """Tell whether something is of a type, as far as that can be told without calling it."""
    kind = get_origin(wanted) or wanted
    if kind in {Any, object}:
        return thing is not None
    if kind in {Union, UnionType}:
        return any(_fault(thing, it) is None for it in get_args(wanted))
    if kind is type:
        (base,) = get_args(wanted) or (object,)
        return isinstance(thing, type) and issubclass(thing, get_origin(base) or base)
    if not isinstance(kind, type):
        return True  # a NewType, a TypeVar: what they stand for is mypy's to say
    if is_protocol(kind):
        return not isinstance(thing, type) and not [*_missing(thing, kind)]
    return isinstance(thing, dict if is_typeddict(kind) else kind)


def _missing(thing: Any, protocol: type) -> Iterator[str]:
    """Find what a Protocol asks for and something has not, or not so."""
    for name, wanted in _members(protocol).items():
        try:
            there = getattr(thing, name)
        except Exception:  # noqa: BLE001 - a property that raises is none
            yield name
            continue
        if inspect.isfunction(wanted):
            if not callable(there) or not is_called_as(there, wanted, is_bound=True):
                yield f"{name}()"
        elif isinstance(wanted, property) and _fault(there, _hints(wanted.fget).get("return", Any)):
            yield name


@cache
def _members(protocol: type) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for cls in reversed([it for it in protocol.__mro__ if is_protocol(it)]):
        found |= dict.fromkeys(inspect.get_annotations(cls)) | vars(cls)
    return {name: it for name, it in found.items() if not name.startswith("_")}


def _lacking(thing: Any, wanted: Any) -> str:
    """Name what something lacks to be what a Protocol asks for."""
    if not is_protocol(wanted) or thing is None or isinstance(thing, str | bytes | type):
        return ""
    return f" (it lacks, or has otherwise: {', '.join(_missing(thing, wanted))})"


def _shown(thing: Any) -> str:
    """Name something for people; of what it holds only a short text, which is a slip most often."""
    if thing is None:
        return "None"
    if isinstance(thing, str) and len(thing) <= _MAX_SHOWN:
        return f"the text {thing!r}"
    if isinstance(thing, type):
        return f"the class {thing.__qualname__} itself"
    return f"a {type(thing).__qualname__}"


def _named(type_: Any) -> str:
    return type_.__qualname__ if isinstance(type_, type) else str(type_).replace("typing.", "")
