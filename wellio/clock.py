"""Time: one settable clock per app, and the wire's form of an instant.

Instants are integers, milliseconds UTC since 1970 (`*_at`). Waiting and rate limits use
`monotonic`, so that a changed system time neither revives nor starves anything.
"""

import re
import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Protocol

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_MS = (datetime(1, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)
"""The first instant of the first year, and the last of the last, that RFC 3339 can write here."""
LAST_MS = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)
INSTANT = "must be an RFC 3339 instant such as 2026-03-01T09:30:00.000Z"
INSTANT_TEXT = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})", re.ASCII | re.IGNORECASE
)


class Clock(Protocol):
    """What tells the time; `create_app(..., clock=)` takes one."""

    def now_ms(self) -> int:
        """Return the wall-clock time in milliseconds UTC."""

    def monotonic(self) -> float:
        """Return seconds that never go back, for measuring and waiting."""


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Return the wall-clock time in milliseconds UTC."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()


class ManualClock:
    """A clock that stands still until it is moved: for tests and for demo data."""

    def __init__(self, start_ms: int) -> None:
        self._now_ms = start_ms
        self._monotonic = 0.0

    def now_ms(self) -> int:
        """Return the time that was set, in milliseconds UTC."""
        return self._now_ms

    def monotonic(self) -> float:
        """Return the seconds by which the clock was advanced."""
        return self._monotonic

    def advance(self, ms: int) -> None:
        """Move both clocks forward."""
        self._now_ms += ms
        self._monotonic += ms / 1000

    def set(self, ms: int) -> None:
        """Set the wall clock alone, as an administrator would."""
        self._now_ms = ms


def rfc3339(ms: int) -> str:
    """Write an instant as the wire does: `2026-03-01T09:30:00.000Z`.

    What lies beyond the years that it can write is the first or the last of them: such a row was
    stored by mistake, and must not hide the others of its list.
    """
    seconds, rest = divmod(min(max(ms, FIRST_MS), LAST_MS), 1000)
    return f"{_to_the_second(seconds)}.{rest:03}Z"


@lru_cache(maxsize=4096)  # what is read together happened together
def _to_the_second(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).isoformat().removesuffix("+00:00")


def parse_rfc3339(text: str) -> int:
    """Read an RFC 3339 instant, with any offset, into milliseconds UTC.

    Raises:
        ValueError: The text is no such instant.
    """
    if not INSTANT_TEXT.fullmatch(text):
        raise _no_instant()
    try:
        at = datetime.fromisoformat(text.upper()).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("must lie in the years 1 to 9999") from error
    except ValueError as error:  # such as a thirteenth month, of which Python has words of its own
        raise _no_instant() from error
    return (at - _EPOCH) // timedelta(milliseconds=1)


def _no_instant() -> ValueError:
    return ValueError(INSTANT)
