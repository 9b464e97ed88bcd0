"""Budgets: what they allow over any time, whom they remember, and how they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wellio.access.limits import MAX_KEYS, Budget, Limits, Rate
from wellio.clock import ManualClock
from wellio.errors import TooManyRequests


def budget(rate: Rate, clock: ManualClock | None = None) -> Budget:
    return Limits(monotonic=(clock or ManualClock(0)).monotonic).budget("tries", rate)


def allowed(tries: Budget, key: str, count: int) -> int:
    return sum(not tries.take(key) for _ in range(count))


def test_a_burst_and_what_comes_back() -> None:
    clock = ManualClock(0)
    tries = budget(Rate(5, 0.1), clock)
    assert allowed(tries, "a", 9) == 5
    assert allowed(tries, "b", 9) == 5
    assert tries.take("a") == pytest.approx(10, abs=1e-3)
    clock.advance(9_999)
    assert allowed(tries, "a", 9) == 0
    clock.advance(1)
    assert allowed(tries, "a", 9) == 1
    clock.advance(3_600_000)
    assert allowed(tries, "a", 9) == 5


def test_the_wall_clock_gives_nothing_back() -> None:
    clock = ManualClock(0)
    tries = budget(Rate(1, 1), clock)
    assert allowed(tries, "a", 2) == 1
    clock.set(10**15)
    assert allowed(tries, "a", 2) == 0


def test_a_refusal_says_when_and_what() -> None:
    tries = budget(Rate(2, 0.3))
    tries.spend("a")
    assert tries.left("a") == '"tries";r=1;t=4'
    tries.spend("a")
    with pytest.raises(TooManyRequests) as caught:
        tries.spend("a")
    assert caught.value.to_dict(None)["retryAfter"] == 3.333
    assert caught.value.headers == {
        "RateLimit-Policy": '"tries";q=2;w=7',
        "RateLimit": '"tries";r=0;t=7',
        "Retry-After": "4",
    }


def test_limits_that_are_switched_off_allow_everything() -> None:
    assert allowed(Limits(is_enabled=False).budget("tries", Rate(1, 1)), "a", 99) == 99


@given(
    burst=st.integers(1, 200),
    per_s=st.floats(0.01, 500),
    pauses_ms=st.lists(st.integers(0, 60_000), max_size=60),
)
def test_never_more_than_the_rate_and_always_after_the_wait(
    burst: int, per_s: float, pauses_ms: list[int]
) -> None:
    clock = ManualClock(0)
    tries = budget(Rate(burst, per_s), clock)
    used = 0
    for pause_ms in pauses_ms:
        clock.advance(pause_ms)
        used += allowed(tries, "a", burst + 1)
        assert used <= burst + clock.monotonic() * per_s + 1e-3
    wait_s = tries.take("a")
    if wait_s:
        clock.advance(int(wait_s * 1000) + 1)
        assert not tries.take("a")
    remaining = int(tries.left("a").split(";")[1].removeprefix("r="))
    assert allowed(tries, "a", burst + 1) == remaining


def test_nobody_gets_a_budget_back_by_bringing_many_keys() -> None:
    tries = budget(Rate(3, 1))
    assert allowed(tries, "spent", 9) == 3
    for number in range(2 * MAX_KEYS):
        tries.take(f"{number}")
    assert allowed(tries, "spent", 9) == 0


@pytest.mark.parametrize(
    "text, rate",
    [("120+10/s", Rate(120, 10)), ("5+0.1/s", Rate(5, 0.1)), ("1+1.5/s", Rate(1, 1.5))],
)
def test_rates_are_read_as_they_are_written(text: str, rate: Rate) -> None:
    assert Rate.parse(text) == rate
    assert str(rate) == text


@pytest.mark.parametrize(
    "value",
    ["", "120", "120+10", "0+1/s", "1+0/s", "-1+1/s", "1+1/m", "1+1e3/s", "\u0661+1/s", 7, None],
)
def test_what_is_no_rate(value: object) -> None:
    with pytest.raises(ValueError, match="expected a rate"):
        Rate.parse(value)
