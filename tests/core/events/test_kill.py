"""Exactly once, however often a process is killed: `kill -9` at random, then count the effects."""

import asyncio
import random
import re
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.children import child
from tests.core.events.conftest import START, Node, effects
from tests.core.events.victim import build
from wellio.clock import ManualClock
from wellio.db import connect
from wellio.testing.engines import Databases

ROOT = Path(__file__).parents[3]
LATER = START + 10 * 365 * 86_400_000  # whatever the victim's clock said, it is due by then
FOREVER_S = 10**10
CONCURRENCY = 8


async def live(url: str, data_dir: Path, life: int) -> list[str]:
    """Run a victim, kill it at a random moment, and return what it had acknowledged."""
    async with child(
        *(sys.executable, "-m", "tests.core.events.victim", url, str(data_dir), str(life)),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    ) as victim:
        assert victim.stdout is not None
        said = b""
        for _ in range(random.randint(20, 150)):  # noqa: S311 - chance, not a secret
            line = await victim.stdout.readline()
            assert line, "the victim died by itself"
            said += line
        victim.kill()
        said += await victim.stdout.read()
    return re.findall(r"^acknowledged (.+)\n", said.decode(), re.MULTILINE)


@pytest.mark.parametrize("lives", [3, pytest.param(40, marks=pytest.mark.prove)])
@pytest.mark.timeout(600)
@pytest.mark.slow("each kill is a process of its own")
async def test_each_event_takes_effect_once_whatever_is_killed(
    databases: Databases, lives: int
) -> None:
    url, data_dir = await databases.create()
    acknowledged: list[str] = []
    for life in range(lives):
        acknowledged += await live(url, data_dir, life)

    db = await connect(url, data_dir=data_dir)
    last = build(Node(db, ManualClock(LATER), "victim", {"retention_s": FOREVER_S}), failing=0.0)
    try:
        await last.start()
        await last.bus.settled()
        rows = await db.fetch_all("SELECT payload FROM wellio_event ORDER BY xid, position")
        published = [row["payload"].split('"')[3] for row in rows]
        assert set(acknowledged) <= set(published)
        assert await effects(db, "steady") == published  # in order, too
        for who in ("stumbling", "once"):
            assert Counter(await effects(db, who)) == Counter(published), who
        sent = Counter(await effects(db, "send"))  # at least once, twice only after a kill
        assert sent.keys() == set(published)
        assert sum(sent.values()) - len(sent) <= lives * CONCURRENCY
    finally:
        await last.stop()
        await db.close()
        await databases.drop(url)
