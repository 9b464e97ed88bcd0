"""What the practice itself brings to timelines: the record's beginning, and its care team."""

from collections.abc import Sequence

from wellio import Database, Row, Wellio

from .models import TimelineEntry, TimelineSource

_MADE = """
SELECT id, created_at AS at, NULL AS actor_id, NULL AS ref_id FROM practice_client
WHERE id = :client_id AND (created_at, id) < (:at, :id)
LIMIT :limit
"""
_ASSIGNED = """
SELECT id, from_at AS at, NULL AS actor_id, user_id AS ref_id FROM practice_assignment
WHERE client_id = :client_id AND (from_at, id) < (:at, :id)
ORDER BY from_at DESC, id DESC LIMIT :limit
"""
_UNASSIGNED = """
SELECT id, until_at AS at, ended_by AS actor_id, user_id AS ref_id FROM practice_assignment
WHERE client_id = :client_id AND (until_at, id) < (:at, :id)
ORDER BY until_at DESC, id DESC LIMIT :limit
"""


class _Rows:
    """A source that is one query."""

    def __init__(self, db: Database, kind: str, sql: str) -> None:
        self.kind = kind
        self._db, self._sql = db, sql

    async def entries(
        self, client_id: str, before: tuple[int, str], limit: int
    ) -> Sequence[TimelineEntry]:
        """Return what the query finds."""
        at, row_id = before
        rows = await self._db.fetch_all(
            self._sql, client_id=client_id, at=at, id=row_id, limit=limit
        )
        return [self._entry(row) for row in rows]

    def _entry(self, row: Row) -> TimelineEntry:
        return TimelineEntry(row["id"], row["at"], self.kind, row["actor_id"], row["ref_id"])


def sources(app: Wellio) -> Sequence[TimelineSource]:
    """Return the practice's own sources."""
    return [
        _Rows(app.db, "client.created", _MADE),
        _Rows(app.db, "client.assigned", _ASSIGNED),
        _Rows(app.db, "client.unassigned", _UNASSIGNED),
    ]
