"""What becomes of work that failed: how long it waits, and what is written down about it."""

import random

from wellio.errors import WellioError

_FIRST_MS = 2_000
_LONGEST_MS = 3_600_000


def backoff_ms(attempts: int) -> int:
    """Return how long to wait after a number of failed attempts, in milliseconds.

    It doubles from 2 s to 1 h; up to half of it is left to chance, so that what failed together
    does not come back together.
    """
    longest = min(_LONGEST_MS, _FIRST_MS << min(attempts - 1, 16))
    return round(longest * random.uniform(0.5, 1))  # noqa: S311 - spreads load, guards nothing


def error_name(error: BaseException) -> str:
    """Return an error's class, and its code if it has one; never its text, which may quote data."""
    code = getattr(error, "code", None) if isinstance(error, WellioError) else None
    return f"{type(error).__name__} {code}" if code else type(error).__name__
