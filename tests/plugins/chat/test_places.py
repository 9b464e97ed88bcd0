"""Places in the log, found by halving and by index, against a look at every entry.

Logs are made up: messages and others in any order, several in a commit and in several
conversations, some of which the viewer was taken out of.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wellio_chat.messages import log
from wellio_chat.messages.log import START, Place

from tests.plugins.chat.conftest import Practice
from wellio import Tx, new_id

#: An entry: how far its commit is from the one before in its conversation; whether it is a message.
ENTRIES = st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=12)
LOGS = st.lists(st.tuples(ENTRIES, st.booleans()), max_size=4)
_CONVERSATION = """
INSERT INTO chat_conversation (id, kind, other_events, created_at) VALUES (:id, 'group', :n, 1)
"""
_MEMBER = """
INSERT INTO chat_member (conversation_id, user_id, joined_at, delivered_seq, read_seq,
                         removed_event_seq)
VALUES (:id, :viewer, 1, 0, 0, :removed)
"""
_MESSAGE = """
INSERT INTO chat_message (id, conversation_id, seq, event_seq, xid, mode, type, body, created_at)
VALUES (:message_id, :id, :seq, :event_seq, :xid, 'standard', 'text', 'x', :at)
"""
_EVENT = """
INSERT INTO chat_event (conversation_id, event_seq, nth, xid, kind, created_at)
VALUES (:id, :event_seq, :nth, :xid, 'member_removed', :at)
"""


@dataclass
class Log:
    """One conversation's: the places of its entries, and of which the viewer may know."""

    id: str
    removed: int | None
    entries: list[Place]

    @property
    def visible(self) -> list[Place]:
        return [it for it in self.entries if self.removed in {None, it.event_seq}]


async def write(tx: Tx, viewer: str, logs: list[Any]) -> list[Log]:
    """Replace all conversations by made-up ones."""
    await tx.execute("DELETE FROM chat_conversation")
    made = []
    for entries, is_out in logs:
        id_, xid, seq, nth = new_id(), 1, 0, 0
        others = [n for n, (_, is_message) in enumerate(entries, 1) if not is_message]
        removed = others[-1] if is_out and others else None
        await tx.execute(_CONVERSATION, id=id_, n=len(others))
        await tx.execute(_MEMBER, id=id_, viewer=viewer, removed=removed)
        places = []
        for event_seq, (step, is_message) in enumerate(entries, 1):
            xid += step
            row = {"id": id_, "event_seq": event_seq, "xid": xid, "at": event_seq}
            places.append(Place(xid, id_, event_seq))
            if is_message:
                seq += 1
                await tx.execute(_MESSAGE, message_id=new_id(), seq=seq, **row)
            else:
                nth += 1
                await tx.execute(_EVENT, nth=nth, **row)
        made.append(Log(id_, removed, places))
    return made


async def check(practice: Practice, logs: list[Any], limit: int) -> None:
    db, viewer = practice.app.app.db, practice.ids["client"]
    made = await db.write(write, viewer, logs)
    told = sorted(place for it in made for place in it.visible)
    for place in [START, *told]:
        rows = await log.sync(db, viewer, place, limit)
        found = [Place(row["xid"], row["log_of"], row["event_seq"]) for row in rows]
        assert found == [it for it in told if it > place][:limit]
    newest = await log.last(db, viewer)
    assert (newest and tuple(newest)[:3]) == (told[-1] if told else None)
    for it in made:
        numbers = [] if it.removed else [place.event_seq for place in it.entries]
        for after in range(len(it.entries) + 1):
            rows = await log.log(db, it.id, viewer, after, limit)
            assert [row["event_seq"] for row in rows] == numbers[after : after + limit]
        for place in it.entries:
            at = place.event_seq
            assert await log.is_ours(db, place, at)
            for other in (place._replace(xid=place.xid + 1), place._replace(event_seq=at + 1)):
                assert not await log.is_ours(db, other, at)


@pytest.mark.both_engines("its SQL is nowhere else")
@pytest.mark.timeout(300)
async def test_every_place_is_found(practice: Practice) -> None:
    loop = asyncio.get_running_loop()

    @settings(
        max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(logs=LOGS, limit=st.integers(1, 5))
    def search(logs: list[Any], limit: int) -> None:
        asyncio.run_coroutine_threadsafe(check(practice, logs, limit), loop).result()

    await asyncio.to_thread(search)
