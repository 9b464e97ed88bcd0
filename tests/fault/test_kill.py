"""What is acknowledged survives SIGKILL, once and in one order, on both engines."""

import os
from pathlib import Path
from typing import Final

import pytest

from tests.fault.workload import Profile, run
from wellio.testing.engines import ENGINES, EngineName

SEED: Final = int(os.environ.get("SEED", "1"))
ON_BOTH = pytest.mark.parametrize("engine", ENGINES)


@ON_BOTH
@pytest.mark.timeout(600)
@pytest.mark.slow("each kill is a server under load")
async def test_nothing_is_lost_in_a_few_kills(engine: EngineName, tmp_path: Path) -> None:
    report = await run(engine, tmp_path / "run", Profile(50, 200, kills=3, groups=6), SEED)
    assert report.is_clean, report.details


@pytest.mark.prove
@ON_BOTH
@pytest.mark.timeout(3600)
async def test_nothing_is_lost_in_twenty_kills(engine: EngineName, tmp_path: Path) -> None:
    report = await run(engine, tmp_path / "run", Profile(50, 200, kills=20, groups=6), SEED)
    assert report.is_clean, report.details
