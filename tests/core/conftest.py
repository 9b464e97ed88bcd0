"""What all tests of the core need."""

from collections.abc import Iterator

import pytest

from wellio.testing.deadline import patient_writes


@pytest.fixture(autouse=True)
def _patient() -> Iterator[None]:
    """A write that a busy machine holds up is none that takes too long; tests of that say so."""
    with patient_writes():
        yield
