"""Reads and changes the practice's settings; the first owner's account brings them."""

from collections.abc import Mapping
from typing import Any

from wellio import Account, IfMatch, Letterhead, Row, Tx, Wellio

from . import store
from .models import DEFAULTS, Practice, PracticeChange


class SettingsService:
    """The one row of settings; until an owner exists the defaults stand for it."""

    def __init__(self, app: Wellio) -> None:
        self._db, self._clock, self._audit = app.db, app.clock, app.audit

    async def read(self) -> dict[str, Any]:
        """Return the settings in their wire form."""
        return _wire(await store.read(self._db))

    async def letterhead(self) -> Letterhead:
        """Return what mails say of the practice."""
        practice = await self.read()
        return Letterhead(practice["name"], practice["timeZone"])

    async def change(
        self, actor_id: str, change: PracticeChange, if_match: IfMatch
    ) -> dict[str, Any]:
        """Change the settings that are given, and return all of them.

        Raises:
            PreconditionFailed: They are others by now than the caller insists on.
        """
        return await self._db.write(self._change, actor_id, change, if_match, self._clock.now_ms())

    async def _change(
        self, tx: Tx, actor_id: str, change: PracticeChange, if_match: IfMatch, now: int
    ) -> dict[str, Any]:
        await store.insert_once(tx, DEFAULTS, now)
        if_match.check(tx, _wire(await store.lock(tx)))
        await store.update(tx, change, now)
        names = " ".join(change.model_dump(exclude_none=True)) or None
        await self._audit.record(tx, "practice.updated", "practice", actor_id=actor_id, note=names)
        return _wire(await store.read(tx))

    async def on_account(self, tx: Tx, account: Account, attributes: Mapping[str, Any]) -> None:
        """Store the practice's settings with its first owner."""
        if account.role == "owner":
            settings = Practice.model_validate(attributes.get("practice") or DEFAULTS)
            await store.insert_once(tx, settings, self._clock.now_ms())


def _wire(row: Row | None) -> dict[str, Any]:
    if row is None:
        return DEFAULTS.model_dump(by_alias=True)
    return {
        "name": row["name"],
        "timeZone": row["time_zone"],
        "currency": row["currency"],
        "locale": row["locale"],
    }
