"""What pytest loads wherever Wellio is installed: the fixtures of `wellio.testing`.

They need what `wellio[testing]` brings. Without it, pytest works on for whoever does not ask for
them: an installed Wellio must not be the end of somebody's other tests.
"""

from importlib.util import find_spec

import pytest

_NEEDED = ("jsonschema", "pytest_aiohttp", "pytest_asyncio")
_FIXTURES = (
    *("api", "bus", "make_user", "sockets", "wellio_app"),
    *("shared_app", "shared_sockets", "shared_user"),
)


def pytest_configure(config: pytest.Config) -> None:
    """Offer the fixtures, or say by each of them what is missing."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        config.pluginmanager.register(_Missing(), "wellio.testing.missing")
    else:
        from .testing import plugin

        config.pluginmanager.register(plugin, "wellio.testing.plugin")


class _Missing:
    """Holds a fixture of each name that ends the test that asks for it."""


def _end() -> None:
    pytest.fail('the fixtures of Wellio need more: pip install "wellio[testing]"', pytrace=False)


for _name in _FIXTURES:
    setattr(_Missing, _name, staticmethod(pytest.fixture(name=_name)(_end)))
