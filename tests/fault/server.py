"""A real server in a process of its own, which may be killed and started again on its data."""

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp

from tests.children import end
from tests.fault.history import History
from wellio.testing.engines import Databases, EngineName

ROOT: Final = Path(__file__).parent.parent.parent
OWNER_EMAIL: Final = "owner@example.com"
OWNER_PASSWORD: Final = "a-harness-for-every-fault"
_PORTS: Final = range(20_000, 32_000)  # below those that systems give to outgoing connections
_START_S: Final = 120.0
_STOP_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Build:
    """Which Wellio runs, on what.

    Attributes:
        url: Its database.
        data_dir: Its data folder.
        port: Where it listens, after every start: its tokens name its address.
        broken: The name of a module of `breaks`; None for the product as it is.
    """

    url: str
    data_dir: Path
    port: int
    broken: str | None = None

    def command(self) -> Sequence[str]:
        """Return the command line of the server."""
        program = ["wellio"] if self.broken is None else ["tests.fault.launcher", self.broken]
        options = [
            "--port",
            str(self.port),
            "--data",
            str(self.data_dir),
            "--database-url",
            self.url,
        ]
        return [sys.executable, "-m", *program, "serve", "--json", *options]

    def environment(self) -> dict[str, str]:
        """Return its environment: nothing of ours reaches the server but this."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("WELLIO_")}
        return kept | {
            "WELLIO_SETUP__OWNER_EMAIL": OWNER_EMAIL,
            "WELLIO_SETUP__OWNER_PASSWORD": OWNER_PASSWORD,
            "WELLIO_PLUGINS__AUTH__BCRYPT_COST": "10",
            "WELLIO_LOG__LEVEL": "warning",
            "WELLIO_LIMITS__ENABLED": "false",
        }


class Server:
    """The process. `up` is set while it is ready."""

    def __init__(self, build: Build, history: History) -> None:
        self.build = build
        self.up = asyncio.Event()
        self.url = f"http://127.0.0.1:{build.port}"
        self.log = history.path.with_name("server.log")
        self._history = history
        self._process: asyncio.subprocess.Process | None = None
        self._starting: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the process; `ready` waits until it serves."""
        started_at = time.monotonic()
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self.build.command(),
                cwd=self.build.data_dir,
                env=self.build.environment(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        self._starting = asyncio.create_task(self._await_ready(self._process, started_at))

    async def ready(self) -> None:
        """Wait until the process serves, or raise what it said when it ended instead."""
        assert self._starting is not None
        await self._starting

    async def kill(self) -> None:
        """End it as a power cut ends a process: SIGKILL."""
        process, starting = self._process, self._starting
        assert process is not None
        assert starting is not None
        self.up.clear()
        self._history.write("kill", "nemesis")
        starting.cancel()
        await asyncio.wait((starting,))
        await end(process)

    async def stop(self) -> int:
        """Ask it to end (SIGTERM) and return its exit code."""
        process = self._process
        assert process is not None
        self.up.clear()
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(_STOP_S):
            return await process.wait()

    async def close(self) -> None:
        """Leave no process behind, whatever happened."""
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait((self._starting,))  # it may be reading from the process
        if self._process is not None:
            await end(self._process)

    async def _await_ready(self, process: asyncio.subprocess.Process, started_at: float) -> None:
        assert process.stdout is not None
        async with asyncio.timeout(_START_S):
            line = await process.stdout.readline()
            if not line:
                raise AssertionError(f"the server ended: {self.log.read_text()[-2000:]}")
            async with aiohttp.ClientSession() as http, http.get(f"{self.url}/readyz") as response:
                assert response.status == 200, await response.text()
        self._history.write("ready", "nemesis", seconds=time.monotonic() - started_at)
        self.up.set()


def free_port() -> int:
    """Return a port that nobody gets by accident while the server is down."""
    while True:
        port = secrets.choice(_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@contextlib.asynccontextmanager
async def serving(
    engine: EngineName, folder: Path, history: History, broken: str | None = None
) -> AsyncIterator[Server]:
    """Start a server on a new, empty database; both are gone afterwards."""
    databases = Databases(engine, folder)
    url, data_dir = await databases.create()
    server = Server(Build(url, data_dir, free_port(), broken), history)
    try:
        await server.start()
        await server.ready()
        yield server
    finally:
        await server.close()
        await databases.drop(url)
