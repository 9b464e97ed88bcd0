"""Holds frames back until the loop's turn is over.

What goes to a peer in one turn then leaves in one call, and all peers get theirs one right after
the other: a system call for each frame, with Python in between, costs a third more.
"""

import asyncio
import logging
from typing import Protocol

_log = logging.getLogger("wellio.realtime")


class Held(Protocol):
    """Somebody who holds something back."""

    def flush(self) -> None:
        """Let it go."""


class WriteBuffer:
    """Flushes all that hold something back, once a turn of the loop."""

    def __init__(self) -> None:
        self._held: list[Held] = []

    def hold(self, held: Held) -> None:
        """Have somebody flushed at the end of the turn; they say so once, until they are."""
        if not self._held:
            asyncio.get_running_loop().call_soon(self._wait)
        self._held.append(held)

    def _wait(self) -> None:
        """Wait one turn more: who waits for a commit acknowledges after it was broadcast."""
        asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        all_held, self._held = self._held, []
        for held in all_held:
            try:
                held.flush()
            except Exception:  # noqa: BLE001 - a peer's broken transport is not the others'
                _log.exception("A connection could not be written to")
