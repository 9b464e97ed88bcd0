"""`docs/hooks.md`: every hook, what it is for, and who uses it."""

import inspect
from pathlib import Path

from docs.generator import text
from docs.generator.text import docstring, first_line
from wellio import Wellio
from wellio.boot import hookspecs
from wellio.boot.hook import CORE

_INTRODUCTION = """\
A hook is a function of a plugin's module under `@hookimpl`. It is synchronous, runs once at boot, plugin by plugin in the order of `requires`, and returns what the plugin brings. What happened is an [event](events.md); what must be decided at run time is an async method of an object that a hook returned."""  # noqa: E501 - a paragraph is a line

#: Where somebody else's plugin says which hooks it has.
_EXAMPLE = (
    Path(__file__).parents[2] / "examples/wellio-plugin-hello/wellio_plugin_hello/__init__.py"
)


def names() -> list[str]:
    """Return the names of all hooks, in their order."""
    return [name for name, thing in vars(hookspecs).items() if hasattr(thing, "wellio_spec")]


def page(app: Wellio) -> str:
    """Return the page."""
    parts = []
    for name, opened in app.hooks.plugins.hooks.items():
        hook = opened.function
        users = [e.name for e in app.hooks.plugins.loaded if hasattr(e.module, name)]
        if f"def {name}(" in _EXAMPLE.read_text():
            users.append(f"[{_EXAMPLE.parents[1].name}](../examples/{_EXAMPLE.parents[1].name}/)")
        used = f"Used by: {', '.join(users)}." if users else ""
        if opened.owner != CORE:
            used = f"Opened by the plugin {opened.owner}. {used}"
        signature = str(inspect.signature(hook)).replace("'", "").replace("collections.abc.", "")
        signature = signature.replace("wellio.", "")
        parts.append(
            f"## `{name}`\n\n```python\ndef {name}{signature}\n```\n\n{docstring(hook)}\n\n{used}\n"
        )
    objects = [
        f"## `{name}`\n\n{docstring(thing)}\n\n{_members(thing)}"
        for name, thing in vars(hookspecs).items()
        if inspect.isclass(thing) and thing.__module__ == hookspecs.__name__
    ]
    return text.page("Hooks", _INTRODUCTION, *parts, "# What hooks return\n", *objects)


def _members(thing: type) -> str:
    shown = [
        (f"`{name}`", first_line(member))
        for name, member in vars(thing).items()
        if not name.startswith("_") and (callable(member) or isinstance(member, property))
    ]
    return text.table(("Member", ""), shown) if shown else ""
