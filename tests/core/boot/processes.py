"""Real processes of the command line, as a person or a service manager starts them."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.children import child, run
from wellio.testing import DEADLINE_S

if TYPE_CHECKING:
    import subprocess

WELLIO = (sys.executable, "-m", "wellio")


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment without any setting of Wellio's."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("WELLIO_")}
    return {**kept, "NO_COLOR": "1", "COLUMNS": "100", **(more or {})}


def wellio(
    *arguments: str, cwd: Path, stdin: str = "", env: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end."""
    return run(*WELLIO, *arguments, cwd=cwd, env=environment(env), stdin=stdin)


@dataclass
class Server:
    """A running `wellio serve`.

    Attributes:
        process: The process.
        url: Where it listens.
        notices: What it told the person who started it.
    """

    process: asyncio.subprocess.Process
    url: str
    notices: list[str]

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, and return the exit code."""
        self.process.send_signal(number)
        return await self.ended()

    async def ended(self) -> int:
        """Wait for the end, and return the exit code."""
        async with asyncio.timeout(DEADLINE_S):
            return await self.process.wait()


@asynccontextmanager
async def serve(
    cwd: Path,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    program: Sequence[str] = WELLIO,
) -> AsyncIterator[Server]:
    """Run `wellio serve` on a free port until the block ends; it is up when the block begins."""
    command = (*program, "serve", "--port", "0", "--json", *arguments)
    with (cwd / "serve.log").open("ab") as log:
        async with child(
            *command, limit_s=None, cwd=cwd, env=environment(env),
            stdout=asyncio.subprocess.PIPE, stderr=log,
        ) as process:  # fmt: skip
            assert process.stdout
            async with asyncio.timeout(DEADLINE_S):
                line = await process.stdout.readline()
            assert line, (cwd / "serve.log").read_text()
            said: dict[str, Any] = json.loads(line)
            yield Server(process, said["url"], said["notices"])
