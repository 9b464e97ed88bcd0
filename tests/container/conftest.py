"""The container's contents, made by the container's own script, for a user who is nobody here."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UID = 10001
INSTALL_S = 180


@dataclass(frozen=True)
class Installed:
    """What the image holds.

    Attributes:
        app: The virtual environment, which nobody may write to.
        data: The one folder that may be written to.
        uid: Who runs it; the tests' own user where they are not root.
    """

    app: Path
    data: Path
    uid: int

    @property
    def environment(self) -> dict[str, str]:
        """Return what the Dockerfile sets, apart from where things are."""
        return {
            "PATH": f"{self.app}/bin:/usr/bin:/bin",
            "PYTHONDONTWRITEBYTECODE": "1",
            "WELLIO_DATA_DIR": str(self.data),
            "WELLIO_LOG__FORMAT": "json",
        }


def interpreter() -> str:
    """Return a Python that others may run, too: that of the tests may lie in somebody's home."""
    own = Path(sys.executable).resolve()
    if all(folder.stat().st_mode & 0o001 for folder in own.parents) or os.geteuid():
        return str(own)
    return shutil.which("python3", path="/usr/local/bin:/usr/bin") or str(own)


@pytest.fixture(scope="session")
def installed() -> Iterator[Installed]:
    """Run `container/install.sh`, as the Dockerfile does, and take away the right to write."""
    folder = Path(tempfile.mkdtemp(prefix="wellio-container-"))
    folder.chmod(0o755)
    app, data = folder / "app", folder / "data"
    try:
        subprocess.run(
            ["/bin/sh", "container/install.sh", str(app)],
            cwd=ROOT, check=True, env={**os.environ, "PYTHON": interpreter()}, timeout=INSTALL_S,
        )  # fmt: skip
        data.mkdir(mode=0o700)
        uid = UID if os.geteuid() == 0 else os.geteuid()
        os.chown(data, uid, -1)
        subprocess.run(["/bin/chmod", "-R", "a-w", str(app)], check=True, timeout=INSTALL_S)
        yield Installed(app, data, uid)
    finally:
        subprocess.run(["/bin/chmod", "-R", "u+w", str(folder)], check=True, timeout=INSTALL_S)
        shutil.rmtree(folder)
