"""Whatever happens in whatever order to a log that nobody tampers with: it is never accused."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.audit.conftest import START, Log
from wellio.audit import AuditDetails
from wellio.audit.sealer import ANCHOR_MS
from wellio.clock import ManualClock
from wellio.db.base import Engine, Tx
from wellio.testing.engines import Databases

NODES = 2

which = st.integers(0, NODES - 1)
step = st.one_of(
    st.tuples(st.just("record"), which, st.integers(1, 150)),
    st.tuples(st.just("record details"), which, st.integers(1, 5)),
    st.tuples(st.just("roll back"), which, st.just(1)),
    st.tuples(st.just("seal"), which, st.just(0)),
    st.tuples(st.just("erase"), which, st.just(0)),
    st.tuples(st.just("stop"), which, st.just(0)),
    st.tuples(st.just("kill"), which, st.just(0)),
    st.tuples(st.just("new key"), which, st.just(0)),
    st.tuples(st.just("pass time"), which, st.sampled_from([1, ANCHOR_MS])),
)


class World:
    """Two processes on one database, each with a folder of its own."""

    def __init__(self, db: Engine, folder: Path) -> None:
        self.db, self.folder, self.clock = db, folder, ManualClock(START)
        self.logs: list[Log] = []
        self.written = 0
        self.erased = 0

    async def start(self, index: int) -> Log:
        log = Log(self.db, self.clock, self.folder / f"{index}.anchors")
        await log.audit.start(workers=False)
        return log

    async def roll_back(self, log: Log) -> None:
        async def body(tx: Tx) -> None:
            await log.audit.record(tx, "thing.noted", "thing", actor_id=None)
            raise LookupError

        try:
            await self.db.write(body)
        except LookupError:
            return
        raise AssertionError("it was not rolled back")

    async def erase(self, log: Log) -> None:
        self.written += bool(await log.audit.details_of("zoe"))  # the row that tells of it
        await self.db.write(AuditDetails(log.audit).erase, "zoe")

    async def do(self, what: str, index: int, amount: int) -> None:
        log = self.logs[index]
        match what:
            case "record" | "record details":
                self.written += amount
                await log.note(amount, details=what == "record details")
            case "roll back":
                await self.roll_back(log)
            case "seal":
                await log.audit.seal()
            case "erase":
                await self.erase(log)
            case "stop":
                await log.audit._sealer.close()  # noqa: SLF001 - its worker never ran
                self.logs[index] = await self.start(index)
            case "kill":
                self.logs[index] = await self.start(index)
            case "new key":
                await log.audit.keys.renew()
            case "pass time":
                self.clock.advance(amount)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
@given(steps=st.lists(step, max_size=20))
async def test_a_log_that_nobody_changed_is_intact(
    databases: Databases, steps: list[tuple[str, int, int]]
) -> None:
    async with databases.open() as db:
        with TemporaryDirectory() as folder:
            world = World(db, Path(folder))
            world.logs = [await world.start(index) for index in range(NODES)]
            for each in steps:
                await world.do(*each)
                for log in world.logs:
                    report = await log.verify()
                    assert report.is_intact, report.breaks
                    assert await log.audit.check() in {None, "rows wait to be sealed"}
            await world.logs[0].audit.seal()
            report = await world.logs[1].verify()
            assert (report.rows, report.pending) == (world.written, 0)
