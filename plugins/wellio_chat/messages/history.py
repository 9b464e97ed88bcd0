"""Reads conversations page by page."""

from typing import Final

from wellio import Actor, NotFound, Row, Slice, Wellio, decode_cursor, encode_cursor

from . import store
from .models import HistoryQuery

_END: Final = 2**53


class HistoryService:
    """What a member reads; to everybody else there is nothing."""

    def __init__(self, app: Wellio) -> None:
        self._db = app.db

    async def version(self, actor: Actor, conversation_id: str) -> tuple[int, int]:
        """Return what moves with everything that a page of the conversation shows.

        Raises:
            NotFound: The actor is no member.
        """
        version = await store.version(self._db, conversation_id, actor.user_id)
        if version is None:
            raise NotFound
        return version

    async def read(self, actor: Actor, conversation_id: str, query: HistoryQuery) -> Slice[Row]:
        """Return a page of a conversation, newest first or ascending from `afterSeq`.

        Raises:
            NotFound: The actor is no member.
            Invalid: The cursor is none of this list.
        """
        start = query.after_seq
        ascending = start is not None
        if query.cursor:
            start, ascending = decode_cursor(query.cursor, int, bool)
        read, edge = (store.after, 0) if ascending else (store.before, _END)
        rows = await read(
            self._db,
            conversation_id,
            actor.user_id,
            edge if start is None else start,
            query.limit + 1,
        )
        if not rows:
            await self.version(actor, conversation_id)
        return Slice.of(rows, query.limit, lambda row: encode_cursor(row["seq"], ascending))
