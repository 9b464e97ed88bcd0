"""The demo's driver: what plugins plan happens in the order of time, at the time that it says."""

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from wellio import (
    Actor,
    Demo,
    DemoPart,
    DemoPerson,
    DemoSize,
    Plugin,
    Wellio,
    WellioError,
    hookimpl,
)
from wellio.config.settings import Config, load_config
from wellio.demo.clock import DemoClock
from wellio.demo.filling import fill
from wellio.demo.record import DemoPractice, read
from wellio.testing.apps import DEFAULTS, NO_FILE

HOUR = 3_600_000
DAY = 24 * HOUR
END = 1_790_000_000_000
SIZE = DemoSize(days=10)
START = END - 10 * DAY
NO_APP: Any = None  # planning times needs none


class Part:
    """Plans with a function, and writes down what happens at what time."""

    def __init__(
        self, app: Wellio, plan: Callable[["Part", Demo], None], found: str | None
    ) -> None:
        self.app, self._plan, self._found = app, plan, found
        self.seen: list[tuple[str, int]] = []

    async def obstacle(self) -> str | None:
        return self._found

    def plan(self, demo: Demo) -> None:
        self._plan(self, demo)

    async def see(self, name: str) -> None:
        """Look at the clock before and in a write, which has to show the same."""
        before = self.app.clock.now_ms()
        self.seen.append((name, before))
        assert await self.app.db.write(_time_in_write, self.app) == before
        assert self.app.clock.now_ms() == before


async def _time_in_write(tx: Any, app: Wellio) -> int:
    await tx.fetch_one("SELECT 1 AS one")
    return app.clock.now_ms()


class Stage:
    """Fills a practice that has nothing but one plugin's parts."""

    def __init__(self, folder: Path) -> None:
        self.parts: list[Part] = []
        self.config: Config = load_config(
            NO_FILE, env={}, overrides={**DEFAULTS, "data_dir": str(folder)}
        )

    async def fill(
        self, *plans: Callable[[Part, Demo], None], found: str | None = None
    ) -> DemoPractice:
        module = ModuleType("staged")

        @hookimpl
        def register_demo(app: Wellio) -> list[DemoPart]:
            self.parts = [Part(app, plan, found) for plan in plans]
            return list(self.parts)

        module.PLUGIN = Plugin("staged", "1.0", summary="Plans.")  # type: ignore[attr-defined]  # a module's
        module.register_demo = register_demo  # type: ignore[attr-defined]  # a module's
        return await fill(self.config, size=SIZE, end_ms=END, plugins=[module])


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path / "data")


async def test_parts_of_several_plugins_interleave(stage: Stage) -> None:
    def first(part: Part, demo: Demo) -> None:
        demo.at(START + 5 * HOUR, part.see, "later")
        demo.at(START + HOUR, part.see, "first")

    def second(part: Part, demo: Demo) -> None:
        demo.at(START + 3 * HOUR, stage.parts[0].see, "between")

    practice = await stage.fill(first, second)
    assert stage.parts[0].seen == [
        ("first", START + HOUR),
        ("between", START + 3 * HOUR),
        ("later", START + 5 * HOUR),
    ]
    assert practice.events == 3
    assert practice.ended_at == END


async def test_lanes_go_side_by_side_each_in_its_own_time(stage: Stage) -> None:
    def plan(part: Part, demo: Demo) -> None:
        for hour in range(1, 40):
            for lane in "ab":
                demo.at(START + hour * HOUR, part.see, f"{lane}{hour}", lane=lane)
        demo.at(START + 12 * HOUR + 1, part.see, "everybody waits")

    await stage.fill(plan)
    seen = stage.parts[0].seen
    assert len(seen) == 79
    for lane in "ab":
        own = [at for name, at in seen if name.startswith(lane)]
        assert own == [START + hour * HOUR for hour in range(1, 40)]
    alone = seen.index(("everybody waits", START + 12 * HOUR + 1))
    assert all(at <= START + 12 * HOUR for _, at in seen[:alone])
    assert all(at > START + 12 * HOUR for _, at in seen[alone + 1 :])


async def test_nothing_happens_before_the_start_or_after_the_end(stage: Stage) -> None:
    def plan(part: Part, demo: Demo) -> None:
        demo.at(END, part.see, "last")
        demo.at(END + 1, part.see, "too late")
        with pytest.raises(ValueError, match="before the demo's start"):
            demo.at(START - 1, part.see, "too early")

    await stage.fill(plan)
    assert stage.parts[0].seen == [("last", END)]


async def test_what_is_lived_is_not_planned_any_more(stage: Stage) -> None:
    def plan(part: Part, demo: Demo) -> None:
        async def plan_more() -> None:
            demo.at(END, part.see, "more")

        demo.at(START, plan_more)

    with pytest.raises(WellioError, match=r"plan_more failed at .*planned before it is lived"):
        await stage.fill(plan)
    with pytest.raises(WellioError, match="was not finished: delete "):
        read(stage.config)


@pytest.mark.parametrize("where", ["alone", "in lanes", "in the plan"])
async def test_a_part_that_fails_is_named_in_one_line(stage: Stage, where: str) -> None:
    async def stumble() -> None:
        raise KeyError("shoe")

    def plan(part: Part, demo: Demo) -> None:
        if where == "in the plan":
            raise KeyError("shoe")
        for lane in ("a", "b", "c"):
            demo.at(START + HOUR, stumble, lane=lane if where == "in lanes" else None)
        demo.at(END, part.see, "never")

    named = (
        r"Part\.plan failed in the plan" if where == "in the plan" else "stumble failed at 2026-09"
    )
    with pytest.raises(
        WellioError, match=rf"^the demo cannot be filled: \S*{named}.*: KeyError: 'shoe'$"
    ):
        await stage.fill(plan)
    assert stage.parts[0].seen == []
    with pytest.raises(WellioError, match="was not finished: delete"):
        read(stage.config)


async def test_random_numbers_depend_on_their_names_alone(stage: Stage) -> None:
    drawn: dict[str, float] = {}

    def plan(part: Part, demo: Demo) -> None:
        drawn["a"] = demo.random("talk", "ann").random()
        drawn["b"] = demo.random("talk", "bob").random()
        drawn["again"] = demo.random("talk", "ann").random()

    await stage.fill(plan)
    assert drawn["a"] == drawn["again"] != drawn["b"]
    other = Demo(stage.parts[0].app, DemoClock(START), SIZE, 2, END, "")
    assert other.random("talk", "ann").random() != drawn["a"]


async def test_a_living_practice_is_refused(stage: Stage) -> None:
    def plan(part: Part, demo: Demo) -> None:
        demo.at(END, part.see, "never")

    with pytest.raises(WellioError, match=r"needs an empty practice: .* has guests"):
        await stage.fill(plan, found="has guests")
    assert stage.parts[0].seen == []
    with pytest.raises(WellioError, match="was not finished"):
        read(stage.config)


async def test_a_demo_writes_into_its_own_folder_alone(stage: Stage, tmp_path: Path) -> None:
    real = tmp_path / "real"
    overrides = {
        "data_dir": tmp_path / "data",
        "audit.anchor_file": real / "anchors",
        "storage.folder": real / "files",
    }
    stage.config = load_config(NO_FILE, env={}, overrides={**DEFAULTS, **overrides})
    await stage.fill(lambda part, demo: demo.at(END, part.see, "last"))
    assert not real.exists()
    assert (stage.config.data_dir / "audit.anchors").exists()
    assert list((stage.config.data_dir / "secrets").glob("master*")), "a key of its own"


class Gardens:
    """The service of the plugin that the documentation invents."""

    def __init__(self, app: Wellio) -> None:
        self.app, self.seen = app, list[tuple[str, str, int]]()

    async def plant(self, actor: Actor, kind: str) -> None:
        self.seen.append((actor.user_id, kind, self.app.clock.now_ms()))

    async def water(self, actor: Actor) -> None:
        self.seen.append((actor.user_id, "water", self.app.clock.now_ms()))


async def test_the_part_in_the_documentation_works(stage: Stage) -> None:
    page = (Path(__file__).parents[3] / "docs" / "demo.md").read_text()
    [code] = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {"Gardens": Gardens}
    exec(code, names)  # noqa: S102 - our own page

    def people(part: Part, demo: Demo) -> None:
        for n, key in enumerate(("ann", "bob")):
            joined = START + n * 8 * DAY
            demo.people.append(DemoPerson(key, key, "", "client", joined, user_id=key))

    def garden(part: Part, demo: Demo) -> None:
        names["GardenDemo"](part.app).plan(demo)

    await stage.fill(people, garden)
    seen = stage.parts[0].app.service(Gardens).seen
    assert [(who, what == "water") for who, what, _ in seen] == [
        *(("ann", False), ("ann", True), ("bob", False))
    ]
    assert seen[1][2] == Demo(NO_APP, DemoClock(START), SIZE, 1, END, "").moment(7, 8.5)


@pytest.mark.parametrize(
    "day, hour, wall",
    [(0, 0, "2026-09-11T15:13"), (1, 9.5, "2026-09-12T09:30"), (3, 0, "2026-09-14T00:00")],
)
def test_moments_are_of_the_wall_clock(day: int, hour: float, wall: str) -> None:
    demo = Demo(NO_APP, DemoClock(START), SIZE, 1, END, "")
    at = demo.moment(day, hour)
    assert demo.local(at).isoformat().startswith(wall)


def test_wall_clock_time_survives_the_end_of_summer_time() -> None:
    end = 1_793_500_000_000  # 2026-11-01; summer time ended on 2026-10-25
    demo = Demo(NO_APP, DemoClock(end - 10 * DAY), SIZE, 1, end, "")
    hours = {demo.local(demo.moment(day, 9)).hour for day in range(1, 10)}
    assert hours == {9}


def test_the_clock_only_goes_forward() -> None:
    clock = DemoClock(START)
    assert clock.now_ms() == START
    with pytest.raises(ValueError, match="only goes forward"):
        clock.go(START - 1)
