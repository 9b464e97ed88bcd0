"""The scratch folder: where the peers are installed, everybody's data lies, and figures gather."""

import contextlib
import json
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

_STOP_S = 10.0


@dataclass(frozen=True, slots=True)
class Scratch:
    """One folder outside of the project.

    Attributes:
        folder: The folder; the drivers know it as `PERF`.
    """

    folder: Path

    @classmethod
    def of_environment(cls) -> Self:
        """Return the folder that `BENCH_SCRATCH` names, or one in the user's cache."""
        default = Path.home() / ".cache" / "wellio-bench"
        folder = Path(os.environ.get("BENCH_SCRATCH", default)).absolute()
        (folder / "targets").mkdir(parents=True, exist_ok=True)
        return cls(folder)

    @property
    def results(self) -> Path:
        """The drivers' raw lines."""
        return self.folder / "results.jsonl"

    def target(self, name: str) -> dict[str, Any]:
        """Return a target file's content."""
        content: dict[str, Any] = json.loads((self.folder / f"targets/{name}.json").read_text())
        return content

    def write_target(self, name: str, content: dict[str, Any]) -> None:
        """Write a target file."""
        (self.folder / f"targets/{name}.json").write_text(json.dumps(content))

    def lines(self) -> list[dict[str, Any]]:
        """Return what the drivers measured so far, oldest first."""
        if not self.results.exists():
            return []
        return [json.loads(line) for line in self.results.read_text().splitlines()]


def stop(pid: int) -> None:
    """End a process that this bench started: by SIGTERM, or by SIGKILL if that takes too long."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        end = time.monotonic() + _STOP_S
        while time.monotonic() < end:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
            os.kill(pid, 0)
            time.sleep(0.05)
        os.kill(pid, signal.SIGKILL)
