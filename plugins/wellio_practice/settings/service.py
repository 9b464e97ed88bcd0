"""Reads and changes the practice's settings; the first owner's account brings them."""

from collections.abc import Mapping
from typing import Any

from wellio import Account, Actor, IfMatch, Letterhead, Row, Tx, Wellio

from . import store
from .models import DEFAULTS, Practice, PracticeChange


class SettingsService:
    """The one row of settings; until an owner exists the defaults stand for it."""

    def __init__(self, app: Wellio) -> None:
        self._db, self._clock, self._audit = app.db, app.clock, app.audit

    async def read(self) -> Practice:
        """Read the practice's name, time zone, currency and language."""
        return _settings(await store.read(self._db))

    async def letterhead(self) -> Letterhead:
        """Return what mails say of the practice."""
        practice = await self.read()
        return Letterhead(practice.name, practice.time_zone)

    async def change(self, actor: Actor, change: PracticeChange, if_match: IfMatch) -> Practice:
        """Change some of them.

        Raises:
            PreconditionFailed: They are others by now than the caller insists on.
        """
        now = self._clock.now_ms()
        return await self._db.write(self._change, actor.user_id, change.given(), if_match, now)

    async def _change(
        self, tx: Tx, actor_id: str, given: Mapping[str, Any], if_match: IfMatch, now: int
    ) -> Practice:
        await store.insert_once(tx, DEFAULTS, now)
        before = _settings(await store.lock(tx))
        if_match.check(tx, before)
        after = before.model_copy(update=given)
        changed = [name for name in given if getattr(after, name) != getattr(before, name)]
        if changed:
            await store.update(tx, after, now)
            note = " ".join(changed)
            await self._audit.record(
                tx, "practice.updated", "practice", actor_id=actor_id, note=note
            )
        return after

    async def on_account(self, tx: Tx, account: Account, attributes: Mapping[str, Any]) -> None:
        """Store the practice's settings with its first owner."""
        if account.role == "owner":
            settings = Practice.model_validate(attributes.get("practice") or DEFAULTS)
            await store.insert_once(tx, settings, self._clock.now_ms())


def _settings(row: Row | None) -> Practice:
    if row is None:
        return DEFAULTS
    return Practice.model_construct(**dict(zip(row.keys(), row, strict=True)))
