"""How hypothesis searches in all tests, how failures show, and what ends what would never end.

The suite tries the same examples each time and takes no offence at a busy machine, so that it fails
for a change only; `make test ARGS=--hypothesis-profile=explore` looks for new ones.
"""

import faulthandler
import gc
import os
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import pytest

from tests.budget import Budget, Meter
from tests.machine import keep_bytecode, write_to_memory


class _Profiles(MetaPathFinder):
    """Sets hypothesis up when the first module imports it: most runs of a few tests never do."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find hypothesis as the others do, and have it set up once it is executed."""
        if fullname != "hypothesis":
            return None
        sys.meta_path.remove(self)
        spec = find_spec(fullname)
        assert spec
        assert spec.loader
        spec.loader = _SetsUp(spec.loader)
        return spec


class _SetsUp(Loader):
    """Loads hypothesis as its own loader does, and registers our profiles at once."""

    def __init__(self, own: Loader) -> None:
        self._own = own

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._own.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._own.exec_module(module)
        _register_profiles(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._own, name)


def _register_profiles(hypothesis: Any) -> None:
    settings, phases = hypothesis.settings, hypothesis.Phase
    unhurried = [hypothesis.HealthCheck.too_slow]
    settings.register_profile(
        "explore", deadline=None, print_blob=True, suppress_health_check=unhurried
    )
    settings.register_profile("suite", settings.get_profile("explore"), derandomize=True)
    # Where nobody waits for it, an example need not be the smallest: the blob says which it is.
    brief = [it for it in phases if it not in {phases.shrink, phases.explain}]
    settings.register_profile("ci", settings.get_profile("suite"), phases=brief)
    settings.load_profile("ci" if os.environ.get("CI") else "suite")


if "hypothesis" in sys.modules:
    _register_profiles(sys.modules["hypothesis"])
else:
    sys.meta_path.insert(0, _Profiles())


def pytest_collection_finish() -> None:
    """Leave what was collected out of every later garbage collection.

    With thousands of tests and hypothesis in one process, a full collection takes a second: longer
    than a write may take, and as long as what the product promises to do within one.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


class _Failures:
    """Prints what fails when it fails: a run that is cut off has said it then."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            terminal = self._config.get_terminal_writer()
            terminal.line()
            terminal.sep("_", f"{report.nodeid} ({report.when})", red=True)
            terminal.line(report.longreprtext)


keep_bytecode()
write_to_memory()

_STDERR = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("teardown_timeout", "how many seconds the end of a test may take", default="120")
    group = parser.getgroup("budget", "what the suite may cost (tests/budget.py)")
    group.addoption("--budget", action="store_true", help="fail over the budget, as CI does")
    group.addoption("--refresh-budget", action="store_true", help="write down what modules cost")


def pytest_configure(config: pytest.Config) -> None:
    """Print failures at once, in the process that owns the terminal; measure in all."""
    config.stash[_STDERR] = os.dup(2)  # before it is captured
    config.pluginmanager.register(Meter(config))
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Failures(config))
        config.pluginmanager.register(Budget(config))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Have an end of its own: pytest forgets a test's timeouts when it fails."""
    seconds = float(item.config.getini("teardown_timeout"))
    faulthandler.dump_traceback_later(seconds, exit=True, file=item.config.stash[_STDERR])
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


@pytest.fixture
def cheap_passwords() -> Iterator[None]:
    """Hash at bcrypt's least cost, where it is counted how many are hashed."""
    from wellio.testing.users import cheap_passwords

    with cheap_passwords():
        yield
