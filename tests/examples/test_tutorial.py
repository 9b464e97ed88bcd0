"""docs/plugins.md is followed word for word, and lists what `wellio.testing` has."""

import os
import re
import shlex
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from _pytest.fixtures import FixtureFunctionDefinition

import wellio.testing
from tests.children import run
from tests.examples.installation import ROOT, Installation
from tests.examples.terminal import Terminal
from tests.examples.tutorial import Command, File, steps
from wellio.testing import DEADLINE_S, plugin

PAGE = ROOT / "docs/plugins.md"


class Reader:
    """Somebody with a terminal, in an empty folder, where Wellio is installed."""

    def __init__(self, installed: Installation, folder: Path) -> None:
        self.folder = folder / "empty"
        self.folder.mkdir()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        environment = {
            **installed.variables,
            "WELLIO_SERVER__PORT": str(self._port),  # another test may use port 3000
            "COLUMNS": "80",
        }
        self._terminal = Terminal(installed, environment, folder / "printed")
        self._job = 0

    def write(self, file: File) -> None:
        """Write a file, or compare what is there with what the page shows."""
        path = self.folder / file.path
        if file.action == "write":
            assert not path.exists(), f"{file.path} is there: show what changes"
            path.parent.mkdir(exist_ok=True)
            path.write_text(file.text)
        elif file.action == "append":
            path.write_text(f"{path.read_text()}\n\n{file.text}")
        elif file.action == "change":
            path.write_text(file.change(path.read_text()))
        elif file.action == "holds":
            assert path.read_text() == file.text, f"{file.path} is another"
        else:
            assert file.text in path.read_text(), f"{file.path} does not hold it"

    def type(self, command: Command) -> None:
        """Type a command, and compare what it prints."""
        words = shlex.split(command.line)
        match words:
            case ["cd", folder]:
                self.folder /= folder
                return
            case [*rest, "&"]:
                self._job = self._terminal.start(rest, self.folder, Path(os.devnull))
                return
            case ["kill", "%1"]:
                os.kill(self._job, signal.SIGTERM)
                assert self._terminal.wait(self._job) == 0
                return
            case ["curl", "-s", url]:
                printed, code = self._get(url), 0
            case _:
                printed, code = self._terminal.run(words, self.folder)
        assert command.is_printed(printed), f"$ {command.line}\n{printed}"
        assert (code != 0) == command.fails, f"$ {command.line}\n{printed}"

    def leave(self) -> None:
        """Close the terminal, and with it what runs in the background."""
        self._terminal.close()

    def _get(self, url: str) -> str:
        """Ask the server that was just started, as curl would once it listens."""
        address = url.replace(":3000/", f":{self._port}/")
        assert address.startswith("http://localhost:")
        until = time.monotonic() + DEADLINE_S
        while True:
            try:
                with urllib.request.urlopen(  # noqa: S310 - to localhost, see above
                    address, timeout=DEADLINE_S
                ) as answer:
                    return str(answer.read().decode())
            except urllib.error.HTTPError as refusal:
                return refusal.read().decode()
            except urllib.error.URLError:
                assert time.monotonic() < until, "the server does not listen"
                time.sleep(0.05)


@pytest.mark.slow("the plugins' own tests run three times, on both engines")
def test_the_tutorial_is_followed_word_for_word(wellio_wheel: Path, tmp_path: Path) -> None:
    reader = Reader(Installation.make(tmp_path / "venv", wellio_wheel), tmp_path)
    try:
        for step in steps(PAGE):
            if isinstance(step, File):
                reader.write(step)
            else:
                reader.type(step)
    finally:
        reader.leave()
    for words in (
        ["ruff", "format", "--check", "--no-cache", "--config", str(ROOT / "pyproject.toml")],
        ["ruff", "check", "--no-cache", "--config", str(ROOT / "pyproject.toml")],
        ["mypy", "--config-file", str(ROOT / "pyproject.toml"),
         "--cache-dir", str(ROOT / ".mypy_cache")],
    ):  # fmt: skip
        checked = ("wellio_plugin_wins", "tests")
        done = run(
            *(sys.executable, "-m", *words, *checked), cwd=reader.folder, limit_s=4 * DEADLINE_S
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "printed, text, is_it",
    [
        ("2 passed in ...\n", "2 passed in 0.1s\n", True),
        ("2 passed in ...\n", "1 passed in 0.1s\n", False),
        ("2 passed in ...\n", "2 passed in 0.1s\nand more\n", False),
        ("...\nlast\n", "a\nb\nlast\n", True),
        ("...\nlast\n", "last\n", True),
        ("...\nlast\n", "a\nlast\nb\n", False),
        ("a\n...\n", "a\nb\nc\n", True),
        ("", "", True),
        ("", "a\n", False),
    ],
)
def test_what_a_command_prints_is_compared(printed: str, text: str, is_it: bool) -> None:
    assert Command("", printed).is_printed(text) is is_it


CHANGED = "a\nb\n\nc\nb\n"


@pytest.mark.parametrize(
    "diff, text",
    [
        ("+z\n a\n", "z\na\nb\n\nc\nb\n"),
        (" c\n-b\n+d\n", "a\nb\n\nc\nd\n"),
        ("-a\n@@\n\n-c\n", "b\n\nb\n"),
        (" b\n", "2 times"),
        (" d\n", "0 times"),
        ("+d\n", "0 times"),
        (" a\nb\n", "no diff"),
    ],
)
def test_a_change_is_made_where_it_says(diff: str, text: str) -> None:
    change = File("change", "it.py", diff)
    if "times" in text or "no diff" in text:
        with pytest.raises(AssertionError, match=text):
            change.change(CHANGED)
    else:
        assert change.change(CHANGED) == text


def test_a_block_that_nobody_can_follow_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("Some words.\n\n```python\nx = 1\n```\n")
    with pytest.raises(AssertionError, match="nobody knows"):
        list(steps(page))
    page.write_text("Change `a.py`:\n\n```python\nx = 1\n```\n")
    with pytest.raises(AssertionError, match="nobody knows"):
        list(steps(page))
    page.write_text("Some words.\n```python\nx = 1\n```\n")
    with pytest.raises(AssertionError, match="unread"):
        list(steps(page))


def test_the_page_lists_every_fixture_and_name() -> None:
    tables = re.findall(
        r"^\| Fixture.*?\n\n|^\| Name in.*?\n\n", PAGE.read_text(), re.MULTILINE | re.DOTALL
    )
    fixtures, names = (set(re.findall(r"`(\w+)`", _first_column(table))) for table in tables)
    assert fixtures == {
        name for name, it in vars(plugin).items() if isinstance(it, FixtureFunctionDefinition)
    }
    assert names - {"wellio"} == set(wellio.testing.__all__)


def _first_column(table: str) -> str:
    return "\n".join(line.split("|")[1] for line in table.strip().splitlines()[1:])
