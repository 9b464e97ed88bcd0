"""How fast one peer is heard: a flood is slowed down, and everybody else has their turn meanwhile.

Everything that a peer sends counts, since what no handler ever sees costs time too: pongs, answers
that nobody waits for, namespaces that are not there. Who sends too fast is not refused; they are
read more slowly, and TCP holds them back.
"""

import asyncio
from typing import Final, Protocol

UNIT: Final = 4096
"""So many bytes count as one more packet."""

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
    """How fast one connection is heard.

    Attributes:
        wait_s: The seconds after which `resume` is to be asked, when something is held.
    """

    __slots__ = ("_allowance", "_key", "_owed", "_taken", "wait_s")

    def __init__(self, allowance: Allowance, key: str) -> None:
        self._allowance = allowance
        self._key = key
        self._taken = 0
        self._owed = 0
        self.wait_s = 0.0

    def holds(self, count: int = 1) -> bool:
        """Count packets that have arrived; True: no more are taken before `resume` says so."""
        self._taken += count
        self._owed += count
        self._pay()
        return self.wait_s > 0.0 or self._taken >= _TURN

    def resume(self) -> float:
        """Begin a new turn; return 0.0, or the seconds for which more is still held."""
        self._taken = 0
        self._pay()
        return self.wait_s

    async def released(self) -> None:
        """Let the others have their turn, and wait as long as the allowance asks."""
        await asyncio.sleep(self.wait_s)
        while wait_s := self.resume():  # noqa: ASYNC110 - it waits for time itself
            await asyncio.sleep(wait_s)

    def _pay(self) -> None:
        """Use the allowance for what arrived, as far as it reaches."""
        self.wait_s = 0.0
        while self._owed and not self.wait_s:
            self.wait_s = self._allowance.take(self._key)
            self._owed -= not self.wait_s
