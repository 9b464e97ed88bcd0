"""Rotation as a game: clients that lose answers, retry and race, and a thief with a copy.

The model is the pure part (`refresh.py`), played on a row in memory exactly as the service plays it
on a locked row; `test_refresh.py` plays single moves over HTTP on both engines.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from wellio_auth.credentials.digest import digest
from wellio_auth.sessions.refresh import RefreshTokens, Rotation, Verdict, judge

pytestmark = pytest.mark.sqlite("tests/contract calls every endpoint on both")

RACE_MS = 10_000
SESSION = "018f4e5c-0000-7000-8000-000000000001"
TOKENS = RefreshTokens(b"k" * 32)


class Server:
    """One session as the service keeps it."""

    def __init__(self) -> None:
        self.now_ms = 1_000_000
        self.is_alive = True
        self.children = 0
        self.first = TOKENS.make(SESSION, 0, "first")
        self.rotation = Rotation(digest(self.first), None, None, self.now_ms)

    def refresh(self, text: str, request_id: str) -> str | Verdict | None:
        """Return the next token, why there is none, or None when signed out."""
        token = TOKENS.read(text)
        if token is None or not self.is_alive:
            return None
        request_hash = digest(request_id)
        verdict = judge(self.rotation, token, request_hash, self.now_ms, RACE_MS)
        if verdict is Verdict.REUSED:
            self.is_alive = False
        if verdict not in {Verdict.ROTATE, Verdict.REPEAT}:
            return verdict
        child = TOKENS.make(SESSION, token.counter + 1, request_id)
        if verdict is Verdict.ROTATE:
            self.children += 1
            self.rotation = Rotation(digest(child), token.digest, request_hash, self.now_ms)
        return child


class HonestClient(RuleBasedStateMachine):
    """Tabs that share one store, and a network that loses answers and delivers requests twice.

    A tab writes its request down before it sends it and repeats it until it is answered; a tab that
    comes later takes part in the request that is written down. Tabs that begin in the same instant
    race, each with a request of its own, and take a 409 as "read the store again".
    """

    def __init__(self) -> None:
        super().__init__()
        self.server = Server()
        self.stored = self.server.first
        self.requests = 0
        self.is_race = False
        self.open: dict[str, str] = {}

    @rule(seconds=st.integers(1, 30 * 86_400))
    def wait(self, seconds: int) -> None:
        if not (self.is_race and self.open):  # a race is over before anything else happens
            self.server.now_ms += seconds * 1000

    @rule(tabs=st.integers(1, 3))
    def begin(self, tabs: int) -> None:
        if not self.open:
            self.is_race = tabs > 1
            for _ in range(tabs):
                self.requests += 1
                self.open[f"request-{self.requests:09}"] = self.stored

    @rule(data=st.data(), is_lost=st.booleans(), is_doubled=st.booleans())
    def send(self, data: st.DataObject, *, is_lost: bool, is_doubled: bool) -> None:
        if not self.open:
            return
        request_id = data.draw(st.sampled_from(sorted(self.open)))
        token = self.open[request_id]
        answer = self.server.refresh(token, request_id)
        if is_doubled:
            assert self.server.refresh(token, request_id) == answer
        if is_lost:
            return
        del self.open[request_id]
        if isinstance(answer, str):
            self.stored = answer
        else:
            assert answer is Verdict.IN_PROGRESS

    @invariant()
    def nobody_is_signed_out(self) -> None:
        assert self.server.is_alive

    @invariant()
    def the_store_keeps_up(self) -> None:
        if not self.open:
            assert digest(self.stored) == self.server.rotation.token_hash


HonestClient.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
TestHonestClient = HonestClient.TestCase


def rotated(times: int) -> tuple[Server, list[str]]:
    """Return a session that its owner refreshed so often, and all its tokens."""
    server = Server()
    tokens = [server.first]
    for number in range(times):
        token = server.refresh(tokens[-1], f"request-{number:09}")
        assert isinstance(token, str)
        tokens.append(token)
    return server, tokens


@given(rotations=st.integers(1, 6), data=st.data(), wait_ms=st.integers(0, 3 * RACE_MS))
def test_an_old_token_in_a_thiefs_hands_ends_the_session(
    rotations: int, data: st.DataObject, wait_ms: int
) -> None:
    server, tokens = rotated(rotations)
    stolen = data.draw(st.integers(0, rotations - 1))
    server.now_ms += wait_ms
    answer = server.refresh(tokens[stolen], "the thief's own id")
    if stolen == rotations - 1 and wait_ms < RACE_MS:
        assert answer is Verdict.IN_PROGRESS  # as between two tabs: the thief learns nothing
        assert server.is_alive
        server.now_ms += RACE_MS
        answer = server.refresh(tokens[stolen], "the thief's own id")
    assert answer is Verdict.REUSED
    assert server.refresh(tokens[-1], "the owner's next id") is None


@given(wait_ms=st.integers(0, 3 * RACE_MS))
def test_a_thief_who_refreshes_first_is_thrown_out_with_the_owner(wait_ms: int) -> None:
    server, tokens = rotated(1)
    thiefs = server.refresh(tokens[-1], "the thief's own id")
    assert isinstance(thiefs, str)
    server.now_ms += wait_ms
    answer = server.refresh(tokens[-1], "the owner's next id")
    if wait_ms < RACE_MS:
        assert answer is Verdict.IN_PROGRESS
        server.now_ms += RACE_MS
        answer = server.refresh(tokens[-1], "the owner's next id")
    assert answer is Verdict.REUSED
    assert server.refresh(thiefs, "the thief's next id") is None


def test_a_retry_gets_the_same_token_at_any_age() -> None:
    server, tokens = rotated(3)
    server.now_ms += 100 * 86_400_000
    assert server.refresh(tokens[-2], "request-000000002") == tokens[-1]
    assert server.children == 3


@given(data=st.data())
def test_any_other_text_is_forged(data: st.DataObject) -> None:
    text = TOKENS.make(SESSION, 7, "request-000000001")
    position = data.draw(st.integers(0, len(text) - 1))
    char = data.draw(st.characters().filter(lambda char: char != text[position]))
    forged = text[:position] + char + text[position + 1 :]
    assert TOKENS.read(forged) is None
    assert RefreshTokens(b"o" * 32).read(text) is None
    token = TOKENS.read(text)
    assert token is not None
    assert (token.session_id, token.counter) == (SESSION, 7)
