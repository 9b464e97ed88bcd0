"""What the words in patterns stand for: facts about people, numbers, the time of the year."""

from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Final

from wellio import DemoPerson

from .phrases import Words

_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_SEASONS: Final = ("winter", "spring", "summer", "autumn")
_THEME_WORDS: Final = {"loss": "grief", "career": "turning points", "food": "eating"}
_NOON: Final = 12


def numbers(chance: Random) -> Words:
    """Return words that are another number, day or time each time."""

    def clock(first: int, last: int) -> str:
        return f"{chance.randint(first, last)}:{chance.choice(('00', '15', '30', '45'))}"

    return {
        "n": lambda: chance.choice(("two", "three", "four", "five")),
        "km": lambda: str(chance.randint(3, 16)),
        "min": lambda: str(chance.choice((10, 15, 20, 25, 30, 40, 45))),
        "day": lambda: chance.choice(_DAYS),
        "day2": lambda: chance.choice(_DAYS),
        "time": lambda: clock(8, 12),
        "time2": lambda: clock(13, 17),  # always the later one
    }


def calendar(now: Callable[[], datetime]) -> Words:
    """Return words for the time at which something is written."""
    return {
        "month": lambda: _MONTHS[(now().month - 2) % 12],  # the last one
        "month2": lambda: _MONTHS[now().month % 12],  # the next one
        "season": lambda: _SEASONS[now().month % 12 // 3],
        "part": lambda: "morning" if now().hour < _NOON else "evening",
    }


def about(client: DemoPerson, chance: Random, now: Callable[[], datetime]) -> Words:
    """Return words for what there is to know of a client."""
    facts = client.facts
    article = "an" if facts["job"][0] in "aeio" else "a"
    known = {
        "client": client.first_name,
        "partner": facts["partner"],
        "child": facts["child"],
        "pet": facts["pet"],
        "job": facts["job"],
        "a_job": f"{article} {facts['job']}",
        "busy": facts["busy_with"],
        "place": facts["place"],
        "snag": facts["snag"],
        "treat": facts["treat"],
        "theme_word": _THEME_WORDS.get(facts["theme"], facts["theme"]),
        "childs_age": str(chance.randint(5, 16)),
    }
    return {
        **{word: _always(text) for word, text in known.items()},
        "age": lambda: str(now().year - facts["born"]),
    }


def first_name(key: str) -> str:
    """Return the first name of whoever has a key."""
    return key.partition("-")[0].capitalize()


def _always(text: str) -> Callable[[], str]:
    return lambda: text
