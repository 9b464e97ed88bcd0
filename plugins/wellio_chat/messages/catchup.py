"""Tells a client what it missed, in one conversation or in all of them.

The log holds what happened, in ids; what an event carries is made at the time of reading from the
present state. A message that was deleted since shows as its tombstone from its first event on.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence

import orjson

from wellio import (
    Actor,
    Gone,
    Invalid,
    NotFound,
    Row,
    Slice,
    Wellio,
    decode_cursor,
    encode_cursor,
    invalid,
)
from wellio_chat.config import ChatConfig
from wellio_chat.conversations import store as conversations
from wellio_chat.conversations.entry import Entry

from . import log
from .log import START, Place
from .models import NOW, LogQuery, Missed

# The text in one answer to `sync`, as JSON writes it (a control character takes six bytes): well
# below what may wait for a slow socket.
_PAGE_BYTES = 262_144
_PATIENCE_S = 1.0
_BLINK_S, _LONGEST_BLINK_S = 0.01, 0.2  # between two looks, each twice as long as the one before
_OF_MESSAGES = frozenset({"new_message", "message_updated", "message_deleted"})


class Resync(Gone):
    """410: the cursor or number is none of this server's: read everything anew."""

    default_code = "resync"
    default_detail = "This position is not known here: fetch everything anew."


class CatchUpService:
    """Reads the logs of the conversations that somebody is in."""

    def __init__(self, app: Wellio) -> None:
        self._db = app.db
        self._page = app.settings(ChatConfig).sync_page

    async def log(self, actor: Actor, conversation_id: str, query: LogQuery) -> Slice[Entry]:
        """List what happened in a conversation after an `eventSeq`.

        Raises:
            NotFound: The actor is no member.
            Gone: `resync`: the number lies in the future, so it is of another database.
        """
        after = int(query.cursor) if query.cursor else query.after
        rows = await log.log(self._db, conversation_id, actor.user_id, after, query.limit + 1)
        if not rows:
            head = await conversations.read(self._db, conversation_id, actor.user_id)
            if head is None:
                raise NotFound
            if after > head["last_event_seq"]:
                raise _resync()
        found = Slice.of(rows, query.limit, lambda row: str(row["event_seq"]))
        return Slice(await self._entries(found.rows), found.next_cursor)

    async def now(self, actor: Actor) -> str | None:
        """Return the cursor behind which `sync` tells what is not in any read from here on.

        What is read may hold more: something whose place is not certain yet comes again then.

        Returns:
            None while nothing ever happened to the actor.
        """
        row = await log.last(self._db, actor.user_id)
        return None if row is None else _cursor(row)

    async def sync(self, actor: Actor, after: str | None) -> Missed:
        """Return the next events of all the actor's conversations, in the order of commit.

        Who was taken out of a group learns of that and of nothing else there; once they are back,
        a gap in `eventSeq` tells them to read that conversation's log.

        Args:
            actor: Who catches up.
            after: `next` of the answer before; None from the start, `now` for a cursor alone.

        Raises:
            Invalid: It never was a cursor.
            Gone: `resync`: the cursor is none of this database.
        """
        if after == NOW:
            return Missed((), await self.now(actor), has_more=False)
        rows = await self._settled(actor.user_id, await self._place(after))
        shown = _page([row for row in rows[: self._page] if row["is_settled"]])
        goes_on_at = _cursor(shown[-1]) if shown else after
        return Missed(await self._entries(shown), goes_on_at, len(rows) > len(shown))

    async def _settled(self, viewer: str, after: Place) -> list[Row]:
        """Read on, until the first event has its final place or it has taken too long.

        Who was not connected when it happened would else hear of it only with a later one.
        """
        until, blink_s = time.monotonic() + _PATIENCE_S, _BLINK_S
        while True:
            rows = await log.sync(self._db, viewer, after, self._page + 1)
            if not rows or rows[0]["is_settled"] or time.monotonic() > until:
                return rows
            await asyncio.sleep(blink_s)
            blink_s = min(2 * blink_s, _LONGEST_BLINK_S)

    async def _place(self, after: str | None) -> Place:
        if after is None:
            return START
        try:
            xid, conversation_id, event_seq, at = decode_cursor(after, int, str, int, int)
        except Invalid as error:
            if _is_of_before(after):
                raise _resync() from error
            raise invalid("/after", "bad_cursor", "is no cursor of `sync`") from error
        place = Place(xid, conversation_id, event_seq)
        if not await log.is_ours(self._db, place, at):
            raise _resync()
        return place

    async def _entries(self, rows: Iterable[Row]) -> list[Entry]:
        return [await self._entry(row) for row in rows]

    async def _entry(self, row: Row) -> Entry:
        """Return an entry with what it is about as that is now."""
        kind, conversation_id = row["kind"], row["log_of"]
        opening = None
        if kind == "conversation_created":
            opening = await conversations.opening(self._db, conversation_id)
        return Entry(
            conversation_id,
            row["event_seq"],
            kind,
            message=row if kind in _OF_MESSAGES else None,
            message_id=row["message_id"],
            user_id=row["user_id"],
            status=row["status"],
            seq=row["up_to"],
            opening=opening,
        )


def _page(rows: Sequence[Row]) -> Sequence[Row]:
    """Return as many of the first rows as a socket takes at once; one at least."""
    size = 0
    for index, row in enumerate(rows):
        size += len(orjson.dumps(row["body"]))
        if size > _PAGE_BYTES and index:
            return rows[:index]
    return rows


def _cursor(row: Row) -> str:
    return encode_cursor(row["xid"], row["log_of"], row["event_seq"], row["happened_at"])


def _is_of_before(cursor: str) -> bool:
    """Tell whether a cursor is of a version in which every entry had a row of its own."""
    try:
        decode_cursor(cursor, int, int, int)
    except Invalid:
        return False
    return True


def _resync() -> Resync:
    return Resync()
