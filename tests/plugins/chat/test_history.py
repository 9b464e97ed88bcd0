"""Pages of messages are kept, and never out of date."""

from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from wellio_chat.messages.history import HistoryService
from wellio_chat.messages.models import HistoryQuery
from wellio_chat.messages.pages import Pages

from tests.plugins.chat.conftest import Practice
from wellio import Actor, Database, NotFound, Row, Wellio

pytestmark = pytest.mark.sqlite("test_plans and test_model run these statements on both engines")

Change = Callable[[Practice, str, dict[str, Any]], Awaitable[Any]]


async def _send(practice: Practice, room: str, _: dict[str, Any]) -> None:
    await practice.send("client", room, "More")


async def _edit(practice: Practice, _: str, message: dict[str, Any]) -> None:
    await practice.api("coach").patch(f"/messages/{message['id']}", {"content": "New"}, status=200)


async def _delete(practice: Practice, _: str, message: dict[str, Any]) -> None:
    await practice.api("coach").delete(f"/messages/{message['id']}", status=204)


async def _read(practice: Practice, room: str, message: dict[str, Any]) -> None:
    body = {"messageId": message["id"]}
    await practice.api("client").post(f"/conversations/{room}/read", body, status=200)


async def _leave(practice: Practice, room: str, _: dict[str, Any]) -> None:
    """Take the slowest away: to the others, the message is read."""
    await _read(practice, room, _)
    path = f"/conversations/{room}/members/{practice.ids['owner']}"
    await practice.api("owner").delete(path, status=204)


def actor(practice: Practice, name: str) -> Actor:
    return Actor(practice.ids[name], name, "", frozenset({"chat.read"}))


@pytest.mark.parametrize("change", [_send, _edit, _delete, _read, _leave])
async def test_a_page_shows_what_changed_since_it_was_read(
    practice: Practice, change: Change
) -> None:
    room = await practice.group("coach", "client", "owner")
    message = await practice.send("coach", room, "First")
    coach, query = actor(practice, "coach"), HistoryQuery()
    kept = practice.pages
    before = await kept.read(coach, room, query)
    assert await kept.read(coach, room, query) is before
    await change(practice, room, message)
    after = await kept.read(coach, room, query)
    fresh = await Pages(practice.app.app).read(coach, room, query)
    assert after == fresh
    if change is not _read:  # one of two others is no news to the sender
        assert after != before


async def test_each_viewer_and_each_place_has_a_page_of_its_own(practice: Practice) -> None:
    room = await practice.direct("coach", "client")
    for n in range(3):
        await practice.send("coach", room, str(n))
    path = f"/conversations/{room}/messages"
    for _ in range(2):
        newest = (await practice.api("coach").get(f"{path}?limit=1", status=200)).data
        older = f"{path}?limit=1&cursor={newest['nextCursor']}"
        next_ = (await practice.api("coach").get(older, status=200)).data
        ascending = (await practice.api("coach").get(f"{path}?afterSeq=1", status=200)).data
        other = (await practice.api("client").get(f"{path}?limit=1", status=200)).data
        assert [m["content"] for m in newest["items"] + next_["items"]] == ["2", "1"]
        assert [m["content"] for m in ascending["items"]] == ["1", "2"]
        assert (newest["items"][0]["status"], other["items"][0]["status"]) == ("sent", None)


async def test_who_was_taken_out_reads_nothing_any_more(practice: Practice) -> None:
    room = await practice.group("coach", "client")
    await practice.send("coach", room, "Here")
    path = f"/conversations/{room}/messages"
    await practice.api("client").get(path, status=200)
    await practice.api("coach").delete(
        f"/conversations/{room}/members/{practice.ids['client']}", status=204
    )
    await practice.api("client").get(path, status=404)


class Between:
    """A database in which something happens between the first read and the next."""

    def __init__(self, db: Database, happens: Callable[[], Awaitable[Any]]) -> None:
        self.db, self.happens = db, happens
        self.has_happened = False

    async def fetch_one(self, sql: str, **params: Any) -> Row | None:
        row = await self.db.fetch_one(sql, **params)
        if not self.has_happened:
            self.has_happened = True
            await self.happens()
        return row

    async def fetch_all(self, sql: str, **params: Any) -> list[Row]:
        return await self.db.fetch_all(sql, **params)


async def test_who_is_taken_out_while_reading_finds_nothing(practice: Practice) -> None:
    room = await practice.group("coach", "client")
    await practice.send("coach", room, "Here")
    path = f"/conversations/{room}/members/{practice.ids['client']}"
    db = Between(practice.app.app.db, lambda: practice.api("coach").delete(path, status=204))
    history = HistoryService(cast("Wellio", SimpleNamespace(db=db)))
    pages = Pages(cast("Wellio", SimpleNamespace(service=lambda _: history)))
    with pytest.raises(NotFound):
        await pages.read(actor(practice, "client"), room, HistoryQuery())
