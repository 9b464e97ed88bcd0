"""What the practice stores about a person, handed out and taken away."""

from collections.abc import Iterable
from typing import Any, ClassVar

import orjson

from wellio import Row, Tx, Wellio

from .clients import store, team
from .clients.models import CLIENTS, ERASED, Record


class PracticeData:
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
        record = await store.own_record(self._db, user_id)
        return {
            "practice_client": [_record(record)] if record else [],
            "practice_assignment": _dicts(await team.history(self._db, user_id)),
            "practice_client_tag": _dicts(await store.own_tags(self._db, user_id)),
        }

    async def erase(self, tx: Tx, user_id: str) -> None:
        """Leave a tombstone of the person's record without tags, and end their assignments."""
        now = self._clock.now_ms()
        await team.leave(tx, user_id, now)
        record = await store.lock_own_record(tx, user_id)
        if record is None:
            return
        await team.end_all(tx, record["id"], now)
        await store.untag_all(tx, record["id"])
        await CLIENTS.change(tx, record, {**ERASED, "erased_at": now}, now=now)


def _record(row: Row) -> dict[str, Any]:
    record = {column: row[column] for column in Record.model_fields}
    return {**record, "metadata": orjson.loads(row["metadata"])}


def _dicts(rows: Iterable[Row]) -> list[dict[str, Any]]:
    return [dict(zip(row.keys(), row, strict=True)) for row in rows]
