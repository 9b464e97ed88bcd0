"""A rotation: new keys, everything sealed anew, old keys gone when nothing needs them any more."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.keys.conftest import NOW, Open, Practice
from wellio import (
    ConfigError,
    Crypto,
    ManualClock,
    PersonErased,
    Plugin,
    Wellio,
    WellioError,
    hookimpl,
    rfc3339,
)
from wellio.db.base import Database, Engine
from wellio.jobs.jobs import JobRun
from wellio.keys.people import PersonKeys
from wellio.keys.ring import MasterRing
from wellio.keys.root import RootKey
from wellio.keys.rotation import Rotation
from wellio.testing import StartApp

DAY_MS = 86_400_000
KEY = "5f3759df1b873593cc9e2d51e6546b64c2b2ae35d85ebca6a0761d6478bd642f"


class Secrets:
    """What a plugin keeps sealed, and notes on what it was asked."""

    name = "probe.secrets"

    def __init__(self, crypto: Crypto) -> None:
        self.crypto = crypto
        self.sealed = crypto.seal("probe", b"plain")
        self.asked: list[str] = []
        self.is_failing = False

    async def renew(self) -> None:
        self.asked.append("renew")

    async def reseal(self) -> int:
        self.asked.append("reseal")
        if self.is_failing:
            raise WellioError("the disk is full")
        newer = self.crypto.reseal("probe", self.sealed)
        self.sealed = newer or self.sealed
        return int(newer is not None)


async def tend(rotation: Rotation, db: Database, clock: ManualClock) -> None:
    """Run the hourly job, as the app's workers do."""
    schedule = rotation.tending()
    await schedule.run(JobRun("job", "kind", {}, 1, clock.now_ms(), db, clock))


@pytest.fixture
def secrets(practice: Practice) -> Secrets:
    return Secrets(practice.crypto)


@pytest.fixture
def rotation(practice: Practice, secrets: Secrets, clock: ManualClock) -> Rotation:
    rotation = Rotation(practice.ring, clock, practice.root, practice.people)
    rotation.add(secrets)
    return rotation


async def test_a_rotation_seals_everything_under_a_new_key(
    practice: Practice, secrets: Secrets, rotation: Rotation, open_practice: Open, tmp_path: Path
) -> None:
    note = await practice.people.seal("ann", "note", b"plain")
    old = practice.ring.newest
    done = await rotation.rotate()
    assert done["sealed"] == [
        {"what": "root key", "anew": 1},
        {"what": "people's keys", "anew": 1},
        {"what": "probe.secrets", "anew": 1},
    ]
    assert done["older"] == [{"key": old.id.hex(), "goes_after": rfc3339(NOW + 30 * DAY_MS)}]
    assert done["todo"] == []
    assert secrets.asked == ["reseal", "renew", "reseal"]
    # the old key can go: nothing needs it
    practice.ring.drop(NOW)
    assert practice.crypto.unseal("probe", secrets.sealed) == b"plain"
    assert await practice.people.unseal("ann", "note", note) == b"plain"
    await practice.people.close()
    again = await open_practice(tmp_path)
    assert again.crypto.derive("a") == practice.crypto.derive("a")
    assert await again.people.unseal("ann", "note", note) == b"plain"


async def test_what_cannot_be_sealed_anew_stops_it_before_anything_changes(
    practice: Practice, secrets: Secrets, rotation: Rotation
) -> None:
    secrets.is_failing = True
    with pytest.raises(WellioError, match="disk is full"):
        await rotation.rotate()
    assert len(practice.ring.keys) == 1
    assert secrets.asked == ["reseal"]


async def test_an_old_key_goes_after_thirty_days(
    practice: Practice, rotation: Rotation, db: Engine, clock: ManualClock, tmp_path: Path
) -> None:
    first = practice.ring.newest
    await rotation.rotate()
    clock.advance(30 * DAY_MS - 1)
    await tend(rotation, db, clock)
    assert [key.secret for key in practice.ring.keys][1:] == [first.secret]
    clock.advance(1)
    await tend(rotation, db, clock)
    assert practice.ring.keys == MasterRing.of_folder(tmp_path).keys == (practice.ring.newest,)
    assert first.secret.hex() not in (tmp_path / "secrets/master.key").read_text()


async def test_no_key_goes_while_something_may_need_it(
    practice: Practice, rotation: Rotation, secrets: Secrets, db: Engine, clock: ManualClock
) -> None:
    practice.ring.add(NOW)  # a rotation that was killed right after its first step
    clock.advance(60 * DAY_MS)
    secrets.is_failing = True
    with pytest.raises(WellioError, match="disk is full"):
        await tend(rotation, db, clock)
    assert len(practice.ring.keys) == 2
    assert practice.crypto.unseal("probe", secrets.sealed) == b"plain"
    secrets.is_failing = False
    await tend(rotation, db, clock)
    assert len(practice.ring.keys) == 1
    assert practice.crypto.unseal("probe", secrets.sealed) == b"plain"
    assert secrets.asked.count("renew") == 0


async def test_a_setting_is_changed_by_its_owner_as_they_are_told(
    db: Engine, clock: ManualClock, tmp_path: Path
) -> None:
    async def start(setting: str) -> tuple[Practice, Rotation]:
        ring = MasterRing.of_setting(setting)
        root = RootKey(db, ring)
        crypto = Crypto(ring, await root.load())
        people = PersonKeys(tmp_path, db, clock, ring, crypto)
        return Practice(ring, root, crypto, people), Rotation(ring, clock, root, people)

    practice, rotation = await start(KEY)
    sealed = await practice.people.seal("ann", "note", b"plain")
    derived = practice.crypto.derive("a")
    done = await rotation.rotate()
    assert done["master_key"] == "unchanged, for it is a setting"
    assert practice.ring.keys == MasterRing.of_setting(KEY).keys
    [told] = done["todo"]
    for place in ("secrets", "config.toml", "WELLIO_SECRETS__MASTER_KEY"):
        assert place in told
    assert KEY not in told  # what is there now is not shown
    new = re.search(r"put ([0-9a-f]{64}),<the present value>", told)
    assert new
    await practice.people.close()

    practice, rotation = await start(f"{new[1]},{KEY}")
    await tend(rotation, db, clock)
    await practice.people.close()

    practice, rotation = await start(new[1])
    assert await practice.people.unseal("ann", "note", sealed) == b"plain"
    assert practice.crypto.derive("a") == derived
    await practice.people.close()


async def test_a_start_with_another_master_key_says_what_is_wrong(
    practice: Practice, db: Engine, tmp_path: Path
) -> None:
    for ring, where in (
        (MasterRing.of_setting(KEY), "secrets.master_key"),
        (MasterRing.of_folder(tmp_path / "lost"), str(tmp_path / "lost/secrets/master.key")),
    ):
        with pytest.raises(ConfigError, match=f"{where}: expected the master key that this"):
            await RootKey(db, ring).load()


async def test_two_nodes_that_start_at_once_have_one_root_key(db: Engine) -> None:
    ring = MasterRing.of_setting(KEY)
    roots = await asyncio.gather(*(RootKey(db, ring).load() for _ in range(8)))
    assert len(set(roots)) == 1


class World:
    """A practice in which things happen in any order, and what ought to come out."""

    def __init__(self, db: Engine, folder: Path) -> None:
        self.db, self.folder = db, folder
        self.clock = ManualClock(NOW)
        self.notes: dict[str, list[bytes]] = {}
        self.erased: set[str] = set()
        self.derived: bytes | None = None

    async def open(self) -> None:
        ring = MasterRing.of_folder(self.folder)
        root = RootKey(self.db, ring)
        crypto = Crypto(ring, await root.load())
        self.people = PersonKeys(self.folder, self.db, self.clock, ring, crypto)
        self.rotation = Rotation(ring, self.clock, root, self.people)
        self.ring = ring
        self.derived = self.derived or crypto.derive("a")
        assert crypto.derive("a") == self.derived

    async def do(self, what: str, who: str) -> None:
        match what:
            case "seal" if who in self.erased:
                with pytest.raises(PersonErased):
                    await self.people.seal(who, "note", b"")
            case "seal":
                sealed = await self.people.seal(who, "note", who.encode())
                self.notes.setdefault(who, []).append(sealed)
            case "erase":
                await self.people.erase(who)
                self.erased.add(who)
            case "rotate":
                await self.rotation.rotate()
            case "begin to rotate":
                self.ring.add(self.clock.now_ms())
            case "tend":
                self.clock.advance(16 * DAY_MS)
                await tend(self.rotation, self.db, self.clock)
            case "restart":
                await self.people.close()
                await self.open()

    async def check(self) -> None:
        for who, notes in self.notes.items():
            for sealed in notes:
                if who in self.erased:
                    with pytest.raises(PersonErased):
                        await self.people.unseal(who, "note", sealed)
                else:
                    assert await self.people.unseal(who, "note", sealed) == who.encode()


ACTIONS = ("seal", "seal", "erase", "rotate", "begin to rotate", "tend", "restart")


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.sampled_from(ACTIONS), st.sampled_from("abc")), max_size=15))
async def test_in_any_order_each_note_opens_until_its_person_is_erased(
    db: Engine, tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str]]
) -> None:
    await db.write(_forget)
    world = World(db, tmp_path_factory.mktemp("world"))
    await world.open()
    try:
        for what, who in steps:
            await world.do(what, who)
        await world.check()
        await world.do("restart", "")
        await world.check()
    finally:
        await world.people.close()


async def _forget(tx: Any) -> None:
    await tx.execute("DELETE FROM wellio_root_key")


@pytest.fixture
async def held(wellio_app: StartApp) -> tuple[Wellio, Secrets]:
    class Holding:
        PLUGIN = Plugin(name="holding", version="1")

        @hookimpl
        def register_key_holders(self, app: Wellio) -> list[Secrets]:
            self.secrets = Secrets(app.crypto)
            return [self.secrets]

    plugin = Holding()
    app = await wellio_app(plugins=[plugin], settings={"secrets.master_key": None})
    return app.app, plugin.secrets


async def test_the_command_asks_what_the_hook_returned(
    wellio_app: StartApp, held: tuple[Wellio, Secrets]
) -> None:
    app, secrets = held
    done = await wellio_app.started[0].command("keys rotate")
    assert secrets.asked == ["reseal", "renew", "reseal"]
    assert {"what": "probe.secrets", "anew": 1} in done["sealed"]
    assert str(app.config.data_dir / "secrets/master.key") in done["master_key"]
