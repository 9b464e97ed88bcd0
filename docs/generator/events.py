"""`docs/events.md`: what happened, and who tells of it."""

from docs.generator import text
from docs.generator.text import docstring, kind
from wellio import Event, Wellio

_INTRODUCTION = """\
An event exists only if its transaction committed. It tells ids, never contents. Its name is the same on the bus, in webhooks and in the log; a field that is added later has a default. Subscribe with `bus.subscribe` (right after the commit, at most once, in this process) or `bus.subscribe_durable` (from the log, exactly once, whatever is killed when)."""  # noqa: E501 - a paragraph is a line


def page(app: Wellio) -> str:
    """Return the page."""
    parts = [f"## Every event\n\n{docstring(Event)}\n"]
    for entry in app.hooks.plugins.loaded:
        own = [type_ for type_ in app.bus.types if _plugin_of(type_) == entry.plugin.migrations[0]]
        if own:
            parts.append(f"## {entry.name}\n")
        parts += [_event(type_) for type_ in own]
    return text.page("Events", _INTRODUCTION, *parts)


def _plugin_of(type_: type[Event]) -> str:
    return type_.__module__.partition(".")[0]


def _event(type_: type[Event]) -> str:
    own = {name: kind(type_.model_fields[name].annotation) for name in type_.own_fields}
    listed = ", ".join(f"`{name}: {type_}`" for name, type_ in own.items())
    return f"### `{type_.name}`\n\n{docstring(type_)}\n\nFields: {listed}.\n"
