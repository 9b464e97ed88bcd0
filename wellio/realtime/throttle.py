"""How fast one peer is heard: a flood is slowed down, and everybody else has their turn meanwhile.

Everything that a peer sends counts, since what no handler ever sees costs time too: pongs, answers
that nobody waits for, namespaces that are not there. Who sends too fast is not refused; they are
read more slowly, and TCP holds them back.
"""

import asyncio
from typing import Protocol

# Packets of one peer that are taken in one go, if they have arrived: about a millisecond's work.
_TURN = 64


class Allowance(Protocol):
    """How many packets each connection may send; a `Budget` is one."""

    def take(self, key: str) -> float:
        """Use it once for a connection; return 0.0, or the seconds after which that is possible."""


class Endless:
    """The allowance of a server without limits."""

    def take(self, key: str) -> float:
        """Allow it."""
        return 0.0


class Throttle:
    """How fast one connection is heard."""

    __slots__ = ("_allowance", "_key", "_taken", "_wait_s")

    def __init__(self, allowance: Allowance, key: str) -> None:
        self._allowance = allowance
        self._key = key
        self._taken = 0
        self._wait_s = 0.0

    def holds(self) -> bool:
        """Count a packet that has arrived; True: it is not taken before `released` is done."""
        self._taken += 1
        self._wait_s = self._allowance.take(self._key)
        return self._wait_s > 0.0 or self._taken >= _TURN

    async def released(self) -> None:
        """Let the others have their turn, and wait as long as the allowance asks."""
        self._taken = 0
        await asyncio.sleep(0)
        while self._wait_s > 0.0:
            await asyncio.sleep(self._wait_s)
            self._wait_s = self._allowance.take(self._key)
