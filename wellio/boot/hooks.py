"""What the plugins brought: each hook is asked once, and its answers are kept here.

A hook needs no line of its own anywhere else. Who reads it says `app.hooks.of("register_demo")`,
be it the core or the plugin that opened it. The core answers hooks too, before every plugin
(`core.py`).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wellio.errors import PluginError

from . import core
from .hook import CORE
from .plugin import naming
from .plugins import Plugins

if TYPE_CHECKING:
    from .app import Wellio

# When the plugins are loaded, when the app starts, and when a demo is made: its parts are large.
_ASKED_ELSEWHERE = {"register_hookspecs", "lifespan", "register_demo"}


class Hooks:
    """The answers to the hooks of one app.

    Attributes:
        plugins: The plugins that are asked, in order.
    """

    def __init__(self, plugins: Plugins, app: "Wellio") -> None:
        self.plugins = plugins
        self._app = app
        self._answers: dict[str, Sequence[tuple[str, Any]]] = {}
        self._asking: list[str] = []

    def of(self, hook: str) -> list[Any]:
        """Return what all answers to a hook hold: the core's, then the plugins' in their order.

        Args:
            hook: Its name, such as `register_personal_data`; it returns a sequence.

        Raises:
            PluginError: There is no such hook.
            BrokenPluginError: A plugin's hook raised; the message names both.
        """
        return [item for _, answer in self.answers(hook) for item in answer]

    def by_plugin(self, hook: str) -> Mapping[str, Sequence[Any]]:
        """Return the same by plugin; `core` and every plugin are there, if with nothing."""
        found: dict[str, list[Any]] = {CORE: []}
        found |= {entry.name: [] for entry in self.plugins.loaded}
        for name, answer in self.answers(hook):
            found[name] += answer
        return found

    def answers(self, hook: str) -> Sequence[tuple[str, Any]]:
        """Return the answers themselves with the names of who gave them, `core` among them.

        A hook is asked when its answers are wanted for the first time, and by the end of the boot.
        """
        if hook not in self._answers:
            self._answers[hook] = self._ask(hook)
        return self._answers[hook]

    def give(self, hook: str, take: Callable[..., object]) -> None:
        """Hand what each plugin answered to who works with it, which may refuse it.

        Args:
            hook: Its name; it returns a sequence.
            take: Called as `take(*answer)` for the core and then for each plugin.

        Raises:
            BrokenPluginError: A plugin's hook raised, or what it returned was refused.
        """
        for name, answer in self.answers(hook):
            with naming(self.plugins.named(name), hook):
                take(*answer)

    def ask_all(self) -> None:
        """Ask every hook that nobody has read yet, so that a broken one shows at boot."""
        given = set(self._given())
        for name, hook in self.plugins.hooks.items():
            if given.issuperset(hook.arguments) and name not in _ASKED_ELSEWHERE:
                self.answers(name)

    def _ask(self, hook: str) -> Sequence[tuple[str, Any]]:
        if hook in self._asking:
            circle = " -> ".join([*self._asking[self._asking.index(hook) :], hook])
            raise PluginError(f"hooks wait for each other's answers: {circle}")
        self._asking.append(hook)
        try:
            ours = getattr(core, hook, None)
            answers = [(CORE, ours(self._app))] if ours else []
            asked = self.plugins.ask(hook, **self._given())
            return [*answers, *((entry.name, answer) for entry, answer in asked)]
        finally:
            self._asking.pop()

    def _given(self) -> Mapping[str, Any]:
        return {"app": self._app, "bus": self._app.bus}
