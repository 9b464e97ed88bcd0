"""How long a test waits for what should happen at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from unittest.mock import patch

DEADLINE_S: Final = 50.0
"""Seconds. It ends a test that would wait for ever, and measures nothing: a busy machine may take
many times as long as an idle one."""


@contextmanager
def patient_writes() -> Iterator[None]:
    """Let the databases that are opened meanwhile wait so long for the body of a write.

    The product gives it a second; a machine that stalls for longer would fail whatever writes.
    """
    with patch("wellio.db._DEADLINE_S", DEADLINE_S):
        yield
