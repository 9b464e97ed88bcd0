"""Where plugins come from: installed distributions, a folder, or the caller."""

import importlib.util
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from wellio.errors import ConfigError, PluginError

GROUP = "wellio.plugins"
_OURS = "wellio"


@dataclass(frozen=True, slots=True)
class Offer:
    """A plugin that could be loaded; nothing of it is imported yet.

    Attributes:
        name: The name under which it is offered.
        origin: The distribution and its version, or the path: for people.
        is_builtin: Whether it ships with Wellio.
        load: Imports it.
    """

    name: str
    origin: str
    is_builtin: bool
    load: Callable[[], object]


def discover(path: Path | None) -> list[Offer]:
    """Return every plugin that is installed, and those of a folder.

    Raises:
        ConfigError: There is no such folder.
    """
    # A distribution can stand on sys.path twice (its folder and its installation).
    found = {(_distribution(point), point.value): point for point in entry_points(group=GROUP)}
    offers = [_installed(origin, point) for (origin, _), point in found.items()]
    return offers + (_in_folder(path) if path else [])


def given(plugins: Iterable[Any]) -> list[Offer]:
    """Return the offers of plugin objects that are there already."""
    return [_given(plugin) for plugin in plugins]


def _given(plugin: Any) -> Offer:
    origin = str(getattr(plugin, "__name__", type(plugin).__name__))
    name = getattr(getattr(plugin, "PLUGIN", None), "name", origin)
    return Offer(name, origin, is_builtin=False, load=lambda: plugin)


def _distribution(point: EntryPoint) -> str:
    dist: Distribution | None = point.dist
    return f"{dist.name} {dist.version}" if dist else "unknown distribution"


def _installed(origin: str, point: EntryPoint) -> Offer:
    is_builtin = point.dist is not None and point.dist.name == _OURS
    return Offer(point.name, origin, is_builtin, point.load)


def _in_folder(folder: Path) -> list[Offer]:
    if not folder.is_dir():
        raise ConfigError(f"loader.path: there is no folder {folder}")
    files = [
        entry / "__init__.py" if entry.is_dir() else entry
        for entry in sorted(folder.iterdir())
        if not entry.name.startswith((".", "_"))
    ]
    return [
        _from_file(file, file.parent.name if file.name == "__init__.py" else file.stem)
        for file in files
        if file.suffix == ".py" and file.is_file()
    ]


def _from_file(file: Path, name: str) -> Offer:
    return Offer(name, str(file), is_builtin=False, load=lambda: _import_file(file.resolve(), name))


def _import_file(file: Path, name: str) -> ModuleType:
    """Import a file, or a folder's `__init__.py`, as the top-level module of its name."""
    present = sys.modules.get(name)
    if present is not None and present.__file__ == str(file):
        return present
    if present is not None or importlib.util.find_spec(name) is not None:
        raise PluginError(f"the name {name} belongs to another Python module: rename the plugin")
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None  # noqa: S101 - a .py file has always a spec
    assert spec.loader is not None  # noqa: S101 - and a loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
