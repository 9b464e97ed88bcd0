"""Makes sentences of patterns: `(a|b)` is one of them, `{word}` is a fact or a number."""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final

_CHOICE: Final = re.compile(r"\(([^()|]*(?:\|[^()|]*)+)\)")
_SLOT: Final = re.compile(r"\{(\w+)\}")
_UP: Final = "_up"
_TRIES: Final = 6
_PATIENCE: Final = 2

Words = Mapping[str, Callable[[], str]]


@cache
def texts(name: str) -> dict[str, Any]:
    """Return one of the files of `texts/`."""
    path = Path(__file__).parent / "texts" / f"{name}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def capital(text: str) -> str:
    """Return a text with a capital at its beginning."""
    return text[:1].upper() + text[1:]


class Phrases:
    """Draws patterns without repeating one before all were used, and fills them in.

    A word that stands for "" is not known; patterns with such a word are left out.
    """

    def __init__(self, chance: Random, words: Words, said: set[str]) -> None:
        """Begin.

        Args:
            chance: Random numbers.
            words: What words stand for.
            said: What anybody ever said; it grows.
        """
        self._words = words
        self._chance = chance
        self._said = said
        self._bags: dict[str, list[str]] = {}

    def draw(self, pool: str, patterns: Sequence[str]) -> str:
        """Return one of a pool's patterns, filled in."""
        return self.fill(self._pattern(pool, patterns))

    def draw_settled(self, pool: str, patterns: Sequence[str], settled: Sequence[str]) -> str:
        """Return one of a pool's patterns in which some words mean the same throughout.

        So what one proposes and the other agrees to is one and the same time.
        """
        pattern = self._pattern(pool, patterns)
        for word in settled:
            pattern = pattern.replace(f"{{{word}}}", self._words[word]())
        return self.fill(pattern)

    def fill(self, pattern: str) -> str:
        """Return a pattern with its choices made and its words replaced."""
        while _CHOICE.search(pattern) or _SLOT.search(pattern):
            pattern = _CHOICE.sub(lambda m: self._chance.choice(m[1].split("|")), pattern)
            pattern = _SLOT.sub(lambda m: self._word(m[1]), pattern)
        return pattern

    def fresh(self, make: Callable[[], str], more: Callable[[], str] | None = None) -> str:
        """Return what `make` makes, and better something that nobody has said yet.

        Args:
            make: Makes a text, another one each time if it can.
            more: Makes a sentence to go on with where every text was said before.
        """
        text = make()
        for n in range(_TRIES):
            if text not in self._said:
                break
            text = f"{make()} {more()}" if more and n >= _PATIENCE else make()
        self._said.add(text)
        return text

    def knows(self, pattern: str) -> bool:
        """Tell whether every word of a pattern is known."""
        words = (word.removesuffix(_UP) for word in _SLOT.findall(pattern))
        return all(self._words[word]() for word in words)

    def _pattern(self, pool: str, patterns: Sequence[str]) -> str:
        bag = self._bags.get(pool)
        if not bag:
            bag = [pattern for pattern in patterns if self.knows(pattern)]
            self._chance.shuffle(bag)
            self._bags[pool] = bag
        return bag.pop()

    def _word(self, word: str) -> str:
        text = self._words[word.removesuffix(_UP)]()
        return capital(text) if word.endswith(_UP) else text
