"""Virtual environments of their own, made in a second and without a network.

What a test installs is really installed there, from a wheel or in place. What that depends on is
what the tests themselves run on, so what the locks say: a `.pth` file names its folder, behind the
environment's own.
"""

import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from uv import find_uv_bin

from tests.children import run
from tests.core.boot.processes import environment
from wellio.testing import DEADLINE_S
from wellio.testing.engines import POSTGRES_VARIABLE, postgres_url

if TYPE_CHECKING:
    import subprocess

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/wellio-plugin-hello"
_AS_IT_IS = ("--offline", "--no-deps", "--no-build-isolation")
#: Plugins of pytest that our own tests have, and `wellio[testing]` does not bring; and its cache.
_NOT_THEIRS = ("cacheprovider", "hypothesispytest", "schemathesis", "timeout", "xdist")


def build(project: Path, target: Path) -> Path:
    """Build a distribution's wheel into a folder, with the locked hatchling, and return it."""
    command = (sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory")
    done = run(*command, target, cwd=project)
    assert done.returncode == 0, done.stderr
    (wheel,) = target.glob("*.whl")
    return wheel


@dataclass(frozen=True)
class Installation:
    """An environment; `folder` is where it is."""

    folder: Path

    @classmethod
    def make(cls, folder: Path, *what: str | Path) -> "Installation":
        """Make an environment and install something into it."""
        _uv("venv", "--python", sys.executable, str(folder))
        made = cls(folder)
        (made._packages / "locked.pth").write_text(sysconfig.get_path("purelib") + "\n")
        for name in ("pip", "pytest"):
            program = made.bin / name
            program.write_text(f'#!/bin/sh\nexec "{made.bin}/python" -m {name} "$@"\n')
            program.chmod(0o755)
        made.install(*what)
        return made

    @property
    def bin(self) -> Path:
        """Return the folder of its programs."""
        return self.folder / "bin"

    @property
    def variables(self) -> dict[str, str]:
        """Return the variables of whoever activated it; pip keeps to what is there."""
        variables = environment()
        return {
            **{name: value for name, value in variables.items() if name != "PYTHONPATH"},
            "PATH": f"{self.bin}:{variables['PATH']}",
            "VIRTUAL_ENV": str(self.folder),
            "PIP_NO_INDEX": "1",
            "PIP_NO_BUILD_ISOLATION": "0",  # pip reads it backwards: this switches it off
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            POSTGRES_VARIABLE: postgres_url(),
            "PYTEST_ADDOPTS": " ".join(f"-p no:{name}" for name in _NOT_THEIRS),
        }

    def install(self, *what: str | Path) -> None:
        """Install wheels or distributions."""
        arguments = [str(item) for item in what]
        self._pip("install", *_AS_IT_IS, "--compile-bytecode", *arguments)

    def uninstall(self, name: str) -> None:
        """Remove a distribution."""
        self._pip("uninstall", name)

    def run(self, *words: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
        """Run one of its programs to its end."""
        program = self.bin / words[0]
        return run(program, *words[1:], cwd=cwd, env=self.variables, limit_s=5 * DEADLINE_S)

    @property
    def _packages(self) -> Path:
        (found,) = self.folder.glob("lib/python*/site-packages")
        return found

    def _pip(self, command: str, *arguments: str) -> None:
        _uv("pip", command, "--python", str(self.bin / "python"), *arguments)


def _uv(*words: str) -> None:
    done = run(find_uv_bin(), *words)
    assert done.returncode == 0, done.stderr
