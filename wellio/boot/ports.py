"""Ports: Protocols by which plugins call each other, and the classes behind them.

`wellio_chat/ports.py` exports `SendMessages`, the chat's `register_services` says which of its
classes provides it, and `app.service(SendMessages)` is the one instance of that. What does not fit
together is found at boot.
"""

import importlib
import inspect
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING

from wellio.errors import PluginError

from .answer import is_called_as, is_protocol
from .plugin import BrokenPluginError, Loaded, naming
from .plugins import Plugins

if TYPE_CHECKING:
    from .hooks import Hooks

_HOOK = "register_services"


def owner_of(port: type, plugins: Plugins) -> Loaded | None:
    """Return the plugin in whose package a port's module lies; None where that is not loaded."""
    for entry in plugins.loaded:
        if port.__module__ == entry.package or port.__module__.startswith(f"{entry.package}."):
            return entry
    return None


def providers(hooks: "Hooks") -> Mapping[type, type]:
    """Return the class behind each port.

    Raises:
        BrokenPluginError: A plugin does not provide what its `ports` module exports, or what it
            provides is no port of its own, or another's too, or does not do what the port says.
    """
    found: dict[type, type] = {}
    named = {entry.name: entry for entry in hooks.plugins.loaded}
    by_port: dict[type, str] = {}
    for name, answer in hooks.answers(_HOOK):
        for port, provider in answer.items():
            wrong = _wrong(named[name], port, provider, hooks.plugins)
            if port in found:
                both = f"{by_port[port]} and {name}"
                wrong = f"two plugins provide the port {_name(port)}: {both}"
            if wrong:
                raise BrokenPluginError(named[name], _HOOK, PluginError(wrong))
            found[port], by_port[port] = provider, name
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
    with naming(entry, _HOOK):
        if not hasattr(entry.module, "__path__") or find_spec(name) is None:
            return []
        defined = vars(importlib.import_module(name)).values()
    own = [it for it in defined if is_protocol(it) and it.__module__ == name]
    return [it for it in own if not it.__name__.startswith("_")]


def _wrong(entry: Loaded, port: type, provider: type, plugins: Plugins) -> str | None:
    """Say what is wrong with a port and its provider, if something is."""
    if not is_protocol(port):
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
        if not inspect.isfunction(there) or not is_called_as(there, wanted):
            yield name


def _name(port: object) -> str:
    return str(getattr(port, "__name__", port))
