"""The suite itself: whatever hangs, its run ends and says where; and what too much is."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests import budget, machine
from tests.core.source_tree import ROOT
from wellio.testing import DEADLINE_S

SAMPLE = """
import threading
import pytest

@pytest.fixture
def endless():
    yield
    threading.Event().wait()

def test_that_fails(endless):
    assert False
"""


def test_the_end_of_a_failed_test_has_an_end(tmp_path: Path) -> None:
    (tmp_path / "test_sample.py").write_text(SAMPLE)
    words = ("-c", ROOT / "pyproject.toml", "-p", "tests.conftest", "-o", "teardown_timeout=1")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, "--rootdir", tmp_path, tmp_path],
        cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "test_that_fails (call)" in done.stdout
    assert "in endless" in done.stderr


def test_what_was_compiled_is_kept_for_the_processes_that_tests_start() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", "import sys; print(sys.dont_write_bytecode)"],
        capture_output=True, text=True, timeout=DEADLINE_S, check=True,
    )  # fmt: skip
    assert shown.stdout == "False\n"


def test_it_writes_to_memory_only_where_there_is_room(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(machine, "_MEMORY", tmp_path)
    monkeypatch.setattr(machine, "_ROOM", 1 << 60)
    monkeypatch.setenv("TMPDIR", "/somebodys")
    machine.write_to_memory()
    assert os.environ["TMPDIR"] == "/somebodys"
    monkeypatch.delenv("TMPDIR")
    machine.write_to_memory()
    assert "TMPDIR" not in os.environ
    monkeypatch.setattr(machine, "_ROOM", 1)
    machine.write_to_memory()
    assert tempfile.gettempdir() == str(tmp_path)


def spent(budgeted: budget.Budget, test: str, seconds: float, **more: Any) -> None:
    report = {"when": "call", "cpu_s": seconds, "speed": 1.0, "may_be_slow": False, **more}
    budgeted.pytest_runtest_logreport(SimpleNamespace(nodeid=test, **report))


def test_what_costs_too_much_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "known", lambda: {budget.SPEED: 1.0, "b.py": 3.0, "c.py": 30.0})
    config: Any = SimpleNamespace(getoption=lambda _: False)
    budgeted = budget.Budget(cast(pytest.Config, config))
    spent(budgeted, "a.py::test_dear", 10.1)
    spent(budgeted, "a.py::test_that_says_why", 70.0, may_be_slow=True)
    spent(budgeted, "a.py::test_of_a_dear_fixture", 40.0, when="setup")
    spent(budgeted, "b.py::test_on_a_busy_machine", 18.0, speed=2.0)
    for number in range(7):
        spent(budgeted, f"c.py::test_{number}", 9.0)
    assert budgeted.breaches() == ["a.py::test_dear: 10.1 s, above 10", "c.py: 63.0 s, above 60"]
    assert budgeted.grown(budget.known()) == ["c.py: 30.0 -> 63.0 s", "b.py: 3.0 -> 9.0 s"]
