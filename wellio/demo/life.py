"""Plans what happens in a demo practice, and has it happen in the order of time."""

import asyncio
import operator
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from wellio.access.actor import Actor
from wellio.clock import rfc3339
from wellio.errors import WellioError

from .clock import DemoClock
from .people import DemoPerson

if TYPE_CHECKING:
    from wellio.boot.app import Wellio

DAY_MS: Final = 86_400_000
#: Where the demo's people live.
ZONE: Final = ZoneInfo("Europe/Dublin")


@dataclass(frozen=True, slots=True)
class DemoSize:
    """How much life there is.

    Attributes:
        coaches: How many coaches there are beside the owner.
        clients: How many clients have accounts.
        days: How long ago it began.
    """

    coaches: int = 4
    clients: int = 40
    days: int = 730


@dataclass(frozen=True, slots=True)
class _Deed:
    at_ms: int
    lane: str | None
    act: Callable[..., Awaitable[object]]
    args: tuple[Any, ...]


class DemoFailed(WellioError):
    """What a plugin's part plans or does raised; the message names it."""

    def __init__(self, act: Callable[..., object], error: Exception, at_ms: int | None) -> None:
        name = getattr(act, "__qualname__", type(act).__name__)
        when = "in the plan" if at_ms is None else f"at {rfc3339(at_ms)}"
        super().__init__(
            f"the demo cannot be filled: {name} failed {when}: {type(error).__name__}: {error}"
        )


class Demo:
    """A demo in the making; the parts of all plugins share it.

    Attributes:
        app: The app that it fills; its clock shows the time of the demo.
        size: How much there shall be.
        start_ms: When it begins, in milliseconds UTC.
        end_ms: When it ends; nothing happens later.
        password: With which everybody signs in.
        people: Who there is; the plugin that keeps accounts says so first.
    """

    def __init__(
        self, app: "Wellio", clock: DemoClock, size: DemoSize, seed: int, end_ms: int, password: str
    ) -> None:
        self.app, self.size = app, size
        self.end_ms = end_ms
        self.start_ms = end_ms - size.days * DAY_MS
        self.password = password
        self.people: list[DemoPerson] = []
        self._clock, self._seed = clock, seed
        self._planned: list[_Deed] = []
        self._is_planning = True

    def random(self, *names: str) -> random.Random:
        """Return random numbers that depend on the seed and these names alone.

        With one for each person or pair, a change to one of them leaves the others as they were.
        """
        return random.Random("/".join((str(self._seed), *names)))  # noqa: S311 - no secret is made of it

    def moment(self, day: int, hour: float) -> int:
        """Return an instant by the practice's wall clock.

        Args:
            day: Days since the day of the start; on day 0 it is never before the start.
            hour: The local time, such as 9.5.

        Returns:
            Milliseconds UTC.
        """
        first = self.local(self.start_ms).date()
        midnight = datetime.combine(first + timedelta(days=day), time(), ZONE)
        # Wall-clock arithmetic: an hour of the day, whatever became of summer time that night.
        at = midnight + timedelta(hours=hour)
        return max(int(at.timestamp() * 1000), self.start_ms)

    def local(self, at_ms: int) -> datetime:
        """Return an instant as the practice's wall clock shows it."""
        return datetime.fromtimestamp(at_ms / 1000, ZONE)

    def actor(self, person: DemoPerson) -> Actor:
        """Return a person as services see them; they need their account first."""
        if not person.user_id:
            raise RuntimeError(f"{person.key} has no account yet")
        return Actor(
            person.user_id, person.role, None, self.app.policies.permissions_of(person.role)
        )

    def having(self, *roles: str) -> list[DemoPerson]:
        """Return the people who have one of these roles."""
        return [person for person in self.people if person.role in roles]

    def at(
        self,
        at_ms: int,
        act: Callable[..., Awaitable[object]],
        *args: Any,
        lane: str | None = None,
    ) -> None:
        """Plan that something happens, unless it would be after the end.

        Args:
            at_ms: When.
            act: Does it. What is random is decided before, or it would differ each time.
            args: What it is called with.
            lane: What it belongs to, such as a conversation. On one day, the acts of a lane happen
                one after the other, beside those of other lanes. Without a lane, everything before
                is done first, and everything after waits.

        Raises:
            RuntimeError: The life has begun already.
            ValueError: It is before the start.
        """
        if not self._is_planning:
            raise RuntimeError("a demo is planned before it is lived")
        if at_ms < self.start_ms:
            raise ValueError("nothing happens before the demo's start")
        if at_ms <= self.end_ms:
            self._planned.append(_Deed(at_ms, lane, act, args))

    async def live(self) -> int:
        """Have everything happen; return how many things did."""
        self._is_planning = False
        deeds = sorted(self._planned, key=operator.attrgetter("at_ms"))
        for is_alone, some in groupby(deeds, key=lambda deed: _stretch(deed, self.start_ms)):
            if is_alone is None:
                await self._one_by_one(list(some))
            else:
                await self._side_by_side(list(some))
        self._clock.go(self.end_ms)
        return len(deeds)

    async def _one_by_one(self, deeds: Sequence[_Deed]) -> None:
        for deed in deeds:
            self._clock.go(deed.at_ms)
            try:
                await deed.act(*deed.args)
            except Exception as error:
                raise DemoFailed(deed.act, error, deed.at_ms) from error

    async def _side_by_side(self, deeds: Sequence[_Deed]) -> None:
        lanes: dict[str | None, list[_Deed]] = defaultdict(list)
        for deed in deeds:
            lanes[deed.lane].append(deed)
        failed: Exception | None = None
        try:
            async with asyncio.TaskGroup() as tasks:  # each task has a copy of the clock's hands
                for lane in lanes.values():
                    tasks.create_task(self._one_by_one(lane))
        except ExceptionGroup as group:
            failed = group.exceptions[0]  # the others were cancelled, or failed just as well
        if failed is not None:
            raise failed


def _stretch(deed: _Deed, start_ms: int) -> int | None:
    """Return the day of what has a lane; None for what has none."""
    return None if deed.lane is None else (deed.at_ms - start_ms) // DAY_MS
