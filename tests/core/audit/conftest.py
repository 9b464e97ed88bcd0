"""A migrated database of each engine, and audit logs on it as a process has one."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from wellio.audit import Audit, Report
from wellio.clock import Clock, ManualClock
from wellio.db.base import Engine, Row, Tx
from wellio.db.migrate import Source, migrate
from wellio.ids import new_id
from wellio.keys.crypto import Crypto
from wellio.keys.ring import MasterKey, MasterRing
from wellio.testing.engines import Databases, EngineName

START = 1_772_000_000_000  # milliseconds UTC: some time in 2026
MASTER = MasterKey(b"a master key of thirty-two bytes")
CRYPTO = Crypto(MasterRing([MASTER]), bytes(range(32)))


async def prepare(engine: Engine) -> None:
    await migrate(
        engine, [Source.of_package("wellio", "wellio")], backups=Path("nowhere"), now_ms=START
    )


@dataclass
class Log:
    """What one process has of the audit log."""

    db: Engine
    clock: Clock
    anchor_file: Path
    crypto: Crypto = CRYPTO
    audit: Audit = field(init=False)

    def __post_init__(self) -> None:
        self.audit = Audit(self.db, self.clock, self.crypto, self.anchor_file)

    async def note(self, count: int = 1, *, details: bool = False, subject_id: str = "zoe") -> None:
        """Record so many things in one transaction."""
        await self.db.write(self._note, count, details, subject_id)

    async def _note(self, tx: Tx, count: int, details: bool, subject_id: str) -> None:
        for number in range(count):
            await self.audit.record(
                tx,
                "thing.noted",
                "thing",
                new_id(),
                actor_id="olga",
                subject_id=subject_id,
                note=f"number {number}",
                details={"userAgent": f"Browser {number}"} if details else None,
            )

    async def sealed(self, count: int, *, details: bool = False) -> None:
        """Record so many things, and seal them."""
        for done in range(0, count, 100):
            await self.note(min(100, count - done), details=details)
        await self.audit.seal()

    async def verify(self, more_anchors: Path | None = None) -> Report:
        return await self.audit.verify(more_anchors)

    async def rows(self) -> list[Row]:
        return await self.db.fetch_all("SELECT * FROM wellio_audit ORDER BY seq")

    async def run(self, sql: str, **params: Any) -> int:
        """Do to the database what whoever has it can do, however long that takes."""

        async def body(tx: Tx) -> int:
            return await tx.execute(sql, **params)

        return await self.db.write_schema(body)


MakeLog = Callable[..., Awaitable[Log]]


@pytest.fixture(scope="session")
def databases_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[EngineName], Databases]:
    """Return who makes an engine's databases."""
    return cache(lambda engine: Databases(engine, tmp_path_factory.mktemp(engine), prepare))


@pytest.fixture(scope="module")
def databases(engine: EngineName, databases_of: Callable[[EngineName], Databases]) -> Databases:
    return databases_of(engine)


@pytest.fixture
async def db(databases: Databases) -> AsyncIterator[Engine]:
    async with databases.open() as engine:
        yield engine


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
async def make_log(db: Engine, clock: ManualClock, tmp_path: Path) -> AsyncIterator[MakeLog]:
    """Make logs, each started; they end with the test."""
    made: list[Log] = []

    async def make(
        *, workers: bool = False, folder: Path = tmp_path, crypto: Crypto = CRYPTO
    ) -> Log:
        log = Log(db, clock, folder / "audit.anchors", crypto)
        await log.audit.start(workers=workers)
        made.append(log)
        return log

    yield make
    for each in made:
        await each.audit.stop()


@pytest.fixture
async def log(make_log: MakeLog) -> Log:
    """Return a log whose worker does not run."""
    return await make_log()
