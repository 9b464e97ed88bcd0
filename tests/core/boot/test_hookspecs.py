"""Hooks that plugins open: who may fill them, who reads them, and what stops the start."""

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import pytest

from wellio import Plugin, PluginError, Wellio, hookimpl, hookspec
from wellio.boot.loader import load_plugins
from wellio.boot.plugins import Plugins
from wellio.config.settings import load_config
from wellio.testing import StartApp
from wellio.testing.apps import NO_FILE

pytestmark = pytest.mark.sqlite("no SQL is new here")


def opening(hook: Any) -> ModuleType:
    """Return a module with one function that specifies a hook."""
    module = ModuleType("hooks_of_somebody")
    setattr(module, hook.__name__, hook)
    return module


@hookspec
def register_moods(app: Wellio) -> Sequence[str]:
    """Return moods."""


class Owner:
    """A plugin that opens a hook and reads it at boot."""

    def __init__(self, name: str = "moods", hook: Any = register_moods) -> None:
        self.PLUGIN = Plugin(name, "1")
        self._hook = hook
        self.moods: list[str] = []

    @hookimpl
    def register_hookspecs(self) -> Sequence[object]:
        return [opening(self._hook)]

    @hookimpl
    def register_routes(self, app: Wellio) -> Sequence[object]:
        self.moods = app.hooks.of("register_moods")
        return []


class Moody:
    """A plugin that fills it."""

    def __init__(self, name: str, **declared: Any) -> None:
        self.PLUGIN = Plugin(name, "1", **declared)

    @hookimpl
    def register_moods(self, app: Wellio) -> Sequence[str]:
        return [f"{self.PLUGIN.name}'s"]


class Easy(Moody):
    """A plugin that fills it where it is opened."""

    @hookimpl(optionalhook=True)
    def register_moods(self, app: Wellio) -> Sequence[str]:
        return super().register_moods(app)


class Misspelt:
    PLUGIN = Plugin("misspelt", "1")

    @hookimpl
    def register_mood(self, app: Wellio) -> Sequence[str]:
        return []


class Surprised(Moody):
    @hookimpl
    def register_moods(self, surprise: object) -> Sequence[str]:
        return []


class Unmarked(Moody):
    def register_moods(self, app: Wellio) -> Sequence[str]:
        return []


def load(*plugins: object, **settings: Any) -> Plugins:
    dotted = {name.replace("__", "."): value for name, value in settings.items()}
    return load_plugins(load_config(NO_FILE, env={}, overrides=dotted), plugins)


@pytest.mark.parametrize("names", [("a", "z"), ("z", "a")])
async def test_what_others_bring_is_read_in_plugin_order(
    wellio_app: StartApp, names: tuple[str, str]
) -> None:
    owner = Owner()
    first, second = names
    fill = [Moody(first), Moody(second, requires=(first,))]
    app = (await wellio_app(plugins=[*fill, owner])).app
    assert owner.moods == app.hooks.of("register_moods") == [f"{first}'s", f"{second}'s"]
    assert app.hooks.plugins.hooks["register_moods"].owner == "moods"


async def test_an_optional_hook_is_left_out_without_its_owner(wellio_app: StartApp) -> None:
    app = (await wellio_app(plugins=[Easy("easy", after=("moods",))])).app
    with pytest.raises(PluginError, match="there is no hook register_moods"):
        app.hooks.of("register_moods")
    owner = Owner()
    await wellio_app(plugins=[Easy("easy", after=("moods",)), owner])
    assert owner.moods == ["easy's"]


@hookspec
def register_routes(app: Wellio) -> Sequence[object]:
    """Return what the core's own hook returns."""


@hookspec
def moods(app: Wellio) -> Sequence[str]:
    """Return moods under another kind of name."""


@hookspec
def register_weather(app: Wellio, day: str) -> Sequence[str]:
    """Return what needs to know more than the app."""


@hookspec(firstresult=True)
def register_first(app: Wellio) -> str:
    """Return what only one is asked for."""


@pytest.mark.parametrize(
    "plugins, expected",
    [
        (
            [Moody("moody")],
            "plugin moody (Moody): unknown hook 'register_moods': no loaded plugin opens it",
        ),
        (
            [Moody("moody", after=("moods",))],
            "no loaded plugin opens it; if it is a hook of moods, mark it optionalhook=True",
        ),
        (
            [Owner(), Misspelt()],
            "unknown hook 'register_mood': no loaded plugin opens it; did you mean register_moods?",
        ),
        (
            [Owner(), Owner("others")],
            "plugin others (Owner): it opens the hook register_moods, which moods opens too",
        ),
        (
            [Owner(hook=register_routes)],
            "plugin moods (Owner): it opens the hook register_routes, which core opens too",
        ),
        ([Owner(hook=moods)], "it opens the hook moods; expected a name like register_moods"),
        ([Owner(hook=register_weather)], "register_weather, which takes more than `app`"),
        ([Owner(hook=register_first)], "register_first, which does not ask every plugin once"),
        ([Owner(), Surprised("surprised")], "surprise"),
        ([Owner(), Unmarked("unmarked")], "register_moods is not marked with @hookimpl"),
        ([Owner(hook="no function")], "moods (Owner): AttributeError"),
    ],
)
def test_refused(plugins: list[object], expected: str) -> None:
    with pytest.raises(PluginError) as caught:
        load(*plugins)
    assert expected in str(caught.value)


def test_a_plugin_that_does_not_fit_is_skipped_on_demand_with_what_needs_it() -> None:
    bad, owner = Owner("moods", register_weather), Owner("moods")
    needs = Moody("needs", requires=("moods",))
    skipping = load(bad, needs, Easy("easy"), loader__on_error="skip")
    assert [entry.name for entry in skipping.loaded] == ["easy"]
    assert list(skipping.skipped) == ["moods", "needs"]
    assert "register_moods" not in skipping.hooks
    skipping = load(owner, Misspelt(), needs, loader__on_error="skip")
    assert [entry.name for entry in skipping.loaded] == ["moods", "needs"]
    assert list(skipping.skipped) == ["misspelt"]


def test_a_disabled_owner_opens_nothing() -> None:
    with pytest.raises(PluginError, match="unknown hook 'register_moods'"):
        load(Owner(), Moody("moody"), loader__disabled=["moods"])
    assert load(Owner(), Easy("easy"), loader__disabled=["moods"]).skipped == {}
