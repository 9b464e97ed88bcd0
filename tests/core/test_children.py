"""What the tests start ends with them, also what that has started in its turn."""

import asyncio
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.children import child, run
from wellio.testing import DEADLINE_S

#: Starts a process that holds its pipes, writes more than anybody reads, and stays or ends.
PARENT = """
import subprocess, sys, time
grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(grandchild.pid, flush=True)
sys.stderr.write("x" * 300_000 if sys.argv[1] == "loud" else "")
time.sleep(0 if sys.argv[1] == "short" else 600)
"""


async def test_a_test_that_fails_leaves_no_process() -> None:
    grandchildren: list[int] = []

    async def fail(kind: str) -> None:
        pipe = asyncio.subprocess.PIPE
        async with child(sys.executable, "-c", PARENT, kind, stdout=pipe, stderr=pipe) as process:
            assert process.stdout
            grandchildren.append(int(await process.stdout.readline()))
            raise ZeroDivisionError

    for kind in ("loud", "short", "silent"):
        with pytest.raises(ZeroDivisionError):
            await fail(kind)
        await gone(grandchildren[-1])


async def test_a_block_has_a_limit() -> None:
    with pytest.raises(TimeoutError):
        async with child(sys.executable, "-c", PARENT, "silent", limit_s=0.1) as process:
            await process.wait()


@pytest.mark.parametrize("kind", ["short", "silent"])
async def test_a_program_has_a_limit_though_another_holds_its_pipes(kind: str) -> None:
    limit_s, printed = 0.2, b""
    while not printed:  # until it has started in time
        limit_s *= 2
        with pytest.raises(subprocess.TimeoutExpired) as caught:
            run(sys.executable, "-c", PARENT, kind, limit_s=limit_s)
        printed = caught.value.output or b""
    await gone(int(printed))


def test_what_a_program_reads_and_prints() -> None:
    program = "import sys; print(input()); print('no', file=sys.stderr); sys.exit(3)"
    done = run(sys.executable, "-c", program, stdin="yes\n")
    assert (done.returncode, done.stdout, done.stderr) == (3, "yes\n", "no\n")


async def gone(pid: int) -> None:
    """Wait until a process has ended; that nobody collects it may be."""
    status = Path(f"/proc/{pid}/stat")
    async with asyncio.timeout(DEADLINE_S):
        with suppress(FileNotFoundError, ProcessLookupError):
            while status.read_text().rpartition(")")[2].split()[0] != "Z":  # noqa: ASYNC110 - it is nobody's child
                await asyncio.sleep(0.01)
