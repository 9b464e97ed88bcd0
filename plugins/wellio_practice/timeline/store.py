"""What the practice itself brings to timelines: the record's beginning, and its care team."""

from collections.abc import Sequence

from wellio import Database, Row, Wellio

from .models import TimelineEntry, TimelineSource

_MADE = """
SELECT id, created_at AS at, NULL AS actor_id, NULL AS ref_id FROM practice_client
WHERE id = :client_id AND (created_at, id) < (:at, :id)
LIMIT :limit
"""
# Where the role of somebody changes, one row of theirs ends and another begins in that instant:
# they look after the client as before.
_ASSIGNED = """
SELECT a.id, a.from_at AS at, NULL AS actor_id, a.user_id AS ref_id FROM practice_assignment a
WHERE a.client_id = :client_id AND (a.from_at, a.id) < (:at, :id)
  AND NOT EXISTS (SELECT 1 FROM practice_assignment b
                  WHERE b.client_id = a.client_id AND b.user_id = a.user_id
                    AND b.until_at = a.from_at AND b.id < a.id)
ORDER BY a.from_at DESC, a.id DESC LIMIT :limit
"""
_UNASSIGNED = """
SELECT a.id, a.until_at AS at, a.ended_by AS actor_id, a.user_id AS ref_id
FROM practice_assignment a
WHERE a.client_id = :client_id AND (a.until_at, a.id) < (:at, :id)
  AND NOT EXISTS (SELECT 1 FROM practice_assignment b
                  WHERE b.client_id = a.client_id AND b.user_id = a.user_id
                    AND b.from_at = a.until_at AND b.id > a.id)
ORDER BY a.until_at DESC, a.id DESC LIMIT :limit
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
