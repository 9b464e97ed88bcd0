"""Rotation: new keys in the place of old ones, while everybody stays signed in.

A new master key goes to the disk; then everything sealed is sealed anew under it, and the
plugins make new keys of their own. Each step leaves everything readable, since old keys stay on
the ring: a rotation that is killed is finished by the next one, or within the hour by the job.
An old master key goes 30 days later. Until then it opens the backups of the database that were
made with it, and the answers that are kept for an `Idempotency-Key`.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from wellio.boot.hookspecs import KeyHolder
from wellio.clock import Clock, rfc3339
from wellio.jobs.jobs import JobRun
from wellio.jobs.schedules import Schedule
from wellio.observe.log import get_logger

from .ring import MasterRing

KEPT_DAYS: Final = 30
_KEPT_MS: Final = KEPT_DAYS * 86_400_000
_BY_SETTING: Final = f"""
Where the master key is set ([secrets] master_key in config.toml, WELLIO_SECRETS__MASTER_KEY, or
the file that one of them names), put {{key}},<the present value> in the place of the present value.
On several nodes, put <the present value>,{{key}} on each of them first, and restart one by one.
Restart. Within an hour everything is sealed under the new key.
Take the old key out after {KEPT_DAYS} days, when no backup needs it any more.
"""
_log = get_logger(__name__)


class Rotation:
    """Changes the keys of one app."""

    def __init__(self, ring: MasterRing, clock: Clock, *holders: KeyHolder) -> None:
        self._ring, self._clock = ring, clock
        self._holders = list(holders)
        self._busy = asyncio.Lock()

    def add(self, *holders: KeyHolder) -> None:
        """Make more of those known who keep something sealed."""
        self._holders += holders

    async def rotate(self) -> Mapping[str, Any]:
        """Make new keys, seal everything anew, and tell what was done and what is left to do."""
        async with self._busy:
            await self._reseal()  # what cannot be sealed anew is found before anything changes
            todo: list[str] = []
            if self._ring.path is None:
                key = MasterRing.new_key_text()
                todo = [_BY_SETTING.format(key=key).strip()]
                state = "unchanged, for it is a setting"
            else:
                await asyncio.to_thread(self._ring.add, self._clock.now_ms())
                state = f"{self._ring.path} has a new one"
            for holder in self._holders:
                await holder.renew()
            sealed = await self._reseal()
        return {
            "master_key": state,
            "sealed": [{"what": what, "anew": count} for what, count in sealed.items()],
            "older": [
                {"key": key.id.hex(), "goes_after": rfc3339(key.retired_at + _KEPT_MS)}
                for key in self._ring.keys
                if key.retired_at is not None
            ],
            "todo": todo,
        }

    def tending(self) -> Schedule:
        """Return the schedule that finishes rotations and drops old master keys."""
        return Schedule("wellio.tend_keys", "37 * * * *", self._tend)

    async def _tend(self, run: JobRun) -> None:
        if len(self._ring.keys) == 1:
            return
        async with self._busy:
            anew = sum((await self._reseal()).values())
            dropped = 0
            if self._ring.path is not None:  # only now is nothing left that an old key sealed
                dropped = await asyncio.to_thread(self._ring.drop, run.clock.now_ms() - _KEPT_MS)
        if anew or dropped:
            _log.info("master keys tended", sealed_anew=anew, dropped=dropped)

    async def _reseal(self) -> dict[str, int]:
        return {holder.name: await holder.reseal() for holder in self._holders}
