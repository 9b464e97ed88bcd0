"""What this plugin brings to the practice's timelines."""

from collections.abc import Sequence

from wellio_practice import TimelineEntry

from wellio import Wellio

from . import store


class WinsOnTimeline:
    """A client's wins: that there are some, not what they say."""

    kind = "hello.win_noted"

    def __init__(self, app: Wellio) -> None:
        self._db = app.db

    async def entries(
        self, client_id: str, before: tuple[int, str], limit: int
    ) -> Sequence[TimelineEntry]:
        """Return when wins were noted and by whom, the newest first."""
        rows = await store.noted(self._db, client_id, before, limit)
        return [
            TimelineEntry(row["id"], row["created_at"], self.kind, row["author_id"]) for row in rows
        ]
