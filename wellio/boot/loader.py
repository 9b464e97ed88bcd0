"""Finds plugins, imports them, puts them in order, and joins their hooks.

A plugin is a module (or any object) with `PLUGIN = Plugin(...)` and `@hookimpl` functions beside
it. It comes from an installed distribution's entry point in the group `wellio.plugins`, from the
folder `[loader] path`, or straight from the caller of `create_app`.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from typing import Any, TypeVar, cast

import pluggy

from wellio.config.section import SectionModel, validate_section, wrong_settings
from wellio.config.settings import Config
from wellio.errors import ConfigError, PluginError

from . import hookspecs
from .answer import check_answer
from .hook import CORE, Hook, check_foreign, did_you_mean, specified
from .plugin import FAULTS, TAKEN, BrokenPluginError, Loaded, Plugin, reason_of
from .plugin_sources import Offer, discover, given
from .plugins import Plugins

T = TypeVar("T")


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
    found = discover(config.loader.path) if plugins is None else given(plugins)
    offers, twins = _by_name(found)
    for name in config.loader.disabled:
        if name not in offers and name not in {twin.name for twin, _ in twins}:
            known = ", ".join(sorted(offers))
            raise ConfigError(
                f"loader.disabled names {name}, which is no plugin; there are {known}"
            )
    ours = {*TAKEN, *(name for name, offer in offers.items() if offer.is_builtin)}
    loading = _Loading(config, ours)
    for twin, reason in twins:
        if twin.name not in config.loader.disabled:
            loading.fail_twin(twin, reason, is_alone=twin.name not in offers)
    for error in broken:
        loading.fail(offers[error.name], error.reason, error)
    for name in sorted(offers.keys() - set(config.loader.disabled) - loading.skipped.keys()):
        loading.load(offers[name])
    manager, hooks, loaded = loading.join()
    warnings = tuple(
        f"plugins.{name}: there is no such plugin; its settings have no effect"
        for name in sorted(config.plugins.keys() - offers.keys())
        if config.plugins[name]  # config.toml has an empty table for each built-in one
    )
    return Plugins(loaded, loading.skipped, warnings, hooks, manager)


def load_for(config: Config, use: Callable[[Plugins], T]) -> T:
    """Load the installed plugins to do something with them.

    Args:
        config: The settings.
        use: Does it; where it finds a plugin broken, it runs again without that one if
            `[loader] on_error` allows it.

    Raises:
        PluginError, ConfigError: As `load_plugins` does.
    """
    broken: list[BrokenPluginError] = []
    while True:
        loaded = load_plugins(config, broken=broken)
        try:
            return use(loaded)
        except BrokenPluginError as error:
            broken.append(error)


class _Unfit(Exception):
    """Plugins cannot be joined to the others."""

    def __init__(self, cause: BaseException, *entries: Loaded) -> None:
        super().__init__(str(cause))
        self.entries, self.cause = entries, cause


@contextmanager
def _joining(entry: Loaded) -> Iterator[None]:
    """Have what a block raises be why a plugin does not fit."""
    try:
        yield
    except FAULTS as error:
        raise _Unfit(error, entry) from error


class _Loading:
    """The plugins of one app while they are imported and joined, in no order yet."""

    def __init__(self, config: Config, ours: Collection[str]) -> None:
        self.found: dict[str, Loaded] = {}
        self.skipped: dict[str, str] = {}
        self._config, self._loader = config, config.loader
        self._ours = ours

    def load(self, offer: Offer) -> None:
        """Import one plugin."""
        try:
            self._refuse_overlap(offer)
            module: Any = offer.load()
            plugin = getattr(module, "PLUGIN", None)
            if not isinstance(plugin, Plugin):
                raise PluginError("it has no PLUGIN = Plugin(...)")
            if plugin.name != offer.name:
                raise PluginError(f"it calls itself {plugin.name}; the two names must be one")
            plugin.require_wellio()
        except FAULTS as error:
            self.fail(offer, reason_of(error), error)
        else:
            self.found[plugin.name] = Loaded(plugin, module, offer)

    def _refuse_overlap(self, offer: Offer) -> None:
        """Refuse a stranger's name with which tables of Wellio's own may begin."""
        for name in self._ours:
            if not offer.is_builtin and offer.name.startswith(f"{name}_"):
                raise PluginError(f"its name begins with {name}_, as the tables of {name} do")

    def join(self) -> tuple[pluggy.PluginManager, Mapping[str, Hook], tuple[Loaded, ...]]:
        """Join what is there, without those that do not fit if that is allowed.

        Returns:
            Who calls the hooks, all hooks by name, and the plugins in their order.
        """
        while True:
            self._drop_incomplete()
            try:
                order = _in_order(self.found)
                return (*_joined(order), _configured(order, self._config))
            except _Unfit as unfit:
                for entry in unfit.entries:
                    del self.found[entry.name]
                for entry in unfit.entries:
                    self.fail(entry.offer, reason_of(unfit.cause), unfit.cause)

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

    def fail(self, offer: Offer, reason: str, cause: BaseException | None = None) -> None:
        """Stop the start, or skip the plugin."""
        if offer.is_builtin or self._loader.on_error == "stop":
            if cause is not None and isinstance(cause.__cause__, ConfigError):
                raise cause.__cause__  # a setting is wrong and no plugin; it says which
            raise PluginError(f"plugin {offer.name} ({offer.origin}): {reason}") from cause
        self.skipped[offer.name] = reason

    def fail_twin(self, offer: Offer, reason: str, *, is_alone: bool) -> None:
        """Stop the start, or skip a plugin that has another's name.

        Args:
            offer: The plugin.
            reason: Whose name it has.
            is_alone: Whether nobody of that name is loaded; else the name is a built-in one's.
        """
        if self._loader.on_error == "stop":
            raise PluginError(reason)
        self.skipped[offer.name if is_alone else f"another {offer.name}"] = reason


def _joined(order: Sequence[Loaded]) -> tuple[pluggy.PluginManager, Mapping[str, Hook]]:
    """Open every hook before anybody fills one, and look at once at all that are filled.

    Raises:
        _Unfit: A plugin does not fit; the next attempt is without it.
    """
    manager = pluggy.PluginManager(hookspecs.NAMESPACE)
    manager.add_hookspecs(hookspecs)
    hooks = {hook.name: hook for hook in specified(hookspecs, CORE)}
    for entry in order:
        with _joining(entry):
            for thing in _opened_by(entry, manager, hooks["register_hookspecs"]):
                for hook in specified(thing, entry.name):
                    check_foreign(hook, hooks.values())
                    hooks[hook.name] = hook
                manager.add_hookspecs(thing)
    for entry in order:
        with _joining(entry):
            _refuse_unmarked(entry, hooks, manager)
            manager.register(entry.module, entry.name)
            _refuse_unknown(entry, hooks, manager, {other.name for other in order})
    return manager, hooks


def _opened_by(entry: Loaded, manager: pluggy.PluginManager, hook: Hook) -> Sequence[Any]:
    """Return the objects whose hooks a plugin opens."""
    if manager.parse_hookimpl_opts(entry.module, hook.name) is None:
        return []
    opened = entry.module.register_hookspecs()
    check_answer(hook, opened)
    return cast(Sequence[Any], opened)


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


def _by_name(offers: Sequence[Offer]) -> tuple[dict[str, Offer], list[tuple[Offer, str]]]:
    """Sort out who has a name alone.

    Returns:
        The plugins by name; and those that have another's name, each with what is wrong. A name
        that a built-in plugin has is that one's; of two strangers nobody knows who is meant.
    """
    named: dict[str, list[Offer]] = {}
    for offer in offers:
        named.setdefault(offer.name, []).append(offer)
    alone: dict[str, Offer] = {}
    twins: list[tuple[Offer, str]] = []
    for name, those in named.items():
        builtin = [offer for offer in those if offer.is_builtin]
        if len(those) == 1 or len(builtin) == 1:
            alone[name] = (builtin or those)[0]
        both = " and ".join(offer.origin for offer in those)
        reason = f"two plugins are called {name}: {both}"
        twins += [(offer, reason) for offer in those if offer is not alone.get(name)]
    return alone, twins


def _in_order(found: Mapping[str, Loaded]) -> list[Loaded]:
    """Sort so that each stands behind what it requires or follows, and else by name.

    The built-in ones come first: where two bring the same, the stranger is the one to blame.

    Raises:
        _Unfit: Some require each other in a circle.
    """
    builtin = [name for name, entry in found.items() if entry.offer.is_builtin]
    graph = TopologicalSorter(
        {
            name: [
                *(other for other in entry.plugin.requires + entry.plugin.after if other in found),
                *([] if entry.offer.is_builtin else builtin),
            ]
            for name, entry in found.items()
        }
    )
    try:
        graph.prepare()
    except CycleError as error:
        circle = error.args[1][::-1]  # graphlib lists a cycle against the arrows
        reason = f"plugins require each other in a circle: {' -> '.join(circle)}"
        members = [found[name] for name in sorted({*circle})]
        raise _Unfit(PluginError(reason), *members) from None
    order: list[Loaded] = []
    while graph.is_active():
        ready = sorted(graph.get_ready())
        order += [found[name] for name in ready]
        graph.done(*ready)
    return order


def _configured(order: Sequence[Loaded], config: Config) -> tuple[Loaded, ...]:
    """Validate each plugin's section, and name all that is wrong at once.

    Raises:
        ConfigError: Settings are wrong.
        _Unfit: A plugin's model raises what says nothing about a setting.
    """
    configured: list[Loaded] = []
    problems: list[str] = []
    for entry in order:
        raw, name = config.plugins.get(entry.name, {}), f"plugins.{entry.name}"
        # A plugin without settings is checked against the empty section.
        with _joining(entry):
            section, wrong = validate_section(
                entry.plugin.config or SectionModel, raw, name, config.origins
            )
        problems += wrong
        configured.append(replace(entry, settings=section))
    if problems:
        raise wrong_settings(problems)
    return tuple(configured)
