"""The voices of a client and their coach: exchanges of a few lines each, as they would write them.

An exchange is a list of `(who, text)`, where who is "c" for the client and "k" for the coach.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from wellio import Demo, DemoPerson

from . import words
from .phrases import Phrases, Words, capital, texts

Exchange = list[tuple[str, str]]
_SETTLED: Final = ("day", "time", "time2", "n")
_ORDINALS: Final = ("second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
_ANYONE: Final = texts("anyone")
_ANY_COACH: Final = texts("coaches")["anyone"]
#: How it went, by phase: good, mixed, bad.
_MOODS: Final = {
    "onboarding": (4, 5, 2),
    "wins": (8, 3, 1),
    "plateau": (3, 7, 3),
    "setback": (1, 3, 8),
    "recovery": (5, 5, 2),
    "graduation": (9, 2, 0),
    "drifting": (1, 4, 5),
}


class Voices:
    """One client and whoever coaches them now.

    Attributes:
        now: The time of what is being written; the practice's wall clock.
        phase: The phase that the client is in.
        weeks: For how many weeks the client has been there.
    """

    def __init__(
        self, demo: Demo, client: DemoPerson, coach: DemoPerson, said: set[str], now: datetime
    ) -> None:
        self.now, self.phase, self.weeks = now, "onboarding", 0
        self._client, self._chance = client, demo.random("chat", "voices", client.key)
        self._theme = texts("themes")[client.facts["theme"]]
        self._lines = texts("clients")
        self._step = self._goal = ""
        self._answered: set[str] = set()
        self._phrases = Phrases(self._chance, self._words(), said)
        self._goal = self._phrases.fill(self._theme["goal"])
        self._next = self._phrases.fill(self._chance.choice(self._theme["steps"]))
        self.coached_by(coach)

    def coached_by(self, coach: DemoPerson) -> None:
        """Have another coach speak from now on."""
        self._coach = coach
        self._style = texts("coaches")[coach.facts["style"]]

    # -- exchanges

    def welcome(self) -> Exchange:
        """Return how it begins: who one is, and a first step."""
        exchange = [("k", self._coach_says("welcome"))]
        intro = self._sentences(("introduce", 1.0), ("family", 0.7), ("onboarding", 0.5))
        exchange.append(("c", intro))
        return [*exchange, *self._question(), ("k", self._propose(None)), *self._accept()]

    def check_in(self) -> Exchange:
        """Return how the coach asks after the last step, and what comes of it."""
        if not self._step:
            return self.report()
        mood = self._mood()
        asked = self._opened(lambda: self._say(self._style, "check"))
        exchange = [("k", asked), ("c", self._report(mood, is_asked=True))]
        if self._chance.random() < 0.35:
            exchange += [("k", self._reaction(mood)), *self._question()]
            exchange.append(("k", self._propose(None)))
        else:
            exchange.append(("k", self._propose(mood)))
        return [*exchange, *self._accept()]

    def report(self) -> Exchange:
        """Return what the client writes unasked, and the answer."""
        mood = self._mood()
        exchange = [("c", self._greeted(lambda: self._report(mood)))]
        if self._chance.random() < 0.55:
            exchange.append(("k", self._reaction(mood)))
            exchange += self._question()
        exchange.append(("k", self._reaction(mood, closes=True)))
        if self._chance.random() < 0.5:
            exchange.append(("c", self._reacts()))
        return exchange

    def sight(self) -> Exchange:
        """Return something small from the client's day."""
        shared = self._fresh("c", lambda: self._say(self._lines, "sight"))
        return [("c", shared), ("k", self._reaction("good"))]

    def barely(self) -> Exchange:
        """Return how a client answers who is slipping away."""
        asked = self._opened(lambda: self._say(self._style, "check" if self._step else "nudge"))
        answer = self._fresh("c", lambda: self._say(self._lines, "drifting"))
        return [("k", asked), ("c", answer), ("k", self._reaction("bad", closes=True))]

    def nudge(self) -> Exchange:
        """Return a line into the silence."""
        return [("k", self._coach_says("nudge"))]

    def back(self) -> Exchange:
        """Return how somebody comes back after a long silence."""
        first = self._fresh("c", lambda: self._say(self._lines, "back"))
        return [
            ("c", first),
            ("k", self._coach_says("back")),
            *self._question(),
            ("k", self._propose(None)),
            *self._accept(),
        ]

    def scripted(self, name: str) -> Exchange:
        """Return one of the short exchanges of `texts/scripts.toml`, such as `organising`."""
        found = texts("scripts")[name]
        scripts = ["\n".join(script["lines"]) for script in found]
        script = self._phrases.fresh(lambda: self._phrases.draw_settled(name, scripts, _SETTLED))
        return [self._scripted(line[0], line[2:]) for line in script.split("\n")]

    def season(self) -> str | None:
        """Return the scripts for the present time of the year, if there are any."""
        today = (self.now.month, self.now.day)
        if (12, 18) <= today <= (12, 26):
            return "christmas"
        if today >= (12, 30) or today <= (1, 8):
            return "newyear"
        return "summer" if self.now.month in {7, 8} else None

    # -- lines

    def _scripted(self, who: str, line: str) -> tuple[str, str]:
        return who, self._fresh(who, lambda: capital(line))

    def _coach_says(self, pool: str) -> str:
        return self._fresh("k", lambda: capital(self._say(self._style, pool)))

    def _opened(self, make: Callable[[], str]) -> str:
        """Return what the coach begins with."""

        def said() -> str:
            hello = self._say(self._style, "hello") if self._chance.random() < 0.7 else ""
            body = make()
            return f"{hello} {body if hello.endswith((',', ':', '-')) else capital(body)}".strip()

        return self._fresh("k", lambda: capital(said()))

    def _greeted(self, make: Callable[[], str]) -> str:
        if self._chance.random() < 0.5:
            return make()
        return f"{self._say(self._lines, 'hello')} {make()}"

    def _report(self, mood: str, *, is_asked: bool = False) -> str:
        """Return how it went; who is asked about a step mostly speaks of that."""
        on_theme = 0.25 if is_asked else 0.75

        def said() -> str:
            is_on_theme = self._chance.random() < on_theme or not self._step
            pools = self._theme if is_on_theme else _ANYONE
            parts = [self._say(pools, mood)]
            if self._chance.random() < 0.3:
                parts.append(self._say(self._lines, "life"))
            if self._chance.random() < 0.45 and self.phase in self._lines:
                parts.append(self._say(self._lines, self.phase))
            return " ".join(parts)

        return self._fresh("c", said)

    def _reaction(self, mood: str, *, closes: bool = False) -> str:
        def said() -> str:
            parts = [self._say(self._style, mood)]
            if closes or self._chance.random() < 0.25:
                parts.append(self._say(self._style, "close"))
            return " ".join(parts)

        return self._fresh("k", said)

    def _propose(self, mood: str | None) -> str:
        """Return what comes next, after a reaction to how it went."""
        self._next = self._phrases.draw("steps", self._theme["steps"])

        def said() -> str:
            parts = [self._say(self._style, mood)] if mood else []
            if self._chance.random() < 0.3:
                parts.append(self._phrases.draw("tips", self._theme["tips"]))
            parts.append(self._say(self._style, "propose"))
            return " ".join(parts)

        return self._fresh("k", said)

    def _accept(self) -> Exchange:
        yes = self._fresh("c", lambda: self._say(self._lines, "accept"))
        self._step = self._next
        if self._chance.random() < 0.3:
            return [("c", yes), ("k", self._fresh("k", lambda: self._say(self._style, "close")))]
        return [("c", yes)]

    def _question(self) -> Exchange:
        """Return a question of the coach's with an answer that fits."""
        rows = [self._with_answers(row) for row in self._theme["questions"] + _ANYONE["questions"]]
        question, *answers = self._phrases.draw("questions", [it for it in rows if it]).split("\n")
        answer = self._chance.choice(answers)

        def said() -> str:
            more = self._chance.random() < 0.25 or answer in self._answered
            return f"{answer} {self._say(self._lines, 'life')}" if more else answer

        asked = self._fresh("k", lambda: self._asked(question))
        told = self._fresh("c", said)
        self._answered.add(answer)
        return [("k", asked), ("c", told)]

    def _with_answers(self, row: list[str]) -> str:
        """Return a question and what this client could answer; "" if that is nothing."""
        question, *answers = row
        known = [answer for answer in answers if self._phrases.knows(answer)]
        return "\n".join((question, *known)) if known else ""

    def _asked(self, question: str) -> str:
        if self._chance.random() < 0.4:
            return question
        lead = self._say(self._style, "asking")
        goes_on = lead.endswith((":", ",")) and not question.startswith("I ")
        return f"{lead} {question[0].lower()}{question[1:]}" if goes_on else f"{lead} {question}"

    def _reacts(self) -> str:
        if self._chance.random() < 0.45:
            return str(self._chance.choice(self._lines["short"]))
        return self._fresh("c", lambda: self._say(self._lines, "react"))

    def _fresh(self, who: str, make: Callable[[], str]) -> str:
        """Return something new; where that is hard, who says it goes on for a sentence."""
        pools, name = (_ANY_COACH, "aside") if who == "k" else (self._lines, "life")
        return self._phrases.fresh(make, lambda: self._say(pools, name))

    def _say(self, pools: dict[str, list[str]], name: str) -> str:
        owner = {id(self._style): self._coach.key, id(_ANYONE): "anyone"}.get(id(pools), "client")
        pool = f"{name} of {owner}"
        text = self._phrases.draw(pool, pools[name])
        return text if name == "check" else capital(text)  # that one follows a greeting

    def _sentences(self, *pools: tuple[str, float]) -> str:
        said = [self._say(self._lines, name) for name, p in pools if self._chance.random() < p]
        return " ".join(said)

    def _mood(self) -> str:
        weights = _MOODS.get(self.phase, _MOODS["plateau"])
        return self._chance.choices(("good", "mixed", "bad"), weights)[0]

    # -- words

    def _words(self) -> Words:
        """Return what the words of the patterns stand for."""
        facts = self._client.facts
        return {
            **words.numbers(self._chance),
            **words.calendar(lambda: self.now),
            **words.about(self._client, self._chance, lambda: self.now),
            "other": lambda: words.first_name(facts.get("next_coach", "")),
            "coach": lambda: self._coach.first_name,
            "step": lambda: self._step,
            "next": lambda: self._next,
            "tip": lambda: self._phrases.draw("tips", self._theme["tips"]),
            "goal": lambda: self._goal,
            "nth": lambda: _ORDINALS[min(self.weeks, len(_ORDINALS) - 1)],
            "weeks": lambda: str(max(self.weeks, 2)),
        }
