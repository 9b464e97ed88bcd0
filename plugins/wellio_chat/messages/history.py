"""Reads conversations page by page, and keeps the pages that were lately read."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

import orjson

from wellio import Actor, NotFound, Wellio, decode_cursor, encode_cursor, page

from . import store
from .models import HistoryQuery, message_wire

_END: Final = 2**53
_MAX_KEPT: Final = 256
_MAX_KEPT_BYTES: Final = 65_536  # of one page


@dataclass(frozen=True, slots=True)
class _Kept:
    """A page as it went out, and the state of the conversation that it shows."""

    version: tuple[int, int]
    page: bytes


class HistoryService:
    """What a member reads; to everybody else there is nothing.

    An app shows a conversation again and again, mostly unchanged. Whatever changes what a page
    shows also moves the conversation's version, which each read looks up together with the
    membership; so a page that was kept is never out of date, whichever process changed it.
    """

    def __init__(self, app: Wellio) -> None:
        self._db = app.db
        self._kept: OrderedDict[tuple[object, ...], _Kept] = OrderedDict()

    async def read(
        self, actor: Actor, conversation_id: str, query: HistoryQuery
    ) -> orjson.Fragment:
        """Return a page of a conversation, newest first or ascending from `afterSeq`.

        Raises:
            NotFound: The actor is no member.
            Invalid: The cursor is none of this list.
        """
        version = await store.version(self._db, conversation_id, actor.user_id)
        if version is None:
            raise NotFound
        key = (conversation_id, actor.user_id, query.cursor, query.after_seq, query.limit)
        kept = self._kept.get(key)
        if kept is None or kept.version != version:
            kept = _Kept(version, await self._page(actor, conversation_id, query))
            self._keep(key, kept)
        else:
            self._kept.move_to_end(key)
        return orjson.Fragment(kept.page)

    async def _page(self, actor: Actor, conversation_id: str, query: HistoryQuery) -> bytes:
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
        if not rows and await store.version(self._db, conversation_id, actor.user_id) is None:
            raise NotFound  # taken out a moment ago
        return orjson.dumps(
            page(rows, query.limit, lambda row: encode_cursor(row["seq"], ascending), message_wire)
        )

    def _keep(self, key: tuple[object, ...], kept: _Kept) -> None:
        self._kept.pop(key, None)
        if len(kept.page) <= _MAX_KEPT_BYTES:
            self._kept[key] = kept
            if len(self._kept) > _MAX_KEPT:
                self._kept.popitem(last=False)
