"""Joins what all plugins know of a client into one list."""

from wellio import Slice, Wellio, decode_cursor, encode_cursor

from .models import TimelineEntry, TimelineQuery, TimelineSource

_FIRST, _LAST = "", "~"  # below and above every id
_END = (2**53, 2**53, _LAST)  # above everything


class TimelineService:
    """Reads timelines."""

    def __init__(self, app: Wellio) -> None:
        self._hooks = app.hooks

    async def read(self, client_id: str, query: TimelineQuery) -> Slice[TimelineEntry]:
        """List what happened to a client, newest first.

        Each source is asked once for what could stand on the page.
        """
        sources: list[TimelineSource] = self._hooks.of("register_timeline")
        before = _END
        if query.cursor is not None:
            before = decode_cursor(query.cursor, int, int, str)
        found: list[tuple[int, int, str, TimelineEntry]] = []
        for rank, source in enumerate(sources):
            if query.kind in {None, source.kind}:
                place = _place(before, rank)
                some = await source.entries(client_id, place, query.limit + 1)
                found += ((entry.at, rank, entry.id, entry) for entry in some)
        found.sort(key=lambda it: it[:3], reverse=True)
        part = Slice.of(found[: query.limit + 1], query.limit, lambda it: encode_cursor(*it[:3]))
        return Slice([entry for *_, entry in part.rows], part.next_cursor)


def _place(before: tuple[int, int, str], rank: int) -> tuple[int, str]:
    """Return the same place among the entries of one source.

    What happened at once stands in the order of the sources, which is that of the plugins.
    """
    at, its_rank, entry_id = before
    if rank == its_rank:
        return at, entry_id
    return at, _LAST if rank < its_rank else _FIRST
