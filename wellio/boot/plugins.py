"""The plugins of one app: asked hook by hook, started and ended, in their order.

pluggy checks and calls the hooks, but it knows no order and answers last registered first; so the
order is ours.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import pluggy

from wellio.config.section import SectionModel
from wellio.errors import PluginError, WellioError

from .answer import check_answer
from .hook import Hook, did_you_mean
from .plugin import FAULTS, BrokenPluginError, Loaded, naming

SectionT = TypeVar("SectionT", bound=SectionModel)


@dataclass(frozen=True)
class Plugins:
    """The plugins of one app, in `requires` order.

    Attributes:
        loaded: Those that run.
        skipped: Why others do not although they should, by name (`[loader] on_error = "skip"`).
        warnings: What is odd but does not stop the start.
        hooks: All hooks by name: the core's, and those that plugins opened.
        leftover: Removed plugins whose tables are still there.
    """

    loaded: tuple[Loaded, ...]
    skipped: Mapping[str, str]
    warnings: tuple[str, ...]
    hooks: Mapping[str, Hook]
    _manager: pluggy.PluginManager = field(repr=False)
    leftover: tuple[str, ...] = ()

    def ask(self, hook: str, **arguments: Any) -> list[tuple[Loaded, Any]]:
        """Call a hook of every plugin that has it, in order.

        Returns:
            Each plugin with its answer; those that answered None are left out.

        Raises:
            PluginError: There is no such hook.
            BrokenPluginError: A plugin's hook raised, or returned what it should not; the message
                names both.
        """
        if hook not in self.hooks:
            raise PluginError(f"there is no hook {hook}{did_you_mean(hook, self.hooks)}")
        answers: list[tuple[Loaded, Any]] = []
        modules = self._manager.get_plugins()
        for entry in self.loaded:
            caller = self._manager.subset_hook_caller(hook, modules - {entry.module})
            with naming(entry, hook):
                for answer in caller(**arguments):
                    check_answer(self.hooks[hook], answer)
                    answers.append((entry, answer))
        return answers

    def named(self, name: str) -> Loaded | None:
        """Return a plugin by its name; None for the core, and for what is not loaded."""
        return next((entry for entry in self.loaded if entry.name == name), None)

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
            BrokenPluginError: One could not start. A built-in one raises an error of Wellio's
                as it is, which says why.
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
        except FAULTS as error:
            if isinstance(error, WellioError) and entry.offer.is_builtin:
                raise  # such as a setting that is wrong: no plugin is broken
            raise BrokenPluginError(entry, "lifespan", error) from error
        try:
            yield
        finally:
            await anext(generator, None)
