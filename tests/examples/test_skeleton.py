"""What `wellio plugin new` makes: it runs, its tests pass, and our own checks have no complaint."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.examples.conftest import Wheels
from tests.examples.installation import EXAMPLE, ROOT, Installation
from wellio.cli.skeleton import rendered

SHORT, LONG = "wins", "a_name_of_thirty_letters_is_it"
SETTINGS = str(ROOT / "pyproject.toml")


def check(*words: str, cwd: Path) -> None:
    """Run one of the repository's own tools; it must have no complaint."""
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def installed(wheels: Wheels, tmp_path: Path) -> Installation:
    return Installation.make(tmp_path / "venv", wheels.wellio)


@pytest.mark.timeout(600)  # its tests run on both engines, in a process of their own
@pytest.mark.parametrize("options", ["", "--one-file"])
def test_it_runs_and_its_tests_pass(installed: Installation, tmp_path: Path, options: str) -> None:
    made = installed.run("wellio", "plugin", "new", SHORT, *options.split(), cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    place = tmp_path
    if options:
        (place / "config.toml").write_text('loader.path = "plugins"\n')
    else:
        place /= f"wellio-plugin-{SHORT}"
        added = installed.run("pip", "install", "-e", ".", cwd=place)
        assert added.returncode == 0, added.stdout + added.stderr
    listed = installed.run("wellio", "plugins", "--json", cwd=place)
    assert SHORT in [it["name"] for it in json.loads(listed.stdout)["plugins"]], listed.stderr
    tested = installed.run("pytest", "-q", "-p", "no:cacheprovider", "tests", cwd=place)
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert "warning" not in tested.stdout + tested.stderr


@pytest.mark.parametrize("name", [SHORT, LONG])
@pytest.mark.parametrize("kind", ["distribution", "file"])
def test_our_own_checks_have_no_complaint(tmp_path: Path, kind: str, name: str) -> None:
    for path, text in rendered(kind, name).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    check("ruff", "format", "--check", "--no-cache", "--config", SETTINGS, ".", cwd=tmp_path)
    check("ruff", "check", "--no-cache", "--config", SETTINGS, ".", cwd=tmp_path)
    cache = str(ROOT / ".mypy_cache")  # `make check` has filled it
    check("mypy", "--config-file", SETTINGS, "--cache-dir", cache, ".", cwd=tmp_path)


def imported(text: str) -> set[tuple[str, str]]:
    """Return what a file takes from Wellio, as module and name."""
    return {
        (node.module or "", alias.name)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("wellio")
        for alias in node.names
    }


def hooks(text: str) -> set[str]:
    return {node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}


def test_the_example_is_what_a_skeleton_grows_to() -> None:
    """So they stay one: whoever changes the one has to look at the other."""
    skeleton = rendered("distribution", "hello")
    example = {path: (EXAMPLE / path).read_text() for path in skeleton}

    def settings(files: dict[str, str]) -> list[str]:
        lines = files["pyproject.toml"].splitlines()
        return [line for line in lines if not line.startswith("description")]

    assert settings(dict(skeleton)) == settings(example)
    for path, text in skeleton.items():
        if path.endswith(".py"):
            assert imported(text) - imported(example[path]) == set(), path
    init = "wellio_plugin_hello/__init__.py"
    assert hooks(skeleton[init]) < hooks(example[init])
    assert len(hooks(skeleton[init])) > 3
