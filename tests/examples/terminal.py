"""A terminal in an environment: it types commands, and reads what they print.

Wellio and pytest run as forks of one process that has imported them (`forks.py`); whatever else is
typed, such as pip, is a process of its own.
"""

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.children import run
from tests.examples.installation import Installation
from wellio.testing import DEADLINE_S

_FORKED = ("wellio", "pytest")
#: pytest would rewrite these modules' assertions when it imports them; they are there already.
_NOT_REWRITTEN = " -W ignore::pytest.PytestAssertRewriteWarning"
_IMPORTED = ("wellio", "wellio_auth", "wellio_practice", "wellio_chat", "wellio_demo", "pytest")


class Terminal:
    """Runs commands; `close` ends what is left of them."""

    def __init__(self, installed: Installation, env: Mapping[str, str], output: Path) -> None:
        """Open it.

        Args:
            installed: The environment.
            env: The variables that commands get.
            output: A file for what one of them prints.
        """
        self._env = {**env, "PYTEST_ADDOPTS": env["PYTEST_ADDOPTS"] + _NOT_REWRITTEN}
        self._output = output
        self._forks = subprocess.Popen(
            [installed.bin / "python", "-P", Path(__file__).with_name("forks.py"), *_IMPORTED],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=self._env, start_new_session=True,
        )  # fmt: skip

    def run(self, words: list[str], cwd: Path) -> tuple[str, int]:
        """Run a command to its end; return what it printed, and its exit code."""
        if words[0] in _FORKED:
            code = self.wait(self.start(words, cwd, self._output))
            return self._output.read_text(), code
        done = run(*words, cwd=cwd, env=self._env, stderr=subprocess.STDOUT, limit_s=5 * DEADLINE_S)
        return done.stdout, done.returncode

    def start(self, words: list[str], cwd: Path, output: Path) -> int:
        """Start a command and return its process."""
        return self._ask(words=words, cwd=str(cwd), env=self._env, output=str(output))

    def wait(self, process: int) -> int:
        """Wait for the end of a command that was started; return its exit code."""
        return self._ask(wait=process)

    def close(self) -> None:
        """End whatever still runs."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._forks.pid, signal.SIGKILL)
        self._forks.communicate(timeout=DEADLINE_S)

    def _ask(self, **request: Any) -> int:
        assert self._forks.stdin is not None
        assert self._forks.stdout is not None
        self._forks.stdin.write(json.dumps(request) + "\n")
        self._forks.stdin.flush()
        answer = self._forks.stdout.readline()
        assert answer, "the process that forks has ended"
        return int(answer)
