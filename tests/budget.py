"""What the suite may cost: 10 CPU-seconds a test, 60 a module; CI is red beyond.

CPU time is counted, of the test's process and of the children that it waited for: a clock on the
wall would tell more about the machine's other work. Where others use the machine, CPU time grows
too, to the double and more; so a fixed little work is measured beside each long test, and where it
takes longer than `budget.json` says, a second counts for less. It never counts for more. Waiting
has its end in `timeout` alone. A test that needs more says why, by `mark.slow`. What modules cost
is written down in `budget.json`, by `--refresh-budget`: the ten that grew most are shown at the
end, and the dearest are run first, so that no worker is left with one of them when the others are
done.
"""

import json
import os
import resource
import time
from collections import defaultdict
from collections.abc import Generator, Mapping
from pathlib import Path
from statistics import median
from typing import Any, Final

import pytest

TEST_S: Final = 10.0
MODULE_S: Final = 60.0
#: What a module has to have grown by to be named, in seconds; less is the machine's mood.
GROWN_S: Final = 1.0
#: What a module is taken to cost that is not written down.
_UNKNOWN_S: Final = 2.0
#: The suites that run whole servers, and what a test of theirs may take by the clock.
LONG_SUITES: Final = frozenset({"attack", "container", "e2e", "examples", "fault"})
LONG_S: Final = 300
#: A phase that took so long has the machine's speed measured.
_LONG_S: Final = 0.3
#: Where the speed of the machine that wrote the file stands.
SPEED: Final = "seconds of the fixed work"
_FILE: Final = Path(__file__).with_name("budget.json")


class Meter:
    """Measures each phase of each test where it runs, and has the dearest modules run first."""

    def __init__(self, config: pytest.Config) -> None:
        self._spent, self._speed = _cpu_s(), _fixed_work_s()
        if hasattr(config.option, "loadscopereorder") and known():
            config.option.loadscopereorder = False  # by how many tests a module has: 1 may be long

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Generator[None, object, object]:
        """Begin at zero."""
        self._spent = _cpu_s()
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Write on each phase's report what it took; reports reach the process that adds up."""
        report = yield
        spent = _cpu_s() - self._spent
        if spent > _LONG_S:
            self._speed = _fixed_work_s()
        of_ours: Any = report  # xdist takes along whatever a report holds
        of_ours.cpu_s, of_ours.speed = spent, self._speed
        of_ours.may_be_slow = item.get_closest_marker("slow") is not None
        self._spent = _cpu_s()
        return report

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Put the dearest modules first where several processes share the work."""
        for item in items:
            suite = item.path.relative_to(_FILE.parent).parts[0] if _is_ours(item.path) else ""
            if suite in LONG_SUITES and not item.get_closest_marker("timeout"):
                item.add_marker(pytest.mark.timeout(LONG_S))
            mark = item.get_closest_marker("slow")
            if mark and not mark.args:
                pytest.fail(f"{item.nodeid}: mark.slow says no reason", pytrace=False)
        if hasattr(config, "workerinput"):
            costs = known()
            items.sort(key=lambda item: (-costs.get(_module(item.nodeid), _UNKNOWN_S), item.path))


class Budget:
    """Adds up what the workers measured, and says what is too much."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._modules: dict[str, float] = defaultdict(float)
        self._slow: dict[str, float] = defaultdict(float)  # of modules, by their slow tests
        self._over: dict[str, float] = {}
        self._speeds: list[float] = []
        self._usual = known().get(SPEED)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Take in a phase of a test."""
        if not hasattr(report, "cpu_s"):
            return
        self._speeds.append(report.speed)
        is_measured = self._usual is None or self._config.getoption("--refresh-budget")
        module = _module(report.nodeid)
        spent = report.cpu_s * (1 if is_measured else min(1.0, self._usual / report.speed))
        self._modules[module] += spent
        if getattr(report, "may_be_slow", False):
            self._slow[module] += spent
        elif report.when == "call" and spent > TEST_S:
            self._over[report.nodeid] = spent

    def breaches(self) -> list[str]:
        """Return what is over the budget."""
        return [
            *(f"{test}: {spent:.1f} s, above {TEST_S:.0f}" for test, spent in self._over.items()),
            *(
                f"{module}: {spent - self._slow[module]:.1f} s, above {MODULE_S:.0f}"
                for module, spent in self._modules.items()
                if spent - self._slow[module] > MODULE_S
            ),
        ]

    def grown(self, costs: Mapping[str, float]) -> list[str]:
        """Return the ten modules that grew most beyond what is written down."""
        grown = {
            module: spent - costs[module]
            for module, spent in self._modules.items()
            if module in costs and spent - costs[module] > GROWN_S
        }
        most = sorted(grown, key=lambda module: -grown[module])[:10]
        return [f"{it}: {costs[it]:.1f} -> {self._modules[it]:.1f} s" for it in most]

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Be red over the budget in CI; write it down when asked to."""
        if self._config.getoption("--refresh-budget"):
            measured = {module: round(spent, 1) for module, spent in self._modules.items()}
            there = {
                it: spent for it, spent in known().items() if (_FILE.parents[1] / it).is_file()
            }
            measured[SPEED] = round(median(self._speeds), 5)
            _FILE.write_text(json.dumps(there | measured, indent=0, sort_keys=True) + "\n")
        is_held = self._config.getoption("--budget") or os.environ.get("CI")
        if is_held and self.breaches() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print what is too much, and what grew."""
        for title, lines in (
            ("over the budget of CPU-seconds", self.breaches()),
            ("grew most, in CPU-seconds", self.grown(known())),
        ):
            if lines:
                terminalreporter.section(title)
                for line in lines:
                    terminalreporter.line(line)


def known() -> Mapping[str, float]:
    """Return the CPU-seconds of modules that are written down."""
    costs: Mapping[str, float] = json.loads(_FILE.read_text()) if _FILE.exists() else {}
    return costs


def _cpu_s() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _fixed_work_s() -> float:
    """Return the CPU time of some work that is always the same, about 2 ms: the best of three."""
    taken = []
    for _ in range(3):
        started = time.thread_time()
        sum(number * number % 7 for number in range(20_000))
        taken.append(time.thread_time() - started)
    return min(taken)


def _is_ours(path: Path) -> bool:
    return path.is_relative_to(_FILE.parent)


def _module(nodeid: str) -> str:
    return nodeid.partition("::")[0]
