"""What the demo's people write: plenty, varied, filled in, and by day."""

import asyncio
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from wellio_demo.talks.part import TalksDemo
from wellio_demo.talks.phrases import Phrases, texts
from wellio_demo.talks.rhythm import is_owl
from wellio_demo.talks.talks import Talk, Utterance

from wellio import WELLIO, Demo, DemoSize, create_app
from wellio.config.settings import load_config
from wellio.demo.clock import DemoClock
from wellio.testing.apps import DEFAULTS, NO_FILE

END = 1_795_600_000_000  # 2026-11-25, in the evening
DAY = 86_400_000
#: Below this length, people may say the same thing.
SHORT = 25


@dataclass
class Plan:
    """Two years of a full practice, planned and not lived.

    Attributes:
        demo: The demo.
        talks: Its conversations.
    """

    demo: Demo
    talks: list[Talk]

    @property
    def said(self) -> list[Utterance]:
        return [said for talk in self.talks for said in talk.utterances]

    @property
    def texts(self) -> list[str]:
        return [said.text for said in self.said if not said.is_astray]


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """Return a plan that tests only read; making one takes a second."""
    return asyncio.run(planned(tmp_path_factory.mktemp("demo"), seed=1))


async def planned(folder: Path, *, seed: int, end: int = END) -> Plan:
    config = load_config(NO_FILE, env={}, overrides={**DEFAULTS, "data_dir": str(folder)})
    app = (await create_app(config, workers=False))[WELLIO]
    size = DemoSize()
    demo = Demo(app, DemoClock(end - size.days * DAY), size, seed, end, "")
    parts = app.hooks.of("register_demo")
    for part in parts:
        part.plan(demo)
    await app.db.close()
    [chat] = [part for part in parts if isinstance(part, TalksDemo)]
    return Plan(demo, chat.talks)


def repeated(found: Iterable[str]) -> float:
    """Return which share of texts had been said before."""
    texts = list(found)
    return 1 - len(set(texts)) / len(texts)


def test_a_full_practice_has_much_to_say_and_says_little_twice(plan: Plan) -> None:
    texts = plan.texts
    assert 15_000 < len(texts) < 40_000
    assert repeated(text for text in texts if len(text) > SHORT) < 0.05
    assert repeated(texts) < 0.10
    lengths = sorted(map(len, texts))
    assert lengths[len(texts) // 20] < 35, "some are short"
    assert lengths[-len(texts) // 20] > 150, "some are long"
    assert lengths[-1] < 700


def test_every_pattern_is_filled_in(plan: Plan) -> None:
    odd = [text for text in plan.texts if re.search(r"[{}|]|  |\(\)| [,.!?]", text)]
    assert odd == []
    assert [text for text in plan.texts if text[0].islower()] == []


def test_nobody_repeats_themselves_often(plan: Plan) -> None:
    for talk in plan.talks:
        kept = [said.text for said in talk.utterances if not said.is_astray]
        long = [text for text in kept if len(text) > SHORT]
        [(text, count)] = Counter(long).most_common(1)
        assert count <= 5 + 7 * bool(talk.title), (talk.key, text)


def test_coaches_have_voices_of_their_own(plan: Plan) -> None:
    """What one style says often, hardly any of the others ever says."""
    begins: dict[str, Counter[str]] = defaultdict(Counter)
    for said in plan.said:
        if said.by.role == "coach":
            begins[said.by.facts["style"]][" ".join(said.text.split()[:3])] += 1
    assert set(begins) == {"warm", "brisk", "asking", "structured"}
    for style, own in begins.items():
        others = sum((counts for it, counts in begins.items() if it != style), Counter[str]())
        frequent = [begin for begin, _ in own.most_common(30)]
        typical = [begin for begin in frequent if own[begin] > 4 * others[begin]]
        assert len(typical) >= 20, style


def test_people_write_by_day(plan: Plan) -> None:
    for said in plan.said:
        hour = said.at.hour + said.at.minute / 60
        if said.by.role != "client":
            assert 7.4 < hour < 19.5, said
            assert said.at.weekday() < 5, said
        elif is_owl(plan.demo, said.by):
            assert hour > 9.4 or hour < 1.6, said
        else:
            assert 6.2 < hour < 22.3, said


def test_a_talk_goes_forward_and_is_read_after_it_is_written(plan: Plan) -> None:
    for talk in plan.talks:
        times = [said.at for said in talk.utterances]
        assert all(before < after for before, after in pairwise(times)), talk.key
        assert all(mark.at >= mark.upto.at for mark in talk.marks), talk.key
        assert all(mark.by is not mark.upto.by for mark in talk.marks), talk.key


def test_who_drifts_falls_silent_before_they_are_gone(plan: Plan) -> None:
    gone = 0
    for client in plan.demo.having("client"):
        phase, since = client.facts["phases"][-1]
        if phase == "gone":
            gone += 1
            late = [
                said
                for said in plan.said
                if said.by is client and said.at.timestamp() * 1000 > since + 6 * DAY
            ]
            assert late == [], client.name
    assert gone >= 3


def test_something_waits_to_be_read(plan: Plan) -> None:
    """The dashboard of most coaches lives: the last word is a client's, and not read yet."""
    waiting = set()
    for talk in plan.talks:
        last = talk.utterances[-1]
        read = {mark.upto for mark in talk.marks if mark.at.timestamp() * 1000 <= END}
        if last.by.role == "client" and last not in read:
            waiting.add(talk.opener.key)
    assert len(waiting) >= 3


async def test_nothing_is_said_before_a_talk_is_open(plan: Plan, tmp_path: Path) -> None:
    # By this end, a message that was meant for somebody else was the first of a talk.
    bad = await planned(tmp_path, seed=1, end=1_796_099_000_000)
    for talk in (*plan.talks, *bad.talks):
        assert min(said.at for said in talk.utterances) >= talk.at, talk.key


async def test_another_seed_tells_another_story(plan: Plan, tmp_path: Path) -> None:
    again = await planned(tmp_path / "again", seed=1)
    other = await planned(tmp_path / "other", seed=2)
    assert again.texts == plan.texts
    assert [said.at for said in again.said] == [said.at for said in plan.said]
    assert len(set(other.texts) & set(plan.texts)) < len(plan.texts) / 4


PATTERNS = [
    ("(a|b)", {"a", "b"}),
    ("x (a|)", {"x a", "x "}),
    ("{one} and {one_up}", {"one and One"}),
    ("({one}|b)", {"one", "b"}),
    ("no (choice) here", {"no (choice) here"}),
]


@pytest.mark.parametrize("pattern, expected", PATTERNS)
def test_patterns(plan: Plan, pattern: str, expected: set[str]) -> None:
    words = {"one": lambda: "one", "unknown": lambda: ""}
    phrases = Phrases(plan.demo.random("test"), words, set())
    assert {phrases.fill(pattern) for _ in range(50)} == expected
    assert phrases.knows(pattern)
    assert not phrases.knows("{unknown}")


def test_a_pool_is_used_up_before_it_repeats(plan: Plan) -> None:
    phrases = Phrases(plan.demo.random("test"), {}, set())
    for _ in range(3):
        assert {phrases.draw("abc", ["a", "b", "c"]) for _ in range(3)} == {"a", "b", "c"}


def test_every_client_theme_and_coach_style_has_its_texts() -> None:
    styles = [table for name, table in texts("coaches").items() if name != "anyone"]
    assert len({frozenset(style) for style in styles}) == 1, "all styles have the same pools"
    themes = texts("themes").values()
    assert len({frozenset(theme) for theme in themes}) == 1
