"""What becomes of work that failed: how long it waits, and what is written down about it."""

import random
import traceback
from collections.abc import Callable
from functools import partial
from types import CodeType
from typing import Any

from wellio.errors import WellioError
from wellio.observe.log import plugin_of

_FIRST_MS = 2_000
_LONGEST_MS = 3_600_000
_FRAMES = 8


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


def fault(error: BaseException, fn: Callable[..., Any], caller: CodeType) -> dict[str, Any]:
    """Return what is written down about a plugin's function that raised.

    Args:
        error: What it raised.
        fn: The function.
        caller: The code that called it; what stands before it in the traceback is Wellio's own.

    Returns:
        `plugin`, whose function it is, `error`, and `frames`: where it was raised, the last few of
        `file:line function` from the function on. No text and no value of the error is in it.
    """
    stack = list(traceback.walk_tb(error.__traceback__))
    while any(frame.f_code is caller for frame, _ in stack):
        del stack[0]
    while isinstance(fn, partial):
        fn = fn.func
    return {
        "plugin": plugin_of(getattr(fn, "__module__", None) or type(fn).__module__),
        "error": error_name(error),
        "frames": [
            f"{frame.f_code.co_filename}:{line} {frame.f_code.co_qualname}"
            for frame, line in stack[-_FRAMES:]
        ],
    }
