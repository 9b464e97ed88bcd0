"""The suite itself: whatever hangs, its run comes to an end and says where."""

import subprocess
import sys
from pathlib import Path

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
