"""Child processes that end with the test, whatever became of it.

Each has a process group of its own, and the group is killed: what a child has started may hold its
pipes open, and whoever waits for their end would wait for ever.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from wellio.testing.deadline import DEADLINE_S


@contextlib.asynccontextmanager
async def child(
    *words: str | Path, limit_s: float | None = DEADLINE_S, **options: Any
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a program until the block ends, and kill what is left of it then.

    Args:
        words: The command line.
        limit_s: Seconds that the block may take; None if it has limits of its own.
        options: Those of `asyncio.create_subprocess_exec`.
    """
    process = await asyncio.create_subprocess_exec(*words, start_new_session=True, **options)
    try:
        async with asyncio.timeout(limit_s):
            yield process
    finally:
        await end(process)


async def end(process: asyncio.subprocess.Process) -> None:
    """Kill a process that leads a group, and the group; wait for it, but not for ever."""
    _kill_group(process.pid)
    async with asyncio.timeout(DEADLINE_S):
        await process.communicate()  # not `wait`: output that nobody reads would hold it up


def run(
    *words: str | Path,
    stdin: str = "",
    stderr: int = subprocess.PIPE,
    limit_s: float = DEADLINE_S,
    **options: Any,
) -> "subprocess.CompletedProcess[str]":
    """Run a program to its end and return what it printed.

    `subprocess.run` kills the program alone when its time is over, and then waits without a limit
    for whoever else holds its pipes.

    Args:
        words: The command line.
        stdin: What it reads.
        stderr: Where its errors go.
        limit_s: Seconds that it may take.
        options: Those of `subprocess.Popen`.

    Raises:
        subprocess.TimeoutExpired: It took longer, and was killed.
    """
    with subprocess.Popen(
        [str(word) for word in words],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, text=True,
        start_new_session=True, **options,
    ) as process:  # fmt: skip
        try:
            printed, errors = process.communicate(stdin, timeout=limit_s)
        except BaseException:
            _kill_group(process.pid)
            raise
    return subprocess.CompletedProcess(process.args, process.returncode, printed, errors)


def _kill_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)
