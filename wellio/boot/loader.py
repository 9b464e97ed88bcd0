"""Finds plugins, imports them, puts them in order, and joins their hooks.

A plugin is a module (or any object) with `PLUGIN = Plugin(...)` and `@hookimpl` functions beside
it. It comes from an installed distribution's entry point in the group `wellio.plugins`, from the
folder `[loader] path`, or straight from the caller of `create_app`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from typing import Any

import pluggy

from wellio.config.settings import Config, SectionModel, validate_section, wrong_settings
from wellio.errors import ConfigError, PluginError

from . import hookspecs
from .hook import CORE, Hook, check_foreign, did_you_mean, specified
from .plugin import BrokenPluginError, Loaded, Plugin, reason_of
from .plugin_sources import Offer, discover, given
from .plugins import Plugins


def load_plugins(
    config: Config,
    plugins: Sequence[object] | None = None,
    broken: Sequence[BrokenPluginError] = (),
) -> Plugins:
    """Load the plugins of one app.

    Args:
        config: The settings.
        plugins: Exactly these objects; None takes what is installed and what `[loader] path` has.
        broken: What an earlier attempt ended with: these are skipped where that is allowed.

    Raises:
        PluginError: A plugin is missing, broken, offered twice, or part of a cycle.
        ConfigError: Settings of plugins are wrong; all of them are named.
    """
    offers = _by_name(discover(config.loader.path) if plugins is None else given(plugins))
    for name in config.loader.disabled:
        if name not in offers:
            known = ", ".join(sorted(offers))
            raise ConfigError(f"loader.disabled: there is no plugin {name}; there are: {known}")
    loading = _Loading(config)
    for error in broken:
        loading.fail(offers[error.name], error.reason, error)
    for name in sorted(offers.keys() - set(config.loader.disabled) - loading.skipped.keys()):
        loading.load(offers[name])
    manager, hooks, order = loading.join()
    warnings = tuple(
        f"plugins.{name}: there is no such plugin; its settings have no effect"
        for name in sorted(config.plugins.keys() - offers.keys())
        if config.plugins[name]  # config.toml has an empty table for each built-in one
    )
    loaded = _configured(order, config)
    return Plugins(loaded, loading.skipped, warnings, hooks, manager)


class _Unfit(Exception):
    """A plugin cannot be joined to the others."""

    def __init__(self, entry: Loaded, cause: Exception) -> None:
        super().__init__(entry.name)
        self.entry, self.cause = entry, cause


class _Loading:
    """The plugins of one app while they are imported and joined, in no order yet."""

    def __init__(self, config: Config) -> None:
        self.found: dict[str, Loaded] = {}
        self.skipped: dict[str, str] = {}
        self._loader = config.loader

    def load(self, offer: Offer) -> None:
        """Import one plugin."""
        try:
            module: Any = offer.load()
            plugin = getattr(module, "PLUGIN", None)
            if not isinstance(plugin, Plugin):
                raise PluginError("it has no PLUGIN = Plugin(...)")
            if plugin.name != offer.name:
                raise PluginError(f"it calls itself {plugin.name}; the two names must be one")
            plugin.require_wellio()
        except Exception as error:  # noqa: BLE001 - whatever it was, the plugin gets named
            self.fail(offer, reason_of(error), error)
        else:
            self.found[plugin.name] = Loaded(plugin, module, offer)

    def join(self) -> tuple[pluggy.PluginManager, Mapping[str, Hook], list[Loaded]]:
        """Join what is there, without those that do not fit if that is allowed.

        Returns:
            Who calls the hooks, all hooks by name, and the plugins in their order.
        """
        while True:
            self._drop_incomplete()
            order = _in_order(self.found)
            try:
                return (*_joined(order), order)
            except _Unfit as unfit:
                del self.found[unfit.entry.name]
                self.fail(unfit.entry.offer, reason_of(unfit.cause), unfit.cause)

    def _drop_incomplete(self) -> None:
        """Fail every plugin whose requirements are not there, then those that require it."""
        while incomplete := [
            (entry, name)
            for entry in self.found.values()
            for name in entry.plugin.requires
            if name not in self.found
        ]:
            entry, name = incomplete[0]
            del self.found[entry.name]
            self.fail(entry.offer, f"it requires the plugin {name}, which {self._state(name)}")

    def _state(self, name: str) -> str:
        if name in self._loader.disabled:
            return "is switched off by loader.disabled"
        return "could not be loaded" if name in self.skipped else "is not installed"

    def fail(self, offer: Offer, reason: str, cause: Exception | None = None) -> None:
        """Stop the start, or skip the plugin."""
        if offer.is_builtin or self._loader.on_error == "stop":
            raise PluginError(f"plugin {offer.name} ({offer.origin}): {reason}") from cause
        self.skipped[offer.name] = reason


def _joined(order: Sequence[Loaded]) -> tuple[pluggy.PluginManager, Mapping[str, Hook]]:
    """Open every hook before anybody fills one, and look at once at all that are filled.

    Raises:
        _Unfit: A plugin does not fit; the next attempt is without it.
    """
    manager = pluggy.PluginManager(hookspecs.NAMESPACE)
    manager.add_hookspecs(hookspecs)
    hooks = {hook.name: hook for hook in specified(hookspecs, CORE)}
    for entry in order:
        try:
            for thing in _opened_by(entry, manager):
                for hook in specified(thing, entry.name):
                    check_foreign(hook, hooks.values())
                    hooks[hook.name] = hook
                manager.add_hookspecs(thing)
        except Exception as error:
            raise _Unfit(entry, error) from error
    for entry in order:
        try:
            _refuse_unmarked(entry, hooks, manager)
            manager.register(entry.module, entry.name)
            _refuse_unknown(entry, hooks, manager, {other.name for other in order})
        except Exception as error:
            raise _Unfit(entry, error) from error
    return manager, hooks


def _opened_by(entry: Loaded, manager: pluggy.PluginManager) -> Iterator[Any]:
    """Return the objects whose hooks a plugin opens."""
    if manager.parse_hookimpl_opts(entry.module, "register_hookspecs") is not None:
        yield from entry.module.register_hookspecs()


def _refuse_unmarked(
    entry: Loaded, hooks: Mapping[str, Hook], manager: pluggy.PluginManager
) -> None:
    for name in hooks:
        is_marked = manager.parse_hookimpl_opts(entry.module, name) is not None
        if not is_marked and callable(getattr(entry.module, name, None)):
            raise PluginError(f"{name} is not marked with @hookimpl")


def _refuse_unknown(
    entry: Loaded, hooks: Mapping[str, Hook], manager: pluggy.PluginManager, names: set[str]
) -> None:
    """Raise PluginError where a plugin fills a hook that nobody opens and that is not optional."""
    for caller in manager.get_hookcallers(entry.module) or ():
        mine = [impl for impl in caller.get_hookimpls() if impl.plugin is entry.module]
        if caller.name in hooks or all(impl.optionalhook for impl in mine):
            continue
        absent = [name for name in entry.plugin.after if name not in names]
        hint = did_you_mean(caller.name, hooks)
        if absent:
            hint += f"; if it is a hook of {' or '.join(absent)}, mark it optionalhook=True"
        raise PluginError(f"unknown hook {caller.name!r}: no loaded plugin opens it{hint}")


def _by_name(offers: Sequence[Offer]) -> dict[str, Offer]:
    named: dict[str, Offer] = {}
    for offer in offers:
        other = named.setdefault(offer.name, offer)
        if other is not offer:
            raise PluginError(
                f"two plugins are called {offer.name}: {other.origin} and {offer.origin}"
            )
    return named


def _in_order(found: Mapping[str, Loaded]) -> list[Loaded]:
    """Sort so that each stands behind what it requires or follows, and else by name."""
    graph = TopologicalSorter(
        {
            name: [other for other in entry.plugin.requires + entry.plugin.after if other in found]
            for name, entry in found.items()
        }
    )
    try:
        graph.prepare()
    except CycleError as error:
        # graphlib lists a cycle against the arrows
        circle = " -> ".join(reversed(error.args[1]))
        raise PluginError(f"plugins require each other in a circle: {circle}") from None
    order: list[Loaded] = []
    while graph.is_active():
        ready = sorted(graph.get_ready())
        order += [found[name] for name in ready]
        graph.done(*ready)
    return order


def _configured(order: Sequence[Loaded], config: Config) -> tuple[Loaded, ...]:
    """Validate each plugin's section, and name all that is wrong at once."""
    configured: list[Loaded] = []
    problems: list[str] = []
    for entry in order:
        raw, name = config.plugins.get(entry.name, {}), f"plugins.{entry.name}"
        # A plugin without settings is checked against the empty section.
        section, wrong = validate_section(entry.plugin.config or SectionModel, raw, name)
        problems += wrong
        configured.append(replace(entry, settings=section))
    if problems:
        raise wrong_settings(problems)
    return tuple(configured)
