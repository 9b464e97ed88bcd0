"""`kill -9` while rows are recorded, sealed and signed: none is lost, doubled or left out."""

import asyncio
import random
import re
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.children import child
from tests.core.audit.conftest import Log
from wellio.clock import SystemClock
from wellio.db import connect
from wellio.testing.engines import Databases

ROOT = Path(__file__).parents[3]
ROWS_OF_A_NOTE = 20


async def live(url: str, data_dir: Path, life: int) -> list[str]:
    """Run a victim, kill it at a random moment, and return what it had acknowledged."""
    async with child(
        *(sys.executable, "-m", "tests.core.audit.victim", url, str(data_dir), str(life)),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    ) as victim:
        assert victim.stdout is not None
        said = b""
        for _ in range(random.randint(5, 80)):  # noqa: S311 - chance, not a secret
            line = await victim.stdout.readline()
            assert line, "the victim died by itself"
            said += line
        await asyncio.sleep(random.random() / 50)  # noqa: S311 - the same: anywhere in its work
        victim.kill()
        said += await victim.stdout.read()
    return re.findall(r"^acknowledged (.+)\n", said.decode(), re.MULTILINE)


@pytest.mark.parametrize("lives", [3, pytest.param(100, marks=pytest.mark.prove)])
@pytest.mark.timeout(1800)
@pytest.mark.slow("each kill is a process of its own")
async def test_the_chain_goes_on_after_each_kill(databases: Databases, lives: int) -> None:
    url, data_dir = await databases.create()
    acknowledged: list[str] = []
    for life in range(lives):
        acknowledged += await live(url, data_dir, life)
        db = await connect(url, data_dir=data_dir)
        log = Log(db, SystemClock(), data_dir / "audit.anchors")
        try:
            await log.audit.start(workers=False)
            report = await log.verify()
            assert report.is_intact, report.breaks
            assert await log.audit.check() is None
        finally:
            await db.close()

    db = await connect(url, data_dir=data_dir)
    log = Log(db, SystemClock(), data_dir / "audit.anchors")
    try:
        await log.audit.start(workers=False)
        await log.audit.seal()
        report = await log.verify()
        assert (report.is_intact, report.pending) == (True, 0)
        counted = Counter(row["note"] for row in await log.rows())
        assert counted.keys() >= set(acknowledged)
        assert set(counted.values()) == {ROWS_OF_A_NOTE}
        assert report.anchors >= 1
    finally:
        await db.close()
        await databases.drop(url)
