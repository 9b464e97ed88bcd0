"""How hypothesis searches in all tests, how failures show, and what ends what would never end.

The suite tries the same examples each time and takes no offence at a busy machine, so that it fails
for a change only; `make test ARGS=--hypothesis-profile=explore` looks for new ones.
"""

import faulthandler
import gc
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "explore", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("suite", settings.get_profile("explore"), derandomize=True)
settings.load_profile("suite")


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


_STDERR = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("teardown_timeout", "how many seconds the end of a test may take", default="120")


def pytest_configure(config: pytest.Config) -> None:
    """Print failures at once, in the process that owns the terminal."""
    config.stash[_STDERR] = os.dup(2)  # before it is captured
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Failures(config))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Have an end of its own: pytest forgets a test's timeouts when it fails."""
    seconds = float(item.config.getini("teardown_timeout"))
    faulthandler.dump_traceback_later(seconds, exit=True, file=item.config.stash[_STDERR])
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()
