"""A database of each engine with the core's tables, and the keys of a practice on it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from wellio import Crypto, ManualClock
from wellio.db.base import Engine
from wellio.db.migrate import Source, migrate
from wellio.keys.people import PersonKeys
from wellio.keys.ring import MasterRing
from wellio.keys.root import RootKey
from wellio.testing.engines import ENGINES, Databases, EngineName

NOW = 1_780_000_000_000


async def prepare(engine: Engine) -> None:
    await migrate(engine, [Source.of_package("wellio", "wellio")], backups=Path(), now_ms=NOW)


@pytest.fixture(scope="session", params=ENGINES)
def databases(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Databases:
    engine: EngineName = request.param
    return Databases(engine, tmp_path_factory.mktemp(engine), prepare)


@pytest.fixture
async def db(databases: Databases) -> AsyncIterator[Engine]:
    async with databases.open() as engine:
        yield engine


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@dataclass(frozen=True)
class Practice:
    """What a start opens: the master keys, the root key, and the people's keys in a folder."""

    ring: MasterRing
    root: RootKey
    crypto: Crypto
    people: PersonKeys


Open = Callable[[Path], Awaitable[Practice]]


@pytest.fixture
async def open_practice(db: Engine, clock: ManualClock) -> AsyncIterator[Open]:
    """Open a practice's keys in a folder, as often as a test likes."""
    opened: list[Practice] = []

    async def open_(folder: Path) -> Practice:
        ring = MasterRing.of_folder(folder)
        root = RootKey(db, ring)
        crypto = Crypto(ring, await root.load())
        people = PersonKeys(folder, db, clock, ring, crypto)
        opened.append(Practice(ring, root, crypto, people))
        return opened[-1]

    yield open_
    for practice in opened:
        await practice.people.close()


@pytest.fixture
async def practice(open_practice: Open, tmp_path: Path) -> Practice:
    return await open_practice(tmp_path)
