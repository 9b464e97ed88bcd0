"""A migrated database of each engine, and nodes (bus and jobs, as a process has them) on it."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import pytest

from wellio.audit import Audit
from wellio.clock import Clock, ManualClock
from wellio.db.base import Database, Engine, Tx
from wellio.db.migrate import Source, migrate
from wellio.events.bus import EventBus
from wellio.events.event import Event
from wellio.jobs.jobs import Jobs
from wellio.keys.crypto import Crypto
from wellio.keys.ring import MasterKey, MasterRing
from wellio.testing.engines import Databases, EngineName

START = 1_772_000_000_000  # milliseconds UTC: some time in 2026
CRYPTO = Crypto(MasterRing([MasterKey(b"a master key of thirty-two bytes")]), bytes(range(32)))


class Noted(Event, name="thing.noted", about=None):
    """Something was noted."""

    thing_id: str


class Dropped(Event, name="thing.dropped", about=None):
    """Something was dropped."""

    thing_id: str


async def make_effects(tx: Tx) -> None:
    await tx.execute(
        "CREATE TABLE effect (position {serial}, who {text} NOT NULL, what {text} NOT NULL)"
        " {strict}"
    )


async def prepare(engine: Engine) -> None:
    await migrate(
        engine, [Source.of_package("wellio", "wellio")], backups=Path("nowhere"), now_ms=START
    )
    await engine.write_schema(make_effects)


@dataclass
class Node:
    """What one process has: a bus and jobs on a database, and handlers that leave a trace.

    What is audited needs `await node.audit.keys.open()` first.
    """

    db: Database
    clock: Clock
    name: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    failing: set[str] = field(default_factory=set)  # things that handlers choke on
    jobs: Jobs = field(init=False)
    audit: Audit = field(init=False)
    bus: EventBus = field(init=False)

    events: ClassVar = (Noted, Dropped)

    def __post_init__(self) -> None:
        for_jobs = {k: v for k, v in self.options.items() if k in {"concurrency", "drain_s"}}
        for_bus = {k: v for k, v in self.options.items() if k not in for_jobs}
        self.jobs = Jobs(self.db, self.clock, node=self.name, **{"drain_s": 1.0, **for_jobs})
        self.audit = Audit(self.db, self.clock, CRYPTO, Path("nowhere"))
        self.bus = EventBus(self.db, self.clock, self.jobs, self.audit, node=self.name, **for_bus)
        self.bus.register(*self.events)

    def follow(self, name: str, *types: type[Noted | Dropped], replay: bool = False) -> None:
        async def handle(tx: Tx, event: Noted | Dropped) -> None:
            await effect(tx, name, event.thing_id)
            if event.thing_id in self.failing:
                raise LookupError("a secret about a person")

        self.bus.subscribe_durable(name, types or (Noted,), handle, replay=replay)

    async def start(self, *, workers: bool = False) -> None:
        await self.jobs.start(workers=workers)
        await self.bus.start(workers=workers)

    async def stop(self) -> None:
        await self.bus.stop()
        await self.jobs.stop()

    async def note(self, *things: str, type_: type[Noted | Dropped] = Noted) -> None:
        async def body(tx: Tx) -> None:
            await self.bus.publish(tx, *(type_(thing_id=thing) for thing in things))

        await self.db.write(body)


async def effect(tx: Tx, who: str, what: str) -> None:
    await tx.execute("INSERT INTO effect (who, what) VALUES (:who, :what)", who=who, what=what)


async def effects(db: Database, who: str) -> list[str]:
    rows = await db.fetch_all("SELECT what FROM effect WHERE who = :who ORDER BY position", who=who)
    return [row["what"] for row in rows]


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
async def node(db: Engine, clock: ManualClock) -> AsyncIterator[Callable[..., Node]]:
    """Make nodes that are stopped when the test ends."""
    made: list[Node] = []

    def make(name: str | None = None, **options: Any) -> Node:
        made.append(Node(db, clock, name, options))
        return made[-1]

    yield make
    for each in made:
        await each.stop()
