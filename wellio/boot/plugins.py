"""Finds plugins, puts them in order, and asks them hooks one by one.

A plugin is a module (or any object) with `PLUGIN = Plugin(...)` and `@hookimpl` functions beside
it. It comes from an installed distribution's entry point in the group `wellio.plugins`, from the
folder `[loader] path`, or straight from the caller of `create_app`. pluggy checks and calls the
hooks, but it knows no order and answers last registered first; so the order is ours.
"""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from types import ModuleType
from typing import Any, TypeVar, cast

import pluggy

from wellio.config.settings import Config, SectionModel, validate_section, wrong_settings
from wellio.errors import ConfigError, PluginError, WellioError

from . import hookspecs
from .plugin_sources import Offer, discover, given

SectionT = TypeVar("SectionT", bound=SectionModel)
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Plugin:
    """What a plugin says about itself.

    Attributes:
        name: Short and unique; also that of its entry point, file or folder, of its section in
            `config.toml` and of its tables' prefix.
        version: Its own version.
        requires: Plugins without which it cannot run; they come before it.
        after: Plugins that come before it where they are present.
        config: The model of `[plugins.<name>]`.
        migrations: Importable packages that hold a folder `migrations`; so a plugin with tables is
            a folder, not one file.
        summary: One sentence for `wellio plugins`.
    """

    name: str
    version: str
    requires: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    config: type[SectionModel] | None = None
    migrations: tuple[str, ...] = ()
    summary: str = ""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise PluginError(f"plugin name {self.name!r}: expected {_NAME.pattern}")
        if self.name == "core":
            raise PluginError("core is what Wellio itself is called in logs and in /health")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A plugin of this app.

    Attributes:
        plugin: What it says about itself.
        module: The object that holds the hooks.
        offer: Where it comes from.
        settings: Its validated section; empty when it has no model.
    """

    plugin: Plugin
    module: Any
    offer: Offer
    settings: SectionModel | None = None

    @property
    def name(self) -> str:
        """Return the plugin's name."""
        return self.plugin.name

    @property
    def package(self) -> str:
        """Return the module that holds the hooks: for a plugin in a folder, its package."""
        if isinstance(self.module, ModuleType):
            return self.module.__name__
        return type(self.module).__module__


class BrokenPluginError(PluginError):
    """A hook raised.

    Attributes:
        name: The plugin.
        reason: Which hook, and what it raised.
    """

    def __init__(self, entry: Loaded, hook: str, error: Exception) -> None:
        self.name = entry.name
        self.reason = f"{hook} failed: {_reason(error)}"
        super().__init__(f"plugin {entry.name} ({entry.offer.origin}): {self.reason}")


@dataclass(frozen=True)
class Plugins:
    """The plugins of one app, in `requires` order.

    Attributes:
        loaded: Those that run.
        skipped: Why others do not although they should, by name (`[loader] on_error = "skip"`).
        warnings: What is odd but does not stop the start.
        leftover: Removed plugins whose tables are still there.
    """

    loaded: tuple[Loaded, ...]
    skipped: Mapping[str, str]
    warnings: tuple[str, ...]
    _manager: pluggy.PluginManager = field(repr=False)
    leftover: tuple[str, ...] = ()

    def hooks(self) -> Mapping[str, Sequence[str]]:
        """Return the names of all hooks, each with those of its arguments."""
        callers = vars(self._manager.hook)
        return {name: caller.spec.argnames for name, caller in callers.items() if caller.spec}

    def ask(self, hook: str, **arguments: Any) -> list[tuple[Loaded, Any]]:
        """Call a hook of every plugin that has it, in order.

        Returns:
            Each plugin with its answer; those that answered None are left out.

        Raises:
            PluginError: There is no such hook.
            BrokenPluginError: A plugin's hook raised; the message names both.
        """
        if hook not in self.hooks():
            raise PluginError(f"there is no hook {hook}")
        answers: list[tuple[Loaded, Any]] = []
        modules = self._manager.get_plugins()
        for entry in self.loaded:
            caller = self._manager.subset_hook_caller(hook, modules - {entry.module})
            try:
                answers += [(entry, answer) for answer in caller(**arguments)]
            except Exception as error:
                raise BrokenPluginError(entry, hook, error) from error
        return answers

    def settings(self, model: type[SectionT]) -> SectionT:
        """Return the validated section whose model this is."""
        for entry in self.loaded:
            if entry.plugin.config is model:
                return cast(SectionT, entry.settings)
        raise PluginError(f"no loaded plugin has the settings {model.__name__}")

    @asynccontextmanager
    async def running(self, app: object) -> AsyncIterator[None]:
        """Start the plugins' lifespans in order, and end them in reverse, whatever happens.

        Raises:
            BrokenPluginError: One could not start, without an error of Wellio's that says why.
        """
        async with AsyncExitStack() as stack:
            for entry, generator in self.ask("lifespan", app=app):
                await stack.enter_async_context(_lifespan(entry, generator))
            yield


@asynccontextmanager
async def _lifespan(entry: Loaded, generator: AsyncGenerator[None]) -> AsyncIterator[None]:
    async with aclosing(generator):
        try:
            await anext(generator)
        except WellioError:
            raise
        except Exception as error:
            raise BrokenPluginError(entry, "lifespan", error) from error
        try:
            yield
        finally:
            await anext(generator, None)


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
    loading.drop_incomplete()
    warnings = tuple(
        f"plugins.{name}: there is no such plugin; its settings have no effect"
        for name in sorted(config.plugins.keys() - offers.keys())
        if config.plugins[name]  # config.toml has an empty table for each built-in one
    )
    loaded = _configured(_in_order(loading.found), config)
    return Plugins(loaded, loading.skipped, warnings, loading.manager)


class _Loading:
    """The plugins of one app while they are imported and checked, in no order yet."""

    def __init__(self, config: Config) -> None:
        self.found: dict[str, Loaded] = {}
        self.skipped: dict[str, str] = {}
        self.manager = pluggy.PluginManager(hookspecs.NAMESPACE)
        self.manager.add_hookspecs(hookspecs)
        self._loader = config.loader

    def load(self, offer: Offer) -> None:
        """Import one plugin and check its hooks."""
        try:
            module: Any = offer.load()
            plugin = getattr(module, "PLUGIN", None)
            if not isinstance(plugin, Plugin):
                raise PluginError("it has no PLUGIN = Plugin(...)")
            if plugin.name != offer.name:
                raise PluginError(f"it calls itself {plugin.name}; the two names must be one")
            self._register(module, plugin.name)
        except Exception as error:  # noqa: BLE001 - whatever it was, the plugin gets named
            self.fail(offer, _reason(error), error)
        else:
            self.found[plugin.name] = Loaded(plugin, module, offer)

    def drop_incomplete(self) -> None:
        """Fail every plugin whose requirements are not there, then those that require it."""
        while incomplete := [
            (entry, name)
            for entry in self.found.values()
            for name in entry.plugin.requires
            if name not in self.found
        ]:
            entry, name = incomplete[0]
            del self.found[entry.name]
            self.manager.unregister(entry.module)
            self.fail(entry.offer, f"it requires the plugin {name}, which {self._state(name)}")

    def _state(self, name: str) -> str:
        if name in self._loader.disabled:
            return "is switched off by loader.disabled"
        return "could not be loaded" if name in self.skipped else "is not installed"

    def _register(self, module: Any, name: str) -> None:
        for hook in vars(self.manager.hook):
            unmarked = self.manager.parse_hookimpl_opts(module, hook) is None
            if unmarked and callable(getattr(module, hook, None)):
                raise PluginError(f"{hook} is not marked with @hookimpl")
        self.manager.register(module, name)
        try:
            self.manager.check_pending()
        except pluggy.PluginValidationError:
            self.manager.unregister(module)
            raise

    def fail(self, offer: Offer, reason: str, cause: Exception | None = None) -> None:
        """Stop the start, or skip the plugin."""
        if offer.is_builtin or self._loader.on_error == "stop":
            raise PluginError(f"plugin {offer.name} ({offer.origin}): {reason}") from cause
        self.skipped[offer.name] = reason


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


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, PluginError) else f"{type(error).__name__}: {error}"
