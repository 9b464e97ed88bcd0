"""`wellio plugin new`: which names it takes, what it never touches, and that it needs nothing."""

import json
from pathlib import Path

import pytest

from tests.core.boot.conftest import Shell


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder: one without settings, plugins or data, which nothing can read."""
    place = tmp_path / "empty"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setenv("WELLIO_DATABASE__URL", "nonsense")
    return place


def below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_distribution_is_made(shell: Shell, empty: Path) -> None:
    made = shell("plugin new wins --path somewhere")
    assert (made.code, made.stderr) == (0, "")
    assert made.stdout.splitlines() == [
        "made: somewhere/wellio-plugin-wins",
        "next: cd somewhere/wellio-plugin-wins; pip install -e .; pytest",
    ]
    files = below(empty / "somewhere/wellio-plugin-wins")
    assert {"pyproject.toml", "README.md", "tests/test_wins.py"} <= files
    assert {"wellio_plugin_wins/__init__.py", "wellio_plugin_wins/py.typed"} <= files
    assert below(empty) == {f"somewhere/wellio-plugin-wins/{file}" for file in files}


def test_a_file_is_made(shell: Shell, empty: Path) -> None:
    made = shell("plugin new wins --one-file --json")
    assert json.loads(made.stdout) == {
        "made": "plugins/wins.py",
        "next": "set loader.path to plugins; pytest",
    }
    assert below(empty) == {"plugins/wins.py", "pytest.ini", "tests/test_wins.py"}
    again = shell("plugin new sleep_diary --one-file")
    assert again.code == 0, "pytest's settings that are there already are no obstacle"


@pytest.mark.parametrize("settings", ["pytest.ini", "pyproject.toml"])
def test_settings_of_pytest_stay_as_they_are(shell: Shell, empty: Path, settings: str) -> None:
    (empty / settings).write_text("# mine\n")
    assert shell("plugin new wins --one-file").code == 0
    assert below(empty) == {"plugins/wins.py", settings, "tests/test_wins.py"}
    assert (empty / settings).read_text() == "# mine\n"


@pytest.mark.parametrize(
    "name, reason",
    [
        ("wellio_wins", "must not begin with wellio"),
        ("wellio-plugin-wins", "must not begin with wellio"),
        ("wellio", "must not begin with wellio"),
        ("auth", "must be new: wellio "),
        ("core", "must not be core"),
        ("Wins", "must be at most 30 lower-case letters"),
        ("my-wins", "must be at most 30 lower-case letters"),
        ("my__wins", "must be at most 30 lower-case letters"),
        ("wins_", "must be at most 30 lower-case letters"),
        ("2wins", "must be at most 30 lower-case letters"),
        ("../wins", "must be at most 30 lower-case letters"),
        ("w" * 31, "must be at most 30 lower-case letters"),
        ("class", "must be at most 30 lower-case letters"),
        ("json --one-file", "must not be json"),
    ],
)
def test_a_bad_name_is_refused(shell: Shell, empty: Path, name: str, reason: str) -> None:
    refused = shell(f"plugin new {name}")
    assert (refused.code, refused.stdout) == (2, "")
    assert refused.stderr.startswith(f"wellio: name {reason}")
    assert refused.stderr.count("\n") == 1
    assert below(empty) == set()


@pytest.mark.parametrize(
    "line, path",
    [
        ("plugin new wins", "wellio-plugin-wins/mine"),
        ("plugin new wins --one-file", "plugins/wins.py"),
        ("plugin new wins --one-file", "tests/test_wins.py"),
        ("plugin new wins", "wellio-plugin-wins"),
        ("plugin new wins --path here", "here"),
    ],
)
def test_what_is_there_stays(shell: Shell, empty: Path, line: str, path: str) -> None:
    (empty / path).parent.mkdir(parents=True, exist_ok=True)
    (empty / path).write_text("mine")
    refused = shell(line)
    assert (refused.code, refused.stdout) == (1, "")
    assert refused.stderr.startswith("wellio: ")
    assert refused.stderr.count("\n") == 1
    assert below(empty) == {path}
    assert (empty / path).read_text() == "mine"
