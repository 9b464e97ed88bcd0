"""How hypothesis searches in all tests, and how the garbage collector spares them.

The suite tries the same examples each time and takes no offence at a busy machine, so that it fails
for a change only; `make test ARGS=--hypothesis-profile=explore` looks for new ones.
"""

import gc

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
