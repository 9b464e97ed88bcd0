"""A hook, and how one is opened: by the core (`hookspecs.py`) or by a plugin.

A plugin opens hooks of its own by `register_hookspecs`, which returns modules or other objects with
`@hookspec` functions. Others fill them like those of the core, and the plugin that opened one reads
the answers at `app.hooks.of(...)`.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from wellio.errors import PluginError

CORE = "core"
_PREFIX = "register_"
_MARK = "wellio_spec"  # what @hookspec leaves at a function


@dataclass(frozen=True, slots=True)
class Hook:
    """A hook that plugins may fill.

    Attributes:
        name: What it is called.
        owner: The plugin that opened it, or `core`.
        function: Its specification, whose docstring is its documentation.
    """

    name: str
    owner: str
    function: Callable[..., Any]

    @property
    def arguments(self) -> tuple[str, ...]:
        """Return the names of what it is called with."""
        return tuple(inspect.signature(self.function).parameters)


def specified(thing: object, owner: str) -> Iterator[Hook]:
    """Find the hooks that a module or another object specifies."""
    for name in dir(thing):
        function = getattr(thing, name)
        if callable(function) and hasattr(function, _MARK):
            yield Hook(name, owner, function)


def check_foreign(hook: Hook, known: Iterable[Hook]) -> None:
    """Refuse a hook that a plugin cannot open.

    Raises:
        PluginError: Another has it already, or it would not be asked as all hooks are.
    """
    for other in known:
        if other.name == hook.name:
            raise PluginError(f"it opens the hook {hook.name}, which {other.owner} opens too")
    if not hook.name.startswith(_PREFIX):
        expected = _PREFIX + hook.name
        raise PluginError(f"it opens the hook {hook.name}; expected a name like {expected}")
    if not {"app"}.issuperset(hook.arguments):
        raise PluginError(f"it opens the hook {hook.name}, which takes more than `app`")
    options = getattr(hook.function, _MARK)
    if options["firstresult"] or options["historic"]:
        raise PluginError(f"it opens the hook {hook.name}, which does not ask every plugin once")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a question about a misspelt name; empty without a name that is like it."""
    words = {it.removeprefix(_PREFIX): it for it in known}  # with it, all of them are alike
    close = get_close_matches(name.removeprefix(_PREFIX), words, n=1)
    return f"; did you mean {words[close[0]]}?" if close else ""
