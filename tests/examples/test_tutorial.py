"""docs/plugins.md is followed word for word, and lists what `wellio.testing` has."""

import re
import shlex
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from _pytest.fixtures import FixtureFunctionDefinition

import wellio.testing
from tests.children import run
from tests.examples.conftest import Wheels
from tests.examples.installation import ROOT, Installation
from tests.examples.tutorial import Command, File, steps
from wellio.testing import DEADLINE_S, plugin

PAGE = ROOT / "docs/plugins.md"


class Reader:
    """Somebody with a terminal, in an empty folder, where Wellio is installed."""

    def __init__(self, installed: Installation, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._environment = {
            **installed.variables,
            "WELLIO_SERVER__PORT": str(self._port),  # another test may use port 3000
            "COLUMNS": "80",
        }
        self._job: subprocess.Popen[bytes] | None = None

    def write(self, file: File) -> None:
        """Write a file, or compare what is there with what the page shows."""
        path = self.folder / file.path
        if file.action == "write":
            path.parent.mkdir(exist_ok=True)
            path.write_text(file.text)
        elif file.action == "append":
            path.write_text(f"{path.read_text()}\n\n{file.text}")
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
                self._job = subprocess.Popen(
                    rest, cwd=self.folder, env=self._environment,
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                )  # fmt: skip
                return
            case ["kill", "%1"]:
                self.leave()
                return
            case ["curl", "-s", url]:
                printed, code = self._get(url), 0
            case _:
                printed, code = self._run(words)
        assert command.is_printed(printed), f"$ {command.line}\n{printed}"
        assert (code != 0) == (" failed" in command.printed), f"$ {command.line}\n{printed}"

    def leave(self) -> None:
        """End what runs in the background."""
        if self._job is not None:
            job, self._job = self._job, None
            job.terminate()
            try:
                job.wait(DEADLINE_S)
            finally:
                job.kill()

    def _run(self, words: list[str]) -> tuple[str, int]:
        done = run(
            *words, cwd=self.folder, env=self._environment,
            stderr=subprocess.STDOUT, limit_s=5 * DEADLINE_S,
        )  # fmt: skip
        return done.stdout, done.returncode

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


@pytest.mark.timeout(900)
@pytest.mark.slow("the plugins' own tests run six times, on both engines")
def test_the_tutorial_is_followed_word_for_word(wheels: Wheels, tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    reader = Reader(Installation.make(tmp_path / "venv", wheels.wellio), folder)
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
            *(sys.executable, "-m", *words, *checked),
            cwd=folder / "wellio-plugin-wins", limit_s=4 * DEADLINE_S,
        )  # fmt: skip
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


def test_a_block_that_nobody_can_follow_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("Some words.\n\n```python\nx = 1\n```\n")
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
