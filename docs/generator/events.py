"""`docs/events.md`: what happened, and who tells of it."""

from collections.abc import Iterator

from docs.generator import text
from docs.generator.text import docstring, kind
from wellio import Event, Wellio

_INTRODUCTION = """\
An event exists only if its transaction committed. It tells ids, never contents. Its name is the same on the bus, in webhooks and in the log; a field that is added later has a default. Subscribe with `bus.subscribe` (right after the commit, at most once, in this process) or `bus.subscribe_durable` (from the log, exactly once, whatever is killed when)."""  # noqa: E501 - a paragraph is a line


def page(app: Wellio) -> str:
    """Return the page."""
    parts = [f"## Every event\n\n{docstring(Event)}\n"]
    for entry in app.hooks.plugins.loaded:
        package = _package(entry.module.__name__)
        own = [type_ for type_ in app.bus.types if _package(type_.__module__) == package]
        if own:
            parts.append(f"## {entry.name}\n")
        parts += [_event(type_) for type_ in own]
    return text.page("Events", _INTRODUCTION, *parts)


def _package(module: str) -> str:
    return module.partition(".")[0]


def _event(type_: type[Event]) -> str:
    listed = ", ".join(f"`{name}: {form}`" for name, form in _fields(type_))
    lines = [
        f"### `{type_.name}`\n\n{docstring(type_)}\n",
        f"`from {type_.__module__} import {type_.__qualname__}`  ",
        f"Fields: {listed}.  ",
        _audit(type_),
    ]
    return "\n".join(lines) + "\n"


def _fields(type_: type[Event]) -> Iterator[tuple[str, str]]:
    """Yield the names and types of what the class adds, and of what it makes its own."""
    for name, field in type_.model_fields.items():
        if name in type_.own_fields or field.annotation != Event.model_fields[name].annotation:
            yield name, kind(field.annotation)


def _audit(type_: type[Event]) -> str:
    if type_.about is None:
        return "Publishing it writes no row in the audit log."
    return f"Publishing it writes a row in the audit log, about the {type_.about[0]}."
