"""Rate limits: budgets that fill up again with time, for what somebody may do only so often.

    class Letters:
        def __init__(self, app: Wellio) -> None:
            self._letters = app.limits.budget("letters", Rate(burst=20, per_s=0.1))

        async def send(self, actor: Actor, letter: Letter) -> None:
            self._letters.spend(actor.user_id)  # or raises: 429, or a refused socket event

A service spends, not a route: then REST and sockets share one budget, and no other spelling of a
path has a second one.

Each budget is a token bucket, kept as one number: when it will be full again (GCRA). The library
`limits` was tried and left. It has windows and no buckets, so that "10 a second, 120 at once" does
not exist there; it goes by the wall clock, which administrators set; and a use and what is left of
the window take 13 µs there and under 1 µs here.
"""

import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from heapq import nlargest
from typing import Any, Self

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from wellio.errors import TooManyRequests

MAX_KEYS = 20_000
"""Keys of one budget that are remembered."""

_RATE = re.compile(r"(\d+)\+(\d+(?:\.\d+)?)/s", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rate:
    """How often something may be done; a setting writes it `120+10/s`.

    Attributes:
        burst: So often at once.
        per_s: So much of that comes back in a second.
    """

    burst: int
    per_s: float

    def __str__(self) -> str:
        return f"{self.burst}+{self.per_s:g}/s"

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read a setting.

        Raises:
            ValueError: It is none.
        """
        if isinstance(value, cls):
            return value
        match = _RATE.fullmatch(value) if isinstance(value, str) else None
        rate = cls(int(match[1]), float(match[2])) if match else None
        if rate is None or not rate.burst or not rate.per_s:
            raise ValueError('expected a rate such as "120+10/s"')
        return rate

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: Any, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.parse, serialization=core_schema.to_string_ser_schema()
        )


class Budget:
    """What each key, such as an account's id, may spend.

    Attributes:
        policy: The budget as the header `RateLimit-Policy` names it.
    """

    def __init__(
        self, name: str, rate: Rate, monotonic: Callable[[], float], *, is_enabled: bool
    ) -> None:
        self.policy = f'"{name}";q={rate.burst};w={math.ceil(rate.burst / rate.per_s)}'
        self.is_enabled = is_enabled
        self._name = name
        self._burst = rate.burst
        self._interval_s = 1 / rate.per_s
        # What may be missing from a full budget for one more use to be possible.
        self._slack_s = (rate.burst - 1 + 1e-6) * self._interval_s
        self._monotonic = monotonic
        self._full_at: dict[str, float] = {}

    def spend(self, key: str) -> None:
        """Use a key's budget once.

        Raises:
            TooManyRequests: It is used up; nothing is spent.
        """
        if wait_s := self.take(key):
            raise TooManyRequests(
                retry_after_s=round(wait_s, 3),
                headers={"RateLimit-Policy": self.policy, "RateLimit": self.left(key)},
            )

    def take(self, key: str) -> float:
        """Use a key's budget once, if it allows that.

        Returns:
            0.0, or the seconds after which it will.
        """
        if not self.is_enabled:
            return 0.0
        now = self._monotonic()
        full_at = self._full_at.get(key, now)
        if full_at < now:
            full_at = now
        elif full_at - now > self._slack_s:
            return full_at - now - self._slack_s
        self._full_at[key] = full_at + self._interval_s
        if len(self._full_at) > MAX_KEYS:
            self._forget(now)
        return 0.0

    def give_back(self, key: str) -> None:
        """Undo a use: it turned out to be none of those that the budget is there to limit."""
        if key in self._full_at:
            self._full_at[key] -= self._interval_s

    def left(self, key: str) -> str:
        """Return what is left to a key, as the header `RateLimit` says it."""
        missing_s = max(0.0, self._full_at.get(key, 0.0) - self._monotonic())
        remaining = self._burst - math.ceil(missing_s / self._interval_s - 1e-6)
        return f'"{self._name}";r={remaining};t={math.ceil(missing_s)}'

    def _forget(self, now: float) -> None:
        """Forget half of the keys: nobody gets back a budget by bringing new ones.

        A full budget is as good as one that was never used; of the others, the fullest go.
        """
        spent = ((full_at, key) for key, full_at in self._full_at.items() if full_at > now)
        self._full_at = {key: full_at for full_at, key in nlargest(MAX_KEYS // 2, spent)}


class Limits:
    """Makes the budgets of one app."""

    def __init__(
        self, *, is_enabled: bool = True, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Say whether there are any.

        Args:
            is_enabled: False has every budget allow everything.
            monotonic: Seconds that never go back.
        """
        self.is_enabled = is_enabled
        self._monotonic = monotonic

    def budget(self, name: str, rate: Rate) -> Budget:
        """Make a budget, once at boot.

        Args:
            name: What the header `RateLimit` calls it.
            rate: What each key of it may spend.
        """
        return Budget(name, rate, self._monotonic, is_enabled=self.is_enabled)
