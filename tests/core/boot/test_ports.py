"""Ports: who provides them, who gets them, and what stops the start."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import pytest
from wellio_chat.ports import SendMessages

from wellio import Plugin, PluginError, Wellio, hookimpl
from wellio.testing import StartApp

pytestmark = pytest.mark.sqlite("no SQL is new here")


class Ring(Protocol):
    """Rings."""

    async def ring(self, times: int, *, is_loud: bool) -> int:
        """Ring so often."""


class Tune(Protocol):
    """Tunes."""

    def tune(self) -> str:
        """Tell the note."""


class Bell:
    def __init__(self, app: Wellio) -> None:
        self.rung = 0

    async def ring(self, times: int, *, is_loud: bool = False) -> int:
        self.rung += times
        return self.rung

    def tune(self) -> str:
        return "a"


class Quiet:
    def __init__(self, app: Wellio) -> None:
        pass

    async def ring(self, times: int) -> int:
        return 0


class Slow:
    async def tune(self) -> str:
        return "b"


class Provider:
    """A plugin that provides something."""

    def __init__(self, name: str, provided: Any) -> None:
        self.PLUGIN = Plugin(name, "1")
        self._provided = provided

    @hookimpl
    def register_services(self, app: Wellio) -> Mapping[type, type]:
        provided: Mapping[type, type] = self._provided
        return provided


class Caller:
    """A plugin that asks for a port in its service's constructor, at boot."""

    def __init__(self, *, requires: tuple[str, ...] = (), after: tuple[str, ...] = ()) -> None:
        self.PLUGIN = Plugin("caller", "1", requires=requires, after=after)
        self.got: list[Ring | None] = []

    @hookimpl
    def register_routes(self, app: Wellio) -> list[object]:
        if self.PLUGIN.requires:
            ring: Ring = app.service(Ring)  # mypy: a port is asked for without a cast
            self.got.append(ring)
        else:
            maybe: Ring | None = app.service(Ring, optional=True)
            self.got.append(maybe)
        return []


async def test_a_port_is_the_one_instance_of_its_provider(wellio_app: StartApp) -> None:
    caller = Caller(requires=("bells",))
    plugins = [Provider("bells", {Ring: Bell, Tune: Bell}), caller]
    app = (await wellio_app(plugins=plugins)).app
    assert caller.got == [app.service(Ring)] == [app.service(Bell)] == [app.service(Tune)]
    assert await app.service(Ring).ring(2, is_loud=True) == 2


async def test_without_its_owner_a_port_that_is_optional_is_none(wellio_app: StartApp) -> None:
    caller = Caller(after=("bells",))
    app = (await wellio_app(plugins=[caller])).app
    assert caller.got == [None]
    with pytest.raises(PluginError, match=r"no loaded plugin provides .*test_ports\.Ring; .*after"):
        app.service(Ring)


@pytest.mark.parametrize(
    "provided, expected",
    [
        ({Ring: Quiet}, r"Quiet does not provide Ring: ring\(\)"),
        ({Tune: Slow}, r"Slow does not provide Tune: tune\(\)"),
        ({Ring: object}, r"object does not provide Ring: ring\(\)"),
        ({Ring: Bell.tune}, "Ring is provided by .*, which is no class"),
        ({Bell: Bell}, "Bell is no Protocol"),
        ({SendMessages: Bell}, r"SendMessages is that of wellio_chat\.ports, not its own"),
        ([Bell], "returned a list and no mapping"),
    ],
)
async def test_what_does_not_provide_a_port_stops_the_start(
    wellio_app: StartApp, provided: Any, expected: str
) -> None:
    with pytest.raises(
        PluginError, match=rf"plugin bells .*register_services failed: .*{expected}"
    ):
        await wellio_app(plugins=[Provider("bells", provided)])


async def test_two_providers_of_one_port_are_both_named(wellio_app: StartApp) -> None:
    plugins = [Provider("bells", {Ring: Bell}), Provider("horns", {Ring: Bell})]
    with pytest.raises(PluginError, match="two plugins provide the port Ring: bells and horns"):
        await wellio_app(plugins=plugins)


OWNER = """
from collections.abc import Mapping
from wellio import Plugin, hookimpl

PLUGIN = Plugin("{name}", "1")
"""
PORTS = """
from typing import Protocol
from collections.abc import Mapping, Sized

class Lift(Protocol):
    async def lift(self) -> None: ...

class _Inner(Protocol):
    async def nothing(self) -> None: ...
"""
PROVIDES = """
@hookimpl
def register_services(app):
    from {module}.ports import Lift
    class Crane:
        def __init__(self, app): ...
        async def lift(self): ...
    return {{Lift: Crane}}
"""
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write plugins into a folder; what is imported of it goes with the test."""

    def plugin(name: str, ports: str = PORTS, init: str = "") -> Path:
        folder = tmp_path / "plugins" / name
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text(OWNER.format(name=name) + init)
        (folder / "ports.py").write_text(ports)
        for module in (name, f"{name}.ports"):
            monkeypatch.setitem(sys.modules, module, ModuleType(module))
            monkeypatch.delitem(sys.modules, module)
        return folder.parent

    return plugin


async def started(folder: Path, wellio_app: StartApp, **settings: Any) -> Wellio:
    app = await wellio_app(plugins=None, settings={"loader.path": folder, **settings})
    return app.app


async def test_a_plugin_provides_what_its_ports_export(wellio_app: StartApp, write: Write) -> None:
    app = await started(write("cranes", init=PROVIDES.format(module="cranes")), wellio_app)
    lift: Any = sys.modules["cranes.ports"].Lift
    await app.service(lift).lift()


@pytest.mark.parametrize(
    "ports, expected",
    [
        (PORTS, "nothing provides Lift, which its ports module exports"),
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
    ],
)
async def test_a_port_that_its_owner_does_not_provide_stops_the_start(
    wellio_app: StartApp, write: Write, ports: str, expected: str
) -> None:
    folder = write("cranes", ports)
    with pytest.raises(PluginError, match=f"plugin cranes .*{expected}"):
        await started(folder, wellio_app)
    app = await started(folder, wellio_app, **{"loader.on_error": "skip"})
    assert list(app.hooks.plugins.skipped) == ["cranes"]
