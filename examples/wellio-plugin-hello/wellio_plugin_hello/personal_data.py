"""What this plugin stores about a person, handed out and taken away."""

from typing import Any, ClassVar

from wellio import Tx, Wellio

from . import store
from .pictures import Pictures


class WinData:
    """A client's wins and their number; for staff, what they noted."""

    tables: ClassVar[tuple[str, ...]] = ("hello_win", "hello_tally")

    def __init__(self, app: Wellio) -> None:
        self._db, self._pictures = app.db, app.service(Pictures)

    async def export(self, user_id: str) -> dict[str, list[dict[str, Any]]]:
        """Return everything about the person, by table."""
        return {
            table: [dict(zip(row.keys(), row, strict=True)) for row in rows]
            for table, rows in (await store.export(self._db, user_id)).items()
        }

    async def erase(self, tx: Tx, user_id: str) -> None:
        """Delete what is about the person, and take their name off what is about others."""
        for key in await store.erase(tx, user_id):
            await self._pictures.forget(tx, key)
