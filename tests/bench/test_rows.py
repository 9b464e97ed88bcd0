"""The bench's table: medians, ratios and verdicts are right, and nothing counts that went wrong."""

import pytest

from bench.rows import ROWS, Figures, Row, table

LINES = [
    {"target": target, "op": "create", "rate": 0, "rps": rps, "errors": 0}
    for target, all_rps in (("wellio", (50, 200, 100)), ("pb", (40, 50, 60)))
    for rps in all_rps
]


def test_a_figure_is_a_ratio_of_medians() -> None:
    assert Figures(LINES, {}).ratio("wellio", "pb", "create", "rps") == 2.0


@pytest.mark.parametrize(
    "line, named",
    [
        ({"target": "wellio", "op": "login", "rate": 0, "rps": 1, "errors": 0}, "read_one"),
        (
            {"target": "wellio", "op": "read_one", "rate": 0, "errors": 2, "first_error": "(500)"},
            "500",
        ),
        ({"target": "wellio", "op": "read_one", "rate": 9, "rps": 1, "errors": 0}, "not measured"),
    ],
)
def test_what_was_not_measured_or_failed_is_no_figure(line: dict[str, object], named: str) -> None:
    with pytest.raises(LookupError, match=named):
        Figures([line], {}).of("wellio", "read_one", "rps")


@pytest.mark.parametrize(
    "value, is_least, verdict",
    [
        (3, True, "wanted"),
        (2, True, "floor"),
        (1, True, "MISSED"),
        (3, False, "MISSED"),
        (2, False, "floor"),
        (1, False, "wanted"),
    ],
)
def test_a_verdict(value: float, is_least: bool, verdict: str) -> None:
    floor, wanted = (1.5, 2.5) if is_least else (2.5, 1.5)
    row = Row(1, "it", floor, wanted, is_least, lambda _: value)
    assert row.verdict(value) == verdict


def test_every_row_is_shown_also_without_a_figure() -> None:
    shown = table(Figures(LINES, {"cold_start_s": 0.5})).splitlines()[2:]
    assert len(shown) == len(ROWS)
    assert "| 0.50 | <= 1.2 | <= 0.6 | wanted |" in "\n".join(shown)
    assert "| 2.00 | >= 2 | >= 3 | floor |" in "\n".join(shown)
    assert {row.number for row in ROWS} == {*range(1, 15), 16}
