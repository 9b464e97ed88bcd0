"""When people write and answer: nobody does at night, but for a few owls."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Final

from wellio import Demo, DemoPerson

#: How often a week there is an exchange, by phase.
_PER_WEEK: Final = {
    "onboarding": 3.6,
    "wins": 2.9,
    "plateau": 2.2,
    "setback": 2.4,
    "recovery": 3.0,
    "graduation": 1.8,
    "drifting": 0.7,
    "alumni": 0.07,
}
_NUDGED_AFTER_DAYS: Final = (9, 16, 30)
_OWLS: Final = 0.12
_WEEKEND: Final = 5


class Hours:
    """When somebody writes, by the wall clock.

    Attributes:
        first: From when on, in hours.
        last: Until when; an owl's day ends after midnight.
        works_on: How many days of the week, from Monday on.
    """

    def __init__(self, first: float, last: float, works_on: int = 7) -> None:
        self.first, self.last, self.works_on = first, last, works_on

    def next(self, at: datetime, chance: Random) -> datetime:
        """Return an instant at or after another one at which they are there."""
        while True:
            begins = at.replace(hour=0, minute=0) + timedelta(hours=self.first)
            if at.hour + at.minute / 60 < self.last - 24:  # an owl, up since yesterday
                return at
            if at < begins:
                at = begins + timedelta(minutes=chance.uniform(1, 55))
            day_ends = at.replace(hour=0, minute=0) + timedelta(hours=self.last)
            if at.weekday() < self.works_on and at <= day_ends:
                return at
            at = at.replace(hour=0, minute=0, second=0) + timedelta(days=1)


def is_owl(demo: Demo, client: DemoPerson) -> bool:
    """Tell whether somebody writes after midnight, too."""
    return demo.random("chat", "owl", client.key).random() < _OWLS


def hours_of(demo: Demo, person: DemoPerson) -> Hours:
    """Return when somebody writes."""
    chance = demo.random("chat", "hours", person.key)
    if person.role != "client":
        return Hours(7.5 + chance.random(), 18 + chance.random(), _WEEKEND)
    if is_owl(demo, person):
        return Hours(9.5, 25.5)
    return Hours(6.3 + 1.5 * chance.random(), 20.7 + 1.5 * chance.random())


def delay(chance: Random, *, is_coach: bool) -> timedelta:
    """Return how long somebody takes for an answer."""
    if not is_coach and chance.random() < 0.12:
        return timedelta(hours=chance.uniform(9, 30))
    return timedelta(minutes=2 + chance.lognormvariate(3.2 if is_coach else 3.6, 1.2))


def gaps(phase: str, pace: float, chance: Random) -> timedelta:
    """Return how long it is quiet between two exchanges of a phase."""
    mean_days = 7 / (_PER_WEEK[phase] * pace)
    return timedelta(days=max(0.3, chance.gammavariate(2.2, mean_days / 2.2)))


def nudges(since: datetime) -> Iterator[datetime]:
    """Yield when a coach writes into a silence, until they let it be."""
    at = since
    for days in _NUDGED_AFTER_DAYS:
        at += timedelta(days=days)
        yield at
