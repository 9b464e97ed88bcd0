"""Ports: Protocols by which plugins call each other, and the classes behind them.

`wellio_chat/ports.py` exports `SendMessages`, the chat's `register_services` says which of its
classes provides it, and `app.service(SendMessages)` is the one instance of that. What does not fit
together is found at boot.
"""

import importlib
import inspect
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from wellio.errors import PluginError

from .plugin import BrokenPluginError, Loaded
from .plugins import Plugins

if TYPE_CHECKING:
    from .hooks import Hooks

_HOOK = "register_services"


def is_port(thing: object) -> bool:
    """Tell whether something is a Protocol, and not a class that follows one."""
    return isinstance(thing, type) and bool(getattr(thing, "_is_protocol", False))


def owner_of(port: type, plugins: Plugins) -> Loaded | None:
    """Return the plugin in whose package a port's module lies; None where that is not loaded."""
    for entry in plugins.loaded:
        if port.__module__ == entry.package or port.__module__.startswith(f"{entry.package}."):
            return entry
    return None


def providers(hooks: "Hooks") -> Mapping[type, type]:
    """Return the class behind each port.

    Raises:
        PluginError: Two plugins provide one port.
        BrokenPluginError: A plugin does not provide what its `ports` module exports, or what it
            provides is no port of its own, or does not do what the port says.
    """
    found: dict[type, type] = {}
    named = {entry.name: entry for entry in hooks.plugins.loaded}
    by_port: dict[type, str] = {}
    for name, answer in hooks.answers(_HOOK):
        if not isinstance(answer, Mapping):
            raise BrokenPluginError(named[name], _HOOK, PluginError("it returned no mapping"))
        for port, provider in answer.items():
            if port in found:
                both = f"{by_port[port]} and {name}"
                raise PluginError(f"two plugins provide the port {_name(port)}: {both}")
            found[port], by_port[port] = provider, name
            if wrong := _wrong(named[name], port, provider, hooks.plugins):
                raise BrokenPluginError(named[name], _HOOK, PluginError(wrong))
    for entry in hooks.plugins.loaded:
        if missing := [_name(port) for port in exported_ports(entry) if port not in found]:
            reason = f"nothing provides {', '.join(missing)}, which its ports module exports"
            raise BrokenPluginError(entry, _HOOK, PluginError(reason))
    return found


def exported_ports(entry: Loaded) -> list[type]:
    """Return the Protocols that a plugin's `ports` module defines, beside `_private` ones.

    Raises:
        BrokenPluginError: It cannot be imported.
    """
    name = f"{entry.package}.ports"
    if not hasattr(entry.module, "__path__") or find_spec(name) is None:
        return []
    try:
        defined = vars(importlib.import_module(name)).values()
    except Exception as error:
        raise BrokenPluginError(entry, _HOOK, error) from error
    own = [it for it in defined if is_port(it) and it.__module__ == name]
    return [it for it in own if not it.__name__.startswith("_")]


def _wrong(entry: Loaded, port: type, provider: type, plugins: Plugins) -> str | None:
    """Say what is wrong with a port and its provider, if something is."""
    if not is_port(port):
        return f"{_name(port)} is no Protocol"
    owner = owner_of(port, plugins)
    if owner is not entry:
        whose = f"the plugin {owner.name}'s" if owner else f"that of {port.__module__}"
        return f"{_name(port)} is {whose}, not its own"
    if not isinstance(provider, type):
        return f"{_name(port)} is provided by {provider!r}, which is no class"
    lacking = [f"{name}()" for name in _lacking(port, provider)]
    if lacking:
        return f"{provider.__name__} does not provide {_name(port)}: {', '.join(lacking)}"
    return None


def _lacking(port: type, provider: type) -> Iterator[str]:
    """Find the methods of a port that a class does not have, or not to be called so."""
    for name, wanted in inspect.getmembers(port, inspect.isfunction):
        if name.startswith("_"):
            continue
        there = getattr(provider, name, None)
        if not inspect.isfunction(there) or not _is_called_as(there, wanted):
            yield name


def _is_called_as(there: Any, wanted: Any) -> bool:
    """Tell whether one function may be called as another says."""
    if inspect.iscoroutinefunction(there) != inspect.iscoroutinefunction(wanted):
        return False
    parameters = list(inspect.signature(wanted).parameters.values())
    by_place = [
        it.name for it in parameters if it.kind in {it.POSITIONAL_ONLY, it.POSITIONAL_OR_KEYWORD}
    ]
    by_name = {it.name: None for it in parameters if it.kind is it.KEYWORD_ONLY}
    try:
        inspect.signature(there).bind(*by_place, **by_name)
    except TypeError:
        return False
    return True


def _name(port: object) -> str:
    return str(getattr(port, "__name__", port))
