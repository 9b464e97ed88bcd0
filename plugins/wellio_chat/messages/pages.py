"""Pages of messages as they went out: the ones that were lately read are kept."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

import orjson

from wellio import Actor, Wellio

from . import wire
from .history import HistoryService
from .models import HistoryQuery

_MAX_KEPT: Final = 256
_MAX_KEPT_BYTES: Final = 65_536  # of one page


@dataclass(frozen=True, slots=True)
class _Kept:
    """A page, and the state of the conversation that it shows."""

    version: tuple[int, int]
    page: bytes


class Pages:
    """Reads history as JSON.

    An app shows a conversation again and again, mostly unchanged. Whatever changes what a page
    shows also moves the conversation's version, which each read looks up together with the
    membership; so a page that was kept is never out of date, whichever process changed it.
    """

    def __init__(self, app: Wellio) -> None:
        self._history = app.service(HistoryService)
        self._kept: OrderedDict[tuple[object, ...], _Kept] = OrderedDict()

    async def read(self, actor: Actor, conversation_id: str, query: HistoryQuery) -> bytes:
        """List messages, newest first; with `afterSeq` ascending from there."""
        version = await self._history.version(actor, conversation_id)
        key = (conversation_id, actor.user_id, query.cursor, query.after_seq, query.limit)
        kept = self._kept.get(key)
        if kept is None or kept.version != version:
            kept = _Kept(version, await self._page(actor, conversation_id, query))
            self._keep(key, kept)
        else:
            self._kept.move_to_end(key)
        return kept.page

    async def _page(self, actor: Actor, conversation_id: str, query: HistoryQuery) -> bytes:
        found = await self._history.read(actor, conversation_id, query)
        items = [wire.message(row) for row in found.rows]
        return orjson.dumps({"items": items, "nextCursor": found.next_cursor})

    def _keep(self, key: tuple[object, ...], kept: _Kept) -> None:
        self._kept.pop(key, None)
        if len(kept.page) <= _MAX_KEPT_BYTES:
            self._kept[key] = kept
            if len(self._kept) > _MAX_KEPT:
                self._kept.popitem(last=False)
