"""The loader: where plugins come from, what stops it, in which order it asks them."""

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from wellio import __version__
from wellio.boot.hookspecs import hookimpl
from wellio.boot.loader import load_plugins
from wellio.boot.plugin import Plugin
from wellio.config.section import SectionModel
from wellio.config.settings import Config, load_config
from wellio.errors import ConfigError, PluginError
from wellio.testing import StartApp


class Fake(ModuleType):
    """A plugin as a module, whose hooks are the given functions."""

    def __init__(self, name: str, /, *, hooks: tuple[Any, ...] = (), **declared: Any) -> None:
        super().__init__(f"fake_{name}")
        self.PLUGIN = Plugin(name, "1.0", **declared)
        for hook in hooks:
            setattr(self, hook.__name__, hook)


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current folder has no config.toml."""
    monkeypatch.chdir(tmp_path)


def config(**overrides: Any) -> Config:
    dotted = {name.replace("__", "."): value for name, value in overrides.items()}
    return load_config(env={}, overrides=dotted)


def names(*fakes: object, **overrides: Any) -> list[str]:
    return [entry.name for entry in load_plugins(config(**overrides), fakes).loaded]


# -- order ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "declared, expected",
    [
        pytest.param({"c": {}, "a": {}, "b": {}}, "abc", id="else by name"),
        pytest.param({"a": {"requires": ("z",)}, "z": {}}, "za", id="requires"),
        pytest.param({"a": {"after": ("z",)}, "z": {}}, "za", id="after"),
        pytest.param({"a": {"after": ("ghost",)}}, "a", id="after an absent one"),
        pytest.param(
            {"a": {"requires": ("c",)}, "b": {}, "c": {"requires": ("d",)}, "d": {}},
            "bdca",
            id="a chain",
        ),
    ],
)
def test_order(declared: dict[str, dict[str, Any]], expected: str) -> None:
    fakes = [Fake(name, **rest) for name, rest in declared.items()]
    assert names(*fakes) == list(expected)
    assert names(*reversed(fakes)) == list(expected)


def test_hooks_are_asked_in_order_and_none_is_left_out() -> None:
    def answers(value: list[str] | None) -> Callable[..., Any]:
        @hookimpl
        def register_routes(app: object) -> list[str] | None:
            return value

        return register_routes

    plugins = load_plugins(
        config(),
        [
            Fake("a", requires=("b",), hooks=(answers(["from a"]),)),
            Fake("b", hooks=(answers(["from b"]),)),
            Fake("c", hooks=(answers(None),)),
            Fake("d"),
        ],
    )
    answered = [(entry.name, answer) for entry, answer in plugins.ask("register_routes", app=None)]
    assert answered == [("b", ["from b"]), ("a", ["from a"])]


async def test_lifespans_start_in_order_and_end_in_reverse() -> None:
    log: list[str] = []

    def logging(name: str) -> Callable[..., Any]:
        @hookimpl
        async def lifespan(app: object) -> AsyncIterator[None]:
            log.append(f"{name} starts")
            yield
            log.append(f"{name} ends")

        return lifespan

    plugins = load_plugins(
        config(),
        [
            Fake("a", requires=("b",), hooks=(logging("a"),)),
            Fake("b", hooks=(logging("b"),)),
        ],
    )
    async with plugins.running(None):
        log.append("running")
    assert log == ["b starts", "a starts", "running", "a ends", "b ends"]


async def test_a_lifespan_that_cannot_start_is_named_and_those_before_it_end() -> None:
    log: list[str] = []

    @hookimpl
    async def lifespan(app: object) -> AsyncIterator[None]:
        yield
        log.append("ended")

    starts = lifespan

    @hookimpl  # type: ignore[no-redef]  # a hook is found by its name
    async def lifespan(app: object) -> AsyncIterator[None]:
        raise RuntimeError("no")
        yield

    plugins = load_plugins(config(), [Fake("a", hooks=(starts,)), Fake("b", hooks=(lifespan,))])
    with pytest.raises(PluginError, match=r"plugin b \(fake_b\): lifespan failed: .*no"):
        async with plugins.running(None):
            raise AssertionError("it must not run")
    assert log == ["ended"]


def test_two_apps_share_nothing() -> None:
    fake = Fake("a")
    first, second = load_plugins(config(), [fake]), load_plugins(config(), [fake])
    assert first.ask("register_events") == second.ask("register_events") == []


# -- what stops the start ------------------------------------------------------------------------


@hookimpl
def register_rutes(app: object) -> None:
    """A hook that does not exist."""


def register_routes(app: object) -> None:
    """A hook that is not marked."""


@hookimpl
def register_commands(cli: object, surprise: object) -> None:
    """A hook with an argument that it never gets."""


@pytest.mark.parametrize(
    "fakes, expected",
    [
        pytest.param(
            [Fake("a"), Fake("a")], "two plugins are called a: fake_a and fake_a", id="collision"
        ),
        pytest.param(
            [Fake("a", requires=("b",))],
            "plugin a (fake_a): it requires the plugin b, which is not installed",
            id="missing",
        ),
        pytest.param(
            [
                Fake("a", requires=("b",)),
                Fake("b", requires=("c",)),
                Fake("c", after=("a",)),
            ],
            "plugins require each other in a circle: a -> b -> c -> a",
            id="cycle",
        ),
        pytest.param(
            [Fake("a", hooks=(register_rutes,))],
            "plugin a (fake_a): unknown hook 'register_rutes': no loaded plugin opens it;"
            " did you mean register_routes?",
            id="misspelt",
        ),
        pytest.param(
            [Fake("a", wellio=">=90,<91")],
            f"plugin a (fake_a): it works with Wellio >=90,<91, and this is Wellio {__version__}",
            id="another Wellio",
        ),
        pytest.param(
            [Fake("a", hooks=(register_routes,))],
            "plugin a (fake_a): register_routes is not marked with @hookimpl",
            id="unmarked",
        ),
        pytest.param([Fake("a", hooks=(register_commands,))], "surprise", id="wrong argument"),
        pytest.param([ModuleType("bare")], "(bare): it has no PLUGIN", id="no PLUGIN"),
    ],
)
def test_refused(fakes: list[object], expected: str) -> None:
    with pytest.raises(PluginError) as caught:
        load_plugins(config(), fakes)
    assert expected in str(caught.value)


@pytest.mark.parametrize("name", ["", "Chat", "my-plugin", "1st", "core"])
def test_plugin_names_are_checked(name: str) -> None:
    with pytest.raises(PluginError, match=r"plugin name|core is"):
        Plugin(name, "1.0")


def test_versions_of_wellio_are_checked() -> None:
    with pytest.raises(PluginError, match=r"plugin a: wellio='0\.3 or so'"):
        Plugin("a", "1.0", wellio="0.3 or so")
    assert names(Fake("a", wellio=f"=={__version__}"), Fake("b", wellio=">=0.1")) == ["a", "b"]


def test_a_plugin_for_another_wellio_is_skipped_on_demand() -> None:
    plugins = load_plugins(config(loader__on_error="skip"), [Fake("a", wellio="<0.1"), Fake("b")])
    assert [entry.name for entry in plugins.loaded] == ["b"]
    assert plugins.skipped == {"a": f"it works with Wellio <0.1, and this is Wellio {__version__}"}


def test_a_hook_that_raises_is_named_with_its_plugin() -> None:
    @hookimpl
    def register_events() -> None:
        raise RuntimeError("no")

    plugins = load_plugins(config(), [Fake("a", hooks=(register_events,))])
    with pytest.raises(PluginError, match=r"plugin a \(fake_a\): register_events failed: .*no"):
        plugins.ask("register_events")


# -- disabled ------------------------------------------------------------------------------------


def test_disabled_is_not_loaded_and_the_rest_is() -> None:
    assert names(Fake("a"), Fake("b", after=("a",)), loader__disabled=["a"]) == ["b"]


def test_disabled_but_required_names_both() -> None:
    with pytest.raises(PluginError, match=r"plugin b .*requires the plugin a, .*loader\.disabled"):
        names(Fake("a"), Fake("b", requires=("a",)), loader__disabled=["a"])


def test_disabling_an_unknown_plugin_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match=r"loader\.disabled names chta"):
        names(Fake("chat"), loader__disabled=["chta"])


# -- settings ------------------------------------------------------------------------------------


class ChatSettings(SectionModel):
    away_delay_s: int = 10
    """Seconds."""


class AuthSettings(SectionModel):
    issuer: str = "wellio"
    """Text."""


def test_a_section_reaches_its_plugin() -> None:
    values = load_config(env={"WELLIO_PLUGINS__CHAT__AWAY_DELAY_S": "20"})
    plugins = load_plugins(values, [Fake("chat", config=ChatSettings)])
    assert plugins.settings(ChatSettings).away_delay_s == 20
    with pytest.raises(PluginError, match="AuthSettings"):
        plugins.settings(AuthSettings)


def test_every_wrong_setting_of_every_plugin_is_named_and_none_echoed() -> None:
    env = {
        "WELLIO_PLUGINS__CHAT__AWAY_DELAY_S": "s3cret",
        "WELLIO_PLUGINS__CHAT__AWAY_DELAY": "s3cret",
        "WELLIO_PLUGINS__AUTH__ISUER": "s3cret",
        "WELLIO_PLUGINS__PLAIN__X": "s3cret",
    }
    fakes = [Fake("chat", config=ChatSettings), Fake("auth", config=AuthSettings), Fake("plain")]
    with pytest.raises(ConfigError) as caught:
        load_plugins(load_config(env=env), fakes)
    assert str(caught.value).splitlines()[1:] == [
        f"  WELLIO_PLUGINS__{line}"
        for line in (
            "AUTH__ISUER: unknown setting; did you mean WELLIO_PLUGINS__AUTH__ISSUER?",
            "CHAT__AWAY_DELAY_S: must be a whole number",
            "CHAT__AWAY_DELAY: unknown setting; did you mean WELLIO_PLUGINS__CHAT__AWAY_DELAY_S?",
            "PLAIN__X: unknown setting",
        )
    ]


def test_a_section_of_an_absent_plugin_is_a_warning_and_of_a_disabled_one_nothing() -> None:
    values = load_config(
        env={"WELLIO_PLUGINS__GONE__X": "1", "WELLIO_PLUGINS__OFF__X": "1"},
        overrides={"loader.disabled": ["off"]},
    )
    plugins = load_plugins(values, [Fake("off")])
    assert plugins.warnings == (
        "plugins.gone: there is no such plugin; its settings have no effect",
    )


# -- folders and distributions -------------------------------------------------------------------


@contextmanager
def fresh_modules(*modules: str) -> Iterator[None]:
    try:
        yield
    finally:
        for module in modules:
            sys.modules.pop(module, None)


DECLARATION = "from wellio import Plugin\nPLUGIN = Plugin({name!r}, '1.0')\n"


def write_plugin(folder: Path, file: str, name: str, more: str = "") -> None:
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(DECLARATION.format(name=name) + more)


def test_a_folder_holds_plugins_of_one_file_and_of_one_folder(tmp_path: Path) -> None:
    write_plugin(tmp_path, "one_file_plugin.py", "one_file_plugin")
    write_plugin(tmp_path, "a_folder_plugin/__init__.py", "a_folder_plugin", "from . import part\n")
    (tmp_path / "a_folder_plugin/part.py").write_text("X = 1\n")
    (tmp_path / "readme.txt").write_text("not a plugin")
    (tmp_path / "__pycache__").mkdir()
    values = config(loader__path=tmp_path)
    with fresh_modules("one_file_plugin", "a_folder_plugin", "a_folder_plugin.part"):
        for _ in range(2):  # a second app takes the same modules
            loaded = {entry.name: entry.offer.origin for entry in load_plugins(values).loaded}
            assert loaded["one_file_plugin"] == str(tmp_path / "one_file_plugin.py")
            assert loaded["a_folder_plugin"] == str(tmp_path / "a_folder_plugin/__init__.py")


@pytest.mark.parametrize(
    "file, name, expected",
    [
        ("mine.py", "other", "it calls itself other"),
        ("json.py", "json", "the name json belongs to another Python module"),
    ],
)
def test_a_file_and_its_plugin_have_one_name(
    tmp_path: Path, file: str, name: str, expected: str
) -> None:
    write_plugin(tmp_path, file, name)
    with fresh_modules("mine"), pytest.raises(PluginError, match=expected):
        load_plugins(config(loader__path=tmp_path))


@pytest.mark.parametrize("theirs", ["wellio_audit", "core_notes", "practice_client", "chat_x"])
def test_no_stranger_answers_for_tables_of_wellios_own(tmp_path: Path, theirs: str) -> None:
    """`practice_client_tag` would be `practice_client`'s: the longest name that fits has it."""
    write_plugin(tmp_path, f"{theirs}.py", theirs)
    own = theirs.partition("_")[0]
    with fresh_modules(theirs), pytest.raises(PluginError, match=f"begins with {own}_"):
        load_plugins(config(loader__path=tmp_path))
    skipping = config(loader__path=tmp_path, loader__on_error="skip")
    with fresh_modules(theirs):
        plugins = load_plugins(skipping)
    assert [*plugins.skipped] == [theirs]
    assert {"auth", "practice", "chat"} <= {entry.name for entry in plugins.loaded}


def test_a_missing_folder_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"loader\.path"):
        load_plugins(config(loader__path=tmp_path / "none"))


def install(folder: Path, distribution: str, name: str, body: str) -> None:
    """Lay out what an installed distribution with one plugin looks like on disk."""
    module = f"module_of_{distribution.replace('-', '_')}"
    info = folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[wellio.plugins]\n{name} = {module}\n")
    (folder / f"{module}.py").write_text(body)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for module in set(sys.modules) - before:
        if module.startswith("module_of_"):
            del sys.modules[module]


def test_two_distributions_with_one_name_are_both_named(site: Path) -> None:
    install(site, "wellio-plugin-one", "mood", DECLARATION.format(name="mood"))
    install(site, "wellio-plugin-two", "mood", DECLARATION.format(name="mood"))
    with pytest.raises(PluginError) as caught:
        load_plugins(config())
    assert "wellio-plugin-one 1.0" in str(caught.value)
    assert "wellio-plugin-two 1.0" in str(caught.value)


def test_one_distribution_seen_twice_is_one(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(site / "a", "wellio-plugin-one", "mood", DECLARATION.format(name="mood"))
    install(site / "b", "wellio-plugin-one", "mood", DECLARATION.format(name="mood"))
    monkeypatch.syspath_prepend(site / "a")
    monkeypatch.syspath_prepend(site / "b")
    assert "mood" in [entry.name for entry in load_plugins(config()).loaded]


BROKEN = "import a_module_that_nobody_has\n"


RAISES = """
from wellio import hookimpl
@hookimpl
def register_routes(app):
    raise RuntimeError("no")
"""
NEEDS = DECLARATION.format(name="chart").replace("'1.0'", "'1.0', requires=('mood',)")


def test_a_broken_third_party_plugin_stops_and_is_named_with_its_distribution(site: Path) -> None:
    install(site, "wellio-plugin-one", "mood", BROKEN)
    with pytest.raises(PluginError) as caught:
        load_plugins(config())
    assert str(caught.value) == (
        "plugin mood (wellio-plugin-one 1.0): "
        "ModuleNotFoundError: No module named 'a_module_that_nobody_has'"
    )


def test_a_broken_third_party_plugin_is_skipped_on_demand_with_what_requires_it(
    site: Path,
) -> None:
    install(site, "wellio-plugin-one", "mood", BROKEN)
    install(site, "wellio-plugin-two", "chart", NEEDS)
    plugins = load_plugins(config(loader__on_error="skip"))
    assert not {"mood", "chart"} & {entry.name for entry in plugins.loaded}
    assert plugins.skipped == {
        "mood": "ModuleNotFoundError: No module named 'a_module_that_nobody_has'",
        "chart": "it requires the plugin mood, which could not be loaded",
    }


def test_a_broken_builtin_stops_always(site: Path) -> None:
    install(site, "wellio", "mood", BROKEN)
    with pytest.raises(PluginError, match="plugin mood"):
        load_plugins(config(loader__on_error="skip"))


async def test_a_hook_that_raises_stops_the_start(site: Path, wellio_app: StartApp) -> None:
    install(site, "wellio-plugin-one", "mood", DECLARATION.format(name="mood") + RAISES)
    with pytest.raises(PluginError, match=r"plugin mood .*: register_routes failed: .*no"):
        await wellio_app()


async def test_a_hook_that_raises_is_skipped_on_demand_with_what_requires_it(
    site: Path, wellio_app: StartApp
) -> None:
    install(site, "wellio-plugin-one", "mood", DECLARATION.format(name="mood") + RAISES)
    install(site, "wellio-plugin-two", "chart", NEEDS)
    app = await wellio_app(settings={"loader.on_error": "skip"})
    health = (await app.api.get("//health", status=200)).data
    assert health["status"] == "degraded"
    states = {name: health["plugins"][name]["status"] for name in ("mood", "chart", "chat")}
    assert states == {"mood": "down", "chart": "down", "chat": "ok"}


def test_a_disabled_plugin_is_not_even_imported(site: Path) -> None:
    install(site, "wellio-plugin-one", "mood", BROKEN)
    assert "mood" not in {
        entry.name for entry in load_plugins(config(loader__disabled=["mood"])).loaded
    }
