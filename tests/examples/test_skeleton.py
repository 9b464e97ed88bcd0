"""What `wellio plugin new` makes: our own checks have no complaint, and the example grew from it.

That both kinds run, and that their tests pass, is what the tutorial does with them.
"""

import ast
import re
import sys
from pathlib import Path

import pytest

from tests.children import run
from tests.examples.installation import EXAMPLE, ROOT
from wellio.boot.loader import load_plugins
from wellio.cli.skeleton import rendered
from wellio.config.settings import load_config
from wellio.testing import DEADLINE_S
from wellio.testing.apps import NO_FILE

SHORT, LONG = "wins", "a_name_of_thirty_letters_is_it"
SETTINGS = str(ROOT / "pyproject.toml")


def check(*words: str, cwd: Path) -> None:
    """Run one of the repository's own tools; it must have no complaint."""
    done = run(sys.executable, "-m", *words, cwd=cwd, limit_s=4 * DEADLINE_S)
    assert done.returncode == 0, done.stdout + done.stderr


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


def test_the_example_says_which_hooks_it_does_not_show() -> None:
    opened = load_plugins(load_config(NO_FILE, env={})).hooks
    missing = set(opened) - hooks((EXAMPLE / "wellio_plugin_hello/__init__.py").read_text())
    said = re.findall(r"`(lifespan|register_\w+)`", (EXAMPLE / "README.md").read_text())
    assert missing == set(said) - {"register_badges", "register_timeline"}
