"""Instants go over the wire as RFC 3339 and come back as the same millisecond."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wellio import ManualClock, parse_rfc3339, rfc3339

YEAR_1, YEAR_9999 = -62_135_596_800_000, 253_402_300_799_999


@given(st.integers(YEAR_1, YEAR_9999))
def test_an_instant_survives_the_wire(ms: int) -> None:
    assert parse_rfc3339(rfc3339(ms)) == ms


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2026-03-01T09:30:00.000Z", 1_772_357_400_000),
        ("2026-03-01T09:30:00Z", 1_772_357_400_000),
        ("2026-03-01t09:30:00z", 1_772_357_400_000),
        ("2026-03-01T10:30:00+01:00", 1_772_357_400_000),
        ("2026-03-01T09:30:00.1234Z", 1_772_357_400_123),
        ("1969-12-31T23:59:59.999Z", -1),
    ],
)
def test_every_form_of_an_instant_is_read(text: str, ms: int) -> None:
    assert parse_rfc3339(text) == ms


@pytest.mark.parametrize(
    "text",
    ["", "2026-03-01", "2026-03-01T09:30:00", "2026-02-30T00:00:00Z", "20260301T093000Z", "now"],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_rfc3339(text)


def test_an_instant_that_nobody_can_write_is_the_nearest_that_one_can() -> None:
    assert rfc3339(2**63 - 1) == "9999-12-31T23:59:59.999Z"
    assert rfc3339(-(2**63)) == "0001-01-01T00:00:00.000Z"


def test_a_manual_clock_moves_only_when_it_is_moved() -> None:
    clock = ManualClock(1_000)
    clock.advance(500)
    assert (clock.now_ms(), clock.monotonic()) == (1_500, 0.5)
    clock.set(10)
    assert (clock.now_ms(), clock.monotonic()) == (10, 0.5)
