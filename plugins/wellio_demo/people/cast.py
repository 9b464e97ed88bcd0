"""Reads who is in the demo practice, and decides when they come and go."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Final

from wellio import Demo, DemoPerson

_MINUTE_MS: Final = 60_000
#: The last clients come when so much of the time has passed.
_LAST_JOIN: Final = 0.93
#: "new" ones came within the last days, and who "leaves" does so after this part of their time.
_NEW_DAYS: Final = 24
_LEAVES_AFTER: Final = 0.55


@cache
def _read() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("cast.toml").read_text(encoding="utf-8"))


def staff(demo: Demo) -> list[DemoPerson]:
    """Return owner, coaches and assistant: they are there in the first days."""
    coaches = 0
    people = []
    for n, row in enumerate(_read()["staff"]):
        coaches += row["role"] == "coach"
        if row["role"] == "coach" and coaches > demo.size.coaches:
            continue
        joins_at = demo.start_ms + n * 23 * _MINUTE_MS
        email = f"{row['name'].split()[0].lower()}@practice.example"
        facts = {key: row[key] for key in ("style", "themes") if key in row}
        people.append(_person(row["name"], email, row["role"], joins_at, facts))
    return people


def clients(demo: Demo, coaches: list[DemoPerson]) -> list[DemoPerson]:
    """Return the clients, each with the key of their coach in `facts["coach"]`."""
    table = _read()["clients"]
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
    chosen = rows[: demo.size.clients]
    people = []
    for n, facts in enumerate(chosen):
        joins_at = _joining(demo, facts["story"], n / len(chosen))
        name = facts.pop("name")
        if facts["story"] == "leaves":
            facts["leaves_at"] = joins_at + int((demo.end_ms - joins_at) * _LEAVES_AFTER)
        facts["coach"] = _coach_for(facts["theme"], n, coaches).key
        email = f"{name.lower().replace(' ', '.')}@clients.example"
        people.append(_person(name, email, "client", joins_at, facts))
    return people


def invited() -> list[str]:
    """Return the addresses of those who have not answered yet."""
    emails: list[str] = _read()["invited"]["emails"]
    return emails


def _joining(demo: Demo, story: str, share: float) -> int:
    chance = demo.random("auth", "joining", f"{share:.3f}")
    day = 1 + int(demo.size.days * _LAST_JOIN * share**1.2)
    if story == "new":
        day = demo.size.days - min(_NEW_DAYS, demo.size.days // 2) + chance.randrange(6)
    return demo.moment(day, 8.5 + 9 * chance.random())


def _coach_for(theme: str, number: int, coaches: list[DemoPerson]) -> DemoPerson:
    """Return who is good at a theme; without such a coach, each in turn."""
    fitting = [coach for coach in coaches if theme in coach.facts.get("themes", ())]
    return (fitting or coaches)[number % len(fitting or coaches)]


def _person(name: str, email: str, role: str, joins_at: int, facts: dict[str, Any]) -> DemoPerson:
    key = name.lower().replace(" ", "-")
    return DemoPerson(key, name, email, role, joins_at, facts)
