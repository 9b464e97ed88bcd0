"""How clients fare: each story is a row of phases, which the other plugins' parts go by.

A client's `facts["phases"]` has them as `(phase, from_ms)`, the first from their joining.
"""

from collections.abc import Iterator
from itertools import chain, cycle
from typing import Final

from wellio import Demo, DemoPerson

_WEEK_MS: Final = 7 * 86_400_000
#: A life of so many days has phases of full length; in a shorter one they are shorter.
_FULL_DAYS: Final = 400

_BEGINNING: Final = (("onboarding", 3), ("wins", 7), ("plateau", 6))
_AGAIN: Final = (("setback", 3), ("recovery", 5), ("wins", 9), ("plateau", 7))
#: By story: its phases with their weeks; the last one lasts.
STORIES: Final = {
    "new": (("onboarding", 6), ("wins", 6)),
    "steady": _BEGINNING,  # and then again and again
    "graduates": (
        *_BEGINNING,
        *_AGAIN,
        ("setback", 2),
        ("recovery", 4),
        ("wins", 8),
        ("graduation", 3),
        ("alumni", 1),
    ),
    "drifts": (*_BEGINNING, *_AGAIN[:2], ("plateau", 7), ("drifting", 6), ("gone", 1)),
    "returns": (
        *_BEGINNING,
        ("setback", 3),
        ("drifting", 5),
        ("gone", 9),
        ("recovery", 6),
        *_AGAIN,
        *_AGAIN,
    ),
    "leaves": (*_BEGINNING, ("setback", 4), ("drifting", 6), ("gone", 1)),
}
#: What the record says in a phase.
LIFECYCLES: Final = {"drifting": "at_risk", "gone": "dormant", "alumni": "archived"}


def phases(demo: Demo, client: DemoPerson) -> list[tuple[str, int]]:
    """Return what a client goes through, as `(phase, from_ms)`."""
    chance = demo.random("practice", "phases", client.key)
    scale = min(1.0, demo.size.days / _FULL_DAYS)
    found, at = [], client.joins_at
    for phase, weeks in _row(client.facts["story"]):
        if at > demo.end_ms:
            break
        found.append((phase, at))
        at += int(weeks * chance.uniform(0.7, 1.4) * scale * _WEEK_MS)
    leaves_at = client.facts.get("leaves_at", demo.end_ms)
    return [(phase, at) for phase, at in found if at < leaves_at]


def _row(story: str) -> Iterator[tuple[str, int]]:
    """Return a story's phases; a steady client goes on and on."""
    return chain(STORIES[story], cycle(_AGAIN) if story == "steady" else ())
