"""The generated pages say what the code says, and nothing public is without words."""

import inspect
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

import wellio
from docs.generator.hooks import names
from docs.generator.pages import FOLDER, pages
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


def test_everything_public_has_a_docstring() -> None:
    things = {name: getattr(wellio, name) for name in wellio.__all__}
    silent = [
        name
        for name, thing in things.items()
        if (inspect.isclass(thing) or inspect.isfunction(thing)) and not inspect.getdoc(thing)
    ]
    assert silent == []


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
