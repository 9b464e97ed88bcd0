"""The harness finds every broken build out, and has nothing to say against the product itself."""

from pathlib import Path
from typing import Final

import pytest

from tests.fault.workload import Profile, Report, run
from wellio.testing.engines import ENGINES, EngineName

#: A broken build commits once a second, up to 32 messages (patching.py): the kill comes meanwhile.
PROFILE: Final = Profile(clients=8, rate=24, kills=1, groups=3, pause_s=(0.2, 0.8))
SEEDS: Final = range(1, 7)  # on a busy machine it may come too late: then another one does
FOUND_AS: Final = {
    "acknowledge_before_commit": "lost",
    "emit_before_commit": "phantom",
    "no_unique_index": "dup",
    "numbers_outside": "order",
}
#: Numbers and the index are where the engines' own ways with concurrency show; what is told too
#: early is found on SQLite here, and on Postgres by `make prove`.
ON_EACH: Final = [
    pytest.param(engine, broken, marks=[pytest.mark.prove] if is_long else [])
    for broken in FOUND_AS
    for engine in ENGINES
    for is_long in [engine == "postgres" and broken.endswith("_before_commit")]
]


@pytest.fixture(scope="module")
def sound() -> dict[tuple[str, int], Report]:
    """What the product did with an engine and a seed."""
    return {}


def test_every_break_is_looked_for() -> None:
    assert {path.stem for path in Path(__file__).parent.glob("breaks/*.py")} == set(FOUND_AS)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("engine", "broken"), ON_EACH)
@pytest.mark.slow("it runs and kills a server until the break shows")
async def test_a_broken_build_is_found_out(
    engine: EngineName,
    broken: str,
    tmp_path: Path,
    sound: dict[tuple[str, int], Report],
) -> None:
    for seed in SEEDS:
        report = await run(engine, tmp_path / f"{broken}-{seed}", PROFILE, seed, broken)
        if (engine, seed) not in sound:
            sound[engine, seed] = await run(engine, tmp_path / f"sound-{seed}", PROFILE, seed)
        assert sound[engine, seed].is_clean, sound[engine, seed].details
        if FOUND_AS[broken] in report.kinds:
            return
    pytest.fail(f"nothing was found in {len(SEEDS)} runs")
