"""The table: each figure that is asked for, its floor, and what it is wanted to be.

The numbers of the rows are those of the design's performance page. A figure is a ratio of medians
of one run, in which all targets took turns.
"""

import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

Line = Mapping[str, Any]


class Figures:
    """The medians of a run."""

    def __init__(self, lines: Iterable[Line], moments: Mapping[str, float]) -> None:
        """Gather them.

        Args:
            lines: What the drivers wrote.
            moments: Figures that no driver measures, by name.
        """
        self._lines = list(lines)
        self._moments = moments

    def of(self, target: str, op: str, field: str) -> float:
        """Return a median; operations are those of the drivers, `pairs@1000` one at a rate.

        Raises:
            LookupError: It was not measured, or answers were wrong.
        """
        lines = [line for line in self._lines if line["target"] == target and _op(line) == op]
        if not lines:
            raise LookupError(f"{op} of {target}: not measured")
        if bad := [line["first_error"] for line in lines if line["errors"]]:
            raise LookupError(f"{op} of {target}: {bad[0]}")
        return float(statistics.median(line[field] for line in lines))

    def ratio(self, ours: str, theirs: str, op: str, field: str) -> float:
        """Return our median in terms of another's."""
        return self.of(ours, op, field) / self.of(theirs, op, field)

    def moment(self, name: str) -> float:
        """Return a figure that no driver measures.

        Raises:
            LookupError: It was not measured.
        """
        if name not in self._moments:
            raise LookupError(f"{name}: not measured")
        return self._moments[name]


@dataclass(frozen=True, slots=True)
class Row:
    """One figure.

    Attributes:
        number: Its row on the design's page.
        what: In words.
        floor: What it must be at least, or at most.
        wanted: What it is wanted to be.
        is_least: Whether more is better.
        figure: How it is computed.
    """

    number: int
    what: str
    floor: float
    wanted: float
    is_least: bool
    figure: Callable[[Figures], float]

    def verdict(self, value: float) -> str:
        """Say where a figure stands."""
        sign = 1 if self.is_least else -1
        if sign * value >= sign * self.wanted:
            return "wanted"
        return "floor" if sign * value >= sign * self.floor else "MISSED"


def _op(line: Line) -> str:
    op: str = line.get("op") or line["mode"]
    return f"{op}@{line['rate']:g}" if line.get("rate") else op


def _ratio(op: str, theirs: str, field: str, ours: str = "wellio") -> Callable[[Figures], float]:
    return lambda figures: figures.ratio(ours, theirs, op, field)


def _moment(name: str) -> Callable[[Figures], float]:
    return lambda figures: figures.moment(name)


RPS, CPU, MESSAGES, DELIVERIES = "rps", "cpu_us", "msgs_per_s", "deliveries_per_s"
ROWS: Final = (
    Row(1, "read one, rps: PocketBase, members' rule", 3, 4.5, True, _ratio("read_one", "pb", RPS)),
    Row(
        1, "read one, rps: PocketBase, simple", 1.5, 2.2, True, _ratio("read_one", "pb_simple", RPS)
    ),
    Row(2, "read one, cpu: bare aiohttp", 1.6, 1.25, False, _ratio("read_one", "bare", CPU)),
    Row(
        3,
        "read one, cpu: Node with express",
        0.6,
        0.45,
        False,
        _ratio("read_one", "node_express", CPU),
    ),
    Row(3, "read one, cpu: Node, raw http", 1.8, 1.4, False, _ratio("read_one", "node_batch", CPU)),
    Row(4, "list 50, rps: PocketBase", 5, 7, True, _ratio("list50", "pb", RPS)),
    Row(4, "list 50, cpu: Node, raw http", 1.2, 1.0, False, _ratio("list50", "node_batch", CPU)),
    Row(5, "durable create, rps: PocketBase", 2, 3, True, _ratio("create", "pb", RPS)),
    Row(
        6,
        "durable create, rps: Node, one commit each",
        2,
        3,
        True,
        _ratio("create", "node_full", RPS),
    ),
    Row(
        6,
        "durable create, rps: Node, group commit",
        0.5,
        0.7,
        True,
        _ratio("create", "node_batch", RPS),
    ),
    Row(
        7,
        "chat pairs 200, msg/s: Node, group commit",
        0.75,
        1.1,
        True,
        _ratio("pairs", "node_batch", MESSAGES),
    ),
    Row(
        7,
        "chat pairs 200, msg/s: Node, one commit each",
        4,
        10,
        True,
        _ratio("pairs", "node_full", MESSAGES),
    ),
    Row(
        8,
        "chat pairs 200, msg/s: python-socketio",
        1.5,
        2,
        True,
        _ratio("pairs", "pysio", MESSAGES),
    ),
    Row(8, "chat pairs 200, msg/s: PocketBase", 100, 300, True, _ratio("pairs", "pb", MESSAGES)),
    Row(
        9,
        "1000 msg/s over 1000 clients, p99: Node, group commit",
        1.0,
        0.6,
        False,
        _ratio("pairs@1000", "node_batch", "p99_ms"),
    ),
    Row(
        10,
        "fan-out 500, deliveries/s: Node",
        1.2,
        1.7,
        True,
        _ratio("fanout", "node_batch", DELIVERIES),
    ),
    Row(
        10,
        "fan-out 500, cpu a delivery: Node",
        0.9,
        0.6,
        False,
        _ratio("fanout", "node_batch", "cpu_us_per_delivery"),
    ),
    Row(
        11,
        "an idle socket's memory: Node",
        0.9,
        0.6,
        False,
        _ratio("idle", "node_batch", "kib_per_socket"),
    ),
    Row(12, "cold start from an empty folder, s", 1.2, 0.6, False, _moment("cold_start_s")),
    Row(12, "memory when ready, MB", 130, 90, False, _moment("resident_mb")),
    Row(13, "login, cpu: bcrypt alone", 1.10, 1.03, False, _moment("login_cpu_ratio")),
    Row(13, "delay of others in a login storm, p99 ms", 15, 5, False, _moment("storm_p99_ms")),
    Row(
        14,
        "list 50, cpu: 1M messages to 10k",
        1.3,
        1.1,
        False,
        lambda f: f.of("wellio", "list50_big", "cpu_us") / f.of("wellio", "list50_10k", "cpu_us"),
    ),
    Row(
        16,
        "create, rps: Postgres to SQLite",
        0.6,
        1.0,
        True,
        _ratio("create", "wellio", RPS, ours="wellio_pg"),
    ),
)


def table(figures: Figures) -> str:
    """Return the rows as a Markdown table; what could not be measured says why."""
    lines = [
        "| # | figure | measured | floor | wanted | |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in ROWS:
        sign = ">=" if row.is_least else "<="
        try:
            value = row.figure(figures)
            shown, verdict = f"{value:.2f}", row.verdict(value)
        except LookupError as error:
            shown, verdict = "-", str(error)
        asked = f"{sign} {row.floor:g} | {sign} {row.wanted:g}"
        lines.append(f"| {row.number} | {row.what} | {shown} | {asked} | {verdict} |")
    return "\n".join(lines)
