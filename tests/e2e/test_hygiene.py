"""Nothing that blocks runs on the event loop: files, hashing, SQLite, processes, name look-ups."""

import json
import sys
from pathlib import Path

from tests.children import run
from wellio.testing import DEADLINE_S

ROOT = Path(__file__).parents[2]


def seen(folder: Path, *options: str) -> list[dict[str, str]]:
    program = (sys.executable, "-m", "tests.e2e.hygiene")
    done = run(*program, folder, *options, cwd=ROOT, limit_s=2 * DEADLINE_S)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, str]] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_nothing_blocks_the_loop_while_people_work(tmp_path: Path) -> None:
    assert seen(tmp_path) == []


def test_what_blocks_is_seen(tmp_path: Path) -> None:
    assert {line["what"] for line in seen(tmp_path, "--block")} == {"open", "sleep"}
