"""Plans what is said in groups: clients with the same aim, and the staff among themselves."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from wellio import Demo, DemoPerson

from . import rhythm, words
from .phrases import Phrases, Words, capital, texts
from .talks import Mark, Talk, Utterance

_THEMES: Final = ("running", "sleep")
_FEWEST: Final = 3
_STAFF_PER_WEEK: Final = 1.1
_PER_WEEK: Final = 0.9
_ABSENT: Final = {"gone", "alumni"}
_MINUTE_MS: Final = 60_000
_OF_STAFF: Final = {"place": "the pier", "treat": "biscuits", "snag": "", "partner": ""}


class Group:
    """One group, from its opening to the end."""

    def __init__(
        self,
        demo: Demo,
        name: str,
        leader: DemoPerson,
        members: list[tuple[datetime, DemoPerson]],
        said: set[str],
    ) -> None:
        """Say who is in it.

        Args:
            demo: The demo.
            name: Its table in `texts/groups.toml`.
            leader: Who opens it.
            members: The others, each with when they come; it is opened with the first of them.
            said: What anybody ever said.
        """
        self._demo, self._leader, self._members = demo, leader, members
        self._chance = demo.random("chat", "group", name)
        self._texts, self._end = texts("groups")[name], demo.local(demo.end_ms)
        self._now = members[0][0]
        everyone = [leader, *(person for _, person in members)]
        self._phrases = {it.key: Phrases(self._chance, self._words(it), said) for it in everyone}
        self._threads: list[list[str]] = []
        self.talk = Talk(f"group+{name}", self._now, leader, [], self._texts["title"])

    def write(self, per_week: float) -> Talk:
        """Return the conversation with everything in it."""
        opened_with = [person for at, person in self._members if at <= self._now]
        self.talk.others = opened_with
        self.talk.joins = [(at, it) for at, it in self._members if it not in opened_with]
        for _, person in self._members:
            if leaves_at := _leaving(person):
                self.talk.leaves.append((self._demo.local(leaves_at), person))
        at = self._now
        while True:
            at += timedelta(days=self._chance.gammavariate(3, 7 / per_week / 3))
            at = self._hours(self._leader).next(at, self._chance)
            if at >= self._end:
                return self.talk
            at = self._thread(at)

    def _thread(self, at: datetime) -> datetime:
        self._now = at
        present = [it for joined, it in self._members if joined < at and self._is_here(it, at)]
        if not present:
            return at
        is_staff = self._leader.role == "owner"
        starter = self._chance.choice([self._leader, *present]) if is_staff else self._leader
        self._threads = self._threads or self._chance.sample(
            self._texts["threads"], len(self._texts["threads"])
        )
        first, *answers = self._threads.pop()
        others = [it for it in [self._leader, *present] if it is not starter]
        self._chance.shuffle(others)
        last = self._say(starter, first, at)
        for person, answer in zip(others, answers, strict=False):
            if not self._phrases[person.key].knows(answer):
                continue
            at += rhythm.delay(self._chance, is_coach=True)
            at = self._hours(person).next(at, self._chance)
            self.talk.marks.append(Mark(at - timedelta(seconds=15), person, last))
            last = self._say(person, answer, at)
        for person in [starter, *others]:
            if person is not last.by and self._chance.random() < 0.8:
                seen = at + rhythm.delay(self._chance, is_coach=False)
                seen = self._hours(person).next(seen, self._chance)
                self.talk.marks.append(Mark(seen, person, last))
        return at + timedelta(days=1.5)

    def _say(self, person: DemoPerson, pattern: str, at: datetime) -> Utterance:
        phrases = self._phrases[person.key]
        said = Utterance(at, person, phrases.fresh(lambda: capital(phrases.fill(pattern))))
        self.talk.utterances.append(said)
        return said

    def _is_here(self, person: DemoPerson, at: datetime) -> bool:
        """Tell whether somebody takes part at that time; what they write may come days later."""
        leaves_at = _leaving(person)
        return leaves_at is None or at < self._demo.local(leaves_at) - timedelta(days=10)

    def _words(self, person: DemoPerson) -> Words:
        about: dict[str, Callable[[], str]] = {
            word: _always(text) for word, text in _OF_STAFF.items()
        }
        if person.role == "client":
            about |= words.about(person, self._chance, lambda: self._now)
        return {**words.numbers(self._chance), **words.calendar(lambda: self._now), **about}

    def _hours(self, person: DemoPerson) -> rhythm.Hours:
        return rhythm.hours_of(self._demo, person)


def groups(demo: Demo, said: set[str]) -> list[Talk]:
    """Return the groups of the practice, as far as it has people for them."""
    found = []
    [owner] = demo.having("owner")
    team = [(demo.local(it.joins_at) + timedelta(hours=14), it) for it in demo.having("coach")]
    if len(team) >= _FEWEST - 1:
        together = max(at for at, _ in team)
        members = [(together, it) for _, it in team]
        found.append(Group(demo, "staff", owner, members, said).write(_STAFF_PER_WEEK))
    for theme in _THEMES:
        for coach in demo.having("coach"):
            own = [it for it in demo.having("client") if _is_for(it, theme, coach)]
            members = _in_time(own, demo)
            if members and members[0][0] < demo.local(demo.end_ms):
                group = Group(demo, theme, coach, members, said)
                found.append(group.write(_PER_WEEK))
                break
    return found


def _in_time(clients: list[DemoPerson], demo: Demo) -> list[tuple[datetime, DemoPerson]]:
    """Return who comes when; nobody does before there are enough of them for a group."""
    asked = []
    for client in clients:
        chance = demo.random("chat", "joining", client.key)
        day = demo.local(client.joins_at) + timedelta(days=chance.randint(12, 40))
        asked.append((day.replace(hour=12, minute=chance.randrange(60)), client))
    asked.sort(key=lambda member: member[0])
    if len(asked) < _FEWEST:
        return []
    begins = asked[_FEWEST - 1][0]
    coming = [(max(at, begins), client) for at, client in asked]
    return [(at, it) for at, it in coming if (_leaving(it) or demo.end_ms) > at.timestamp() * 1000]


def _is_for(client: DemoPerson, theme: str, coach: DemoPerson) -> bool:
    facts = client.facts
    return facts["theme"] == theme and facts["coach"] == coach.key and "next_coach" not in facts


def _leaving(person: DemoPerson) -> int | None:
    """Return when somebody is taken out of a group, if they are: once they come no more."""
    if "leaves_at" in person.facts:
        return int(person.facts["leaves_at"]) - _MINUTE_MS
    phases = person.facts.get("phases") or [("", 0)]
    phase, since = phases[-1]
    return int(since) if phase in _ABSENT else None


def _always(text: str) -> Callable[[], str]:
    return lambda: text
