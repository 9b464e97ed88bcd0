"""How hypothesis searches in all tests.

The suite tries the same examples each time and takes no offence at a busy machine, so that it fails
for a change only; `make test ARGS=--hypothesis-profile=explore` looks for new ones.
"""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "explore", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("suite", settings.get_profile("explore"), derandomize=True)
settings.load_profile("suite")
