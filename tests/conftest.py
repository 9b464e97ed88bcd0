"""How hypothesis searches in all tests, how failures show and the garbage collector spares them.

The suite tries the same examples each time and takes no offence at a busy machine, so that it fails
for a change only; `make test ARGS=--hypothesis-profile=explore` looks for new ones.
"""

import gc

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


def pytest_configure(config: pytest.Config) -> None:
    """Print failures at once, in the process that owns the terminal."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Failures(config))
