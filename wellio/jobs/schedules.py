"""What runs by the clock: cron expressions in a time zone, each firing exactly once.

The next instant of a schedule is a row. Firing moves it on by compare-and-set in the transaction
that enqueues the job, so a restart forgets nothing and several processes do not run it twice. What
was missed while the server was down runs once at the start.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from wellio.db.base import Tx
from wellio.errors import PluginError

if TYPE_CHECKING:
    from .jobs import JobRun

_STORE = """
INSERT INTO wellio_schedule (name, cron, time_zone, next_at)
VALUES (:name, :cron, :time_zone, :next_at)
ON CONFLICT (name) DO UPDATE
SET cron = excluded.cron, time_zone = excluded.time_zone, next_at = excluded.next_at
WHERE wellio_schedule.cron <> excluded.cron OR wellio_schedule.time_zone <> excluded.time_zone
    OR wellio_schedule.next_at > excluded.next_at
"""
_MOVE = """
UPDATE wellio_schedule SET next_at = :next_at WHERE name = :name AND next_at = :due_at
"""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Work that is done by the clock.

    Attributes:
        name: `<plugin>.<what>`, unique.
        cron: Five fields (minute, hour, day, month, weekday); six begin with the second.
        run: Does it, as a job with the schedule's name.
        time_zone: The IANA zone whose wall clock counts. A time that a change to summer time
            leaves out runs when the gap ends; one that comes twice runs the first time.
    """

    name: str
    cron: str
    run: "Callable[[JobRun], Awaitable[None]]"
    time_zone: str = "UTC"

    def __post_init__(self) -> None:
        """Refuse an expression or a zone that does not exist.

        Raises:
            PluginError: It names the schedule.
        """
        try:
            self.next_after(0)
        except (CronSimError, ValueError, KeyError, OSError) as error:
            raise PluginError(
                f"schedule {self.name}: {self.cron!r} in {self.time_zone!r} never runs"
            ) from error

    def next_after(self, at: int) -> int:
        """Return the first instant later than another one; both in milliseconds UTC.

        Raises:
            ValueError: There is none in the next 50 years.
        """
        zone = UTC if self.time_zone == "UTC" else ZoneInfo(self.time_zone)
        for moment in CronSim(self.cron, datetime.fromtimestamp(at / 1000, zone)):
            # Within a repeated hour, cronsim may answer with the first, which is over.
            if (instant := int(moment.timestamp()) * 1000) > at:
                return instant
        raise ValueError("no such time")


async def store(tx: Tx, schedules: Iterable[Schedule], now: int) -> None:
    """Write down when new and changed schedules run next; the others keep what they have.

    One that is farther ahead than its cron allows was planned by a clock that was wrong, and is
    planned anew: it would not run for as long as that clock was ahead.
    """
    for schedule in schedules:
        await tx.execute(
            _STORE,
            name=schedule.name,
            cron=schedule.cron,
            time_zone=schedule.time_zone,
            next_at=schedule.next_after(now),
        )


async def take_due(tx: Tx, schedules: Mapping[str, Schedule], now: int) -> list[tuple[str, int]]:
    """Move the schedules that are due on; return name and instant of those that were ours."""
    rows = await tx.fetch_all(
        "SELECT name, next_at FROM wellio_schedule WHERE next_at <= :now AND name {in names}",
        now=now,
        names=list(schedules),
    )
    return [
        (row["name"], row["next_at"])
        for row in rows
        if await tx.execute(
            _MOVE,
            name=row["name"],
            due_at=row["next_at"],
            next_at=schedules[row["name"]].next_after(now),
        )
    ]
