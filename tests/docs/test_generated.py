"""The generated pages say what the code says, and nothing public is without words."""

import inspect
import re
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

import wellio.testing
from docs.generator.hooks import names
from docs.generator.pages import FOLDER, pages
from docs.generator.source import members
from docs.generator.subjects import NOT_FOR_PLUGINS
from tests.core.source_tree import read
from wellio.boot.loader import load_plugins
from wellio.config.settings import load_config
from wellio.testing.apps import NO_FILE


@pytest.fixture(scope="module")
def made() -> Mapping[str, str]:
    return pages()


def test_the_pages_are_what_the_code_says(made: Mapping[str, str]) -> None:
    stale = [name for name, text in made.items() if (FOLDER / name).read_text() != text]
    assert stale == [], "run `make docs`"


def test_what_is_made_twice_is_the_same(made: Mapping[str, str]) -> None:
    assert pages() == made


def test_every_hook_is_used_here(made: Mapping[str, str]) -> None:
    text = made["hooks.md"]
    unused = {
        name for name in names() if "Used by:" not in text.split(f"## `{name}`")[1].split("##")[0]
    }
    assert unused == set()


def test_every_hook_is_tried_by_a_test() -> None:
    """The plugins that Wellio brings have all of them, so their own text would prove nothing."""
    sources = [source for source in read("tests", "examples") if "tests" in source.path.parts]
    tests = "\n".join(source.text for source in sources)
    untried = {name for name in names() if not re.search(rf"\bdef {name}\b", tests)}
    assert untried == set()


@pytest.mark.parametrize("module", [wellio, wellio.testing], ids=lambda it: it.__name__)
def test_the_reference_has_every_public_name_once_with_words(
    made: Mapping[str, str], module: ModuleType
) -> None:
    (chapter,) = re.findall(
        rf"^# `{re.escape(module.__name__)}`$(.*?)^# ",
        made["reference.md"],
        re.DOTALL | re.MULTILINE,
    )
    words = [
        *re.findall(r"^### `(\w+)`\n\n(?:```python\n.*\n```\n\n)?(.*)$", chapter, re.MULTILINE),
        *re.findall(r"^\| `(\w+)` \| (.*) \|$", chapter, re.MULTILINE),
    ]
    listed = sorted(name for name, _ in words)
    assert listed == sorted(module.__all__), "docs/generator/subjects.py: each has a subject"
    assert [name for name, text in words if not re.match(r"[A-Z\d`]", text)] == []


def test_the_reference_has_every_port_and_its_methods(made: Mapping[str, str]) -> None:
    packages = [entry.package for entry in load_plugins(load_config(NO_FILE, env={})).loaded]
    modules = [import_module(f"{it}.ports") for it in packages if find_spec(f"{it}.ports")]
    ports = [
        it for module in modules for it in _classes(module) if it.__module__ == module.__name__
    ]
    assert len(ports) > 5
    for port in ports:
        section = made["reference.md"].split(f"## `{port.__module__}.{port.__qualname__}`")[1]
        methods = {name for name in vars(port) if not name.startswith("_")}
        shown = re.findall(
            r"^\* `(?:await )?(\w+)\(.*?`: \w", section.split("\n## ")[0], re.MULTILINE
        )
        assert set(shown) == methods


def test_what_the_reference_leaves_out_is_there_to_be_left_out() -> None:
    public = {it.__name__: it for it in (*_classes(wellio), *_classes(wellio.testing))}
    for name, hidden in NOT_FOR_PLUGINS.items():
        there = {member.name for member in members(public[name])}
        assert set(hidden.split()) - there == set(), name


def _classes(module: ModuleType) -> list[type]:
    things = [getattr(module, name) for name in module.__all__]
    return [thing for thing in things if inspect.isclass(thing)]


def test_every_setting_and_event_says_what_it_is(made: Mapping[str, str]) -> None:
    rows = [line for line in made["config.md"].splitlines() if line.startswith("| `")]
    assert len(rows) > 40
    assert [row for row in rows if row.endswith("|  |")] == []
    for name in re.findall(r"^### `([\w.]+)`$", made["events.md"], re.MULTILINE):
        assert re.search(rf"### `{re.escape(name)}`\n\n\w", made["events.md"]), name


def test_every_event_of_every_plugin_is_listed_with_its_class(made: Mapping[str, str]) -> None:
    plugins = load_plugins(load_config(NO_FILE, env={}))
    types = [type_ for _, answer in plugins.ask("register_events") for type_ in answer]
    assert len({type_.__module__ for type_ in types}) > 2
    sections = made["events.md"].split("### `")
    for type_ in types:
        (found,) = [it for it in sections if it.startswith(f"{type_.name}`\n")]
        assert f"`from {type_.__module__} import {type_.__qualname__}`" in found
        assert "Fields: `" in found


def test_no_page_names_this_machine(made: Mapping[str, str]) -> None:
    text = "".join(made.values())
    assert " at 0x" not in text
    assert str(Path.home()) not in text
