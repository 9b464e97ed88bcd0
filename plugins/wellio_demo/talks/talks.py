"""Plans what a client and their coach write to each other, from the first day to the last."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Final

from wellio import Demo, DemoPerson

from . import rhythm
from .voices import Exchange, Voices

_EDITED, _DELETED, _QUOTED = 0.015, 0.004, 0.05
_ASTRAY: Final = "Sorry, that was meant for somebody else."
_QUIET: Final = timedelta(hours=3)
_LAST_EVENING_H: Final = 11
_WRITES_LAST: Final = 0.5
_HANDOVER_NOTICE: Final = timedelta(days=8)
_MIN_TYPO: Final = 5


@dataclass(slots=True, eq=False)
class Utterance:
    """A message, and what becomes of it.

    Attributes:
        at: When it is sent.
        by: Who sends it.
        text: What it says in the end.
        typed: What it says at first, if that is corrected a moment later.
        is_astray: Whether it is deleted a moment later.
        quotes: The message that it replies to.
        id: Its id, once it was sent.
    """

    at: datetime
    by: DemoPerson
    text: str
    typed: str | None = None
    is_astray: bool = False
    quotes: "Utterance | None" = None
    id: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """Somebody received, or read, all messages up to one."""

    at: datetime
    by: DemoPerson
    upto: Utterance
    is_read: bool = True


@dataclass(slots=True, eq=False)
class Talk:
    """A conversation and all that happens in it.

    Attributes:
        key: What it is called in the plan.
        at: When it is opened.
        opener: Who opens it.
        others: With whom.
        title: Of a group.
        utterances: Its messages in order.
        marks: Who read what when.
        joins: Who comes into a group later, and when.
        leaves: Who leaves it, and when.
        id: The conversation's id, once it was opened.
    """

    key: str
    at: datetime
    opener: DemoPerson
    others: list[DemoPerson]
    title: str | None = None
    utterances: list[Utterance] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    joins: list[tuple[datetime, DemoPerson]] = field(default_factory=list)
    leaves: list[tuple[datetime, DemoPerson]] = field(default_factory=list)
    id: str = ""


class Diary:
    """One client's talks; there are two of them after a hand-over."""

    def __init__(
        self,
        demo: Demo,
        client: DemoPerson,
        people: dict[str, DemoPerson],
        said: set[str],
    ) -> None:
        self._demo, self._client, self._people = demo, client, people
        self._chance = demo.random("chat", "diary", client.key)
        self._pace = self._chance.uniform(0.75, 1.35)
        self._end = demo.local(min(demo.end_ms, client.facts.get("leaves_at", demo.end_ms)))
        self._phases = [(phase, demo.local(at)) for phase, at in client.facts["phases"]]
        handover_at = client.facts.get("handover_at")
        self._handover = demo.local(handover_at) if handover_at else None
        self._greeted: set[tuple[str, int]] = set()
        self._coach = people[client.facts["coach"]]
        begin = demo.local(client.joins_at) + timedelta(minutes=self._chance.uniform(25, 90))
        self._voices = Voices(demo, client, self._coach, said, begin)
        self._begin = self._hours(self._coach).next(begin, self._chance)
        self._talk = Talk(f"{self._coach.key}+{client.key}", self._begin, self._coach, [client])

    def write(self) -> list[Talk]:
        """Return the talks."""
        talks = [self._talk]
        at, before = self._hold(self._voices.welcome(), self._begin), "onboarding"
        while at < self._end:
            if self._handover and at > self._handover - _HANDOVER_NOTICE:
                at = self._change_coach(at)
                talks.append(self._talk)
                continue
            phase, ends = self._phase(at)
            if phase == "gone":
                at, before = self._silence(at, ends), phase
                continue
            at += rhythm.gaps(phase, self._pace, self._chance)
            if phase == "drifting" and at >= ends:
                at, before = ends, phase
                continue
            if at < self._end:
                self._voices.phase, self._voices.now = phase, at
                self._voices.weeks = (at - self._begin).days // 7
                at = self._hold(self._exchange(phase, before), at)
            before = phase
        self._write_last()
        return talks

    def _exchange(self, phase: str, before: str) -> Exchange:
        voices, chance = self._voices, self._chance
        if before == "gone":
            return voices.back()
        if phase == "graduation" and before != phase:
            return voices.scripted("graduating")
        if phase == "alumni":
            return voices.scripted("alumni" if before == phase else "three_months")
        if phase == "drifting":
            return voices.barely()
        season = voices.season()
        if season and (season, voices.now.year) not in self._greeted and chance.random() < 0.5:
            self._greeted.add((season, voices.now.year))
            return voices.scripted(season)
        kinds = (voices.check_in, voices.report, voices.sight, None)
        kind = chance.choices(kinds, (50, 27, 12, 11))[0]
        return kind() if kind else voices.scripted("organising")

    def _hold(self, exchange: Exchange, at: datetime, *, is_read: bool = True) -> datetime:
        """Write an exchange down; return when there may be another one."""
        last: Utterance | None = None
        for who, text in exchange:
            by = self._coach if who == "k" else self._client
            at = self._hours(by).next(at, self._chance)
            if at >= self._end:  # they may have no account any more
                return at
            if last is not None and last.by is not by:
                seen = min(at - timedelta(seconds=20), last.at + timedelta(minutes=240))
                self._talk.marks.append(Mark(max(seen, last.at), by, last))
            last = self._say(by, text, at, last)
            answers = rhythm.delay(self._chance, is_coach=who == "c")
            at += answers if exchange[-1] != (who, text) else timedelta(minutes=5)
        if last is None or not is_read:
            return at + _QUIET
        reader = self._client if last.by is self._coach else self._coach
        seen = last.at + rhythm.delay(self._chance, is_coach=reader is self._coach)
        seen = self._hours(reader).next(seen, self._chance)
        if seen < self._end:
            self._talk.marks.append(Mark(seen, reader, last))
        return max(at + _QUIET, seen + timedelta(minutes=2))

    def _say(self, by: DemoPerson, text: str, at: datetime, last: Utterance | None) -> Utterance:
        said = Utterance(at, by, text)
        luck = self._chance.random()
        if luck < _EDITED:
            said.typed = _mistyped(text, self._chance)
        elif luck < _EDITED + _DELETED and self._talk.utterances:  # the talk is open by then
            astray = Utterance(at - timedelta(seconds=9), by, _ASTRAY, is_astray=True)
            self._talk.utterances.append(astray)
        if last is not None and last.by is not by and self._chance.random() < _QUOTED:
            said.quotes = last
        self._talk.utterances.append(said)
        return said

    def _silence(self, at: datetime, ends: datetime) -> datetime:
        """Have the coach write into a silence, which the client receives and does not read."""
        for nudged_at in rhythm.nudges(at):
            hour = timedelta(hours=self._chance.uniform(8.5, 16))
            day = nudged_at.replace(hour=0, minute=0)
            at = self._hours(self._coach).next(day + hour, self._chance)
            if at >= min(ends, self._end):
                break
            self._voices.now = at
            self._hold(self._voices.nudge(), at, is_read=False)
            arrived = at + timedelta(minutes=self._chance.uniform(1, 50))
            upto = self._talk.utterances[-1]
            self._talk.marks.append(Mark(arrived, self._client, upto, is_read=False))
        return ends

    def _change_coach(self, at: datetime) -> datetime:
        handover = self._handover or at
        self._handover, self._voices.now = None, at
        at = self._hold(self._voices.scripted("handing_over"), at)
        self._coach = self._people[self._client.facts["next_coach"]]
        self._voices.coached_by(self._coach)
        begin = max(at, handover + timedelta(hours=20))
        begin = self._hours(self._coach).next(begin, self._chance)
        key = f"{self._coach.key}+{self._client.key}"
        self._talk = Talk(key, begin, self._coach, [self._client])
        return self._hold(self._voices.scripted("taking_over"), begin)

    def _write_last(self) -> None:
        """Leave something for the coach to read today."""
        phase, _ = self._phase(self._end)
        at = self._end - timedelta(hours=self._chance.uniform(0.3, _LAST_EVENING_H))
        at = self._hours(self._client).next(at, self._chance)
        written = self._talk.utterances
        is_due = written and written[-1].at < at - _QUIET and self._chance.random() < _WRITES_LAST
        if is_due and phase not in {"gone", "alumni", "drifting"} and at < self._end:
            self._voices.phase, self._voices.now = phase, at
            self._hold(self._voices.report()[:1], at, is_read=False)

    def _phase(self, at: datetime) -> tuple[str, datetime]:
        """Return the phase at an instant, and when it ends."""
        ends = self._end
        for phase, begins in reversed(self._phases):
            if begins <= at:
                return phase, ends
            ends = begins
        return self._phases[0][0], ends

    def _hours(self, person: DemoPerson) -> rhythm.Hours:
        return rhythm.hours_of(self._demo, person)


def _mistyped(text: str, chance: Random) -> str:
    """Return a text with two letters of a word the wrong way round."""
    words = text.split(" ")
    long = [n for n, word in enumerate(words) if len(word) >= _MIN_TYPO and word.isalpha()]
    if not long:
        return text + text[-1]
    n = chance.choice(long)
    word = words[n]
    words[n] = f"{word[0]}{word[2]}{word[1]}{word[3:]}"
    return " ".join(words)
