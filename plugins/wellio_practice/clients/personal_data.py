"""What the practice stores about a client, handed out and taken away."""

from typing import Any, ClassVar

from wellio import Tx, Wellio

from . import store


class ClientData:
    """The client record, who looks after it, and its tags; a coach's list of clients."""

    tables: ClassVar[tuple[str, ...]] = (
        "practice_client",
        "practice_assignment",
        "practice_client_tag",
    )

    def __init__(self, app: Wellio) -> None:
        self._db, self._clock = app.db, app.clock

    async def export(self, user_id: str) -> dict[str, list[dict[str, Any]]]:
        """Return the person's own record, and for staff whom they look after."""
        return {
            table: [dict(zip(row.keys(), row, strict=True)) for row in rows]
            for table, rows in (await store.rows_about(self._db, user_id)).items()
        }

    async def erase(self, tx: Tx, user_id: str) -> None:
        """Leave a tombstone of the person's record without tags, and end their assignments."""
        await store.erase(tx, user_id, self._clock.now_ms())
