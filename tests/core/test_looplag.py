"""A loop that is late shows in a figure, and one that stands still in the log, with the place."""

import asyncio
import threading
import time
from typing import Any

import pytest

from wellio.observe.looplag import INTERVAL_S, LoopWatch
from wellio.testing import DEADLINE_S


def block_it(caplog: pytest.LogCaptureFixture) -> None:
    """Stand still until somebody has noticed, and then so long that it could be noticed again."""
    until = time.monotonic() + DEADLINE_S
    while not blocked(caplog) and time.monotonic() < until:
        time.sleep(INTERVAL_S)
    time.sleep(5 * INTERVAL_S)


def blocked(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    lines = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    return [line for line in lines if line["event"] == "event_loop_blocked"]


async def test_a_loop_that_stood_still_is_seen_and_named(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[float] = []
    watch = LoopWatch(seen.append, alarm_s=0.3)
    with watch.running():
        await asyncio.sleep(3 * INTERVAL_S)
        block_it(caplog)
        await asyncio.sleep(2 * INTERVAL_S)
        assert watch.worst_s() > 0.5
    assert max(seen) > 0.5
    mine = [line["where"] for line in blocked(caplog) if "block_it" in str(line["where"])]
    assert len(mine) == 1  # once, however long it lasts
    assert mine[0][0].startswith(f"{__name__}:block_it:")


async def test_a_loop_that_only_waits_is_not_accused(caplog: pytest.LogCaptureFixture) -> None:
    watch = LoopWatch(lambda _: None, alarm_s=30)
    with watch.running():
        await asyncio.sleep(5 * INTERVAL_S)
    assert blocked(caplog) == []
    assert "wellio-loop-watch" not in {thread.name for thread in threading.enumerate()}
