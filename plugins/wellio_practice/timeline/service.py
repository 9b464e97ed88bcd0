"""Joins what all plugins know of a client into one list."""

from wellio import Slice, Wellio, decode_cursor, encode_cursor

from .models import TimelineEntry, TimelineQuery, TimelineSource

_FIRST, _LAST = "", "~"  # below and above every id


class TimelineService:
    """Reads timelines."""

    def __init__(self, app: Wellio) -> None:
        self._hooks = app.hooks

    async def read(self, client_id: str, query: TimelineQuery) -> Slice[TimelineEntry]:
        """List what happened to a client, newest first.

        Each source is asked once for what could stand on the page.
        """
        before = (2**53, _LAST, _LAST)
        if query.cursor is not None:
            at, kind, entry_id = decode_cursor(query.cursor, int, str, str)
            before = (at, kind, entry_id)
        sources: list[TimelineSource] = self._hooks.of("register_timeline")
        found: list[TimelineEntry] = []
        for source in sources:
            if query.kind in {None, source.kind}:
                place = _place(before, source.kind)
                found += await source.entries(client_id, place, query.limit + 1)
        found.sort(key=_key, reverse=True)
        return Slice.of(
            found[: query.limit + 1], query.limit, lambda entry: encode_cursor(*_key(entry))
        )


def _key(entry: TimelineEntry) -> tuple[int, str, str]:
    """Return the place of an entry among all: what happened at once goes by its kind."""
    return entry.at, entry.kind, entry.id


def _place(before: tuple[int, str, str], kind: str) -> tuple[int, str]:
    """Return the same place among the entries of one kind."""
    at, its_kind, entry_id = before
    if kind == its_kind:
        return at, entry_id
    return at, _LAST if kind < its_kind else _FIRST
