"""Pages of messages are kept, and never out of date."""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest
from wellio_chat.models import HistoryQuery
from wellio_chat.service.history import HistoryService

from tests.plugins.chat.conftest import Practice
from wellio import Actor

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
    kept = practice.history
    before = orjson.dumps(await kept.read(coach, room, query))
    assert orjson.dumps(await kept.read(coach, room, query)) == before
    await change(practice, room, message)
    after = orjson.dumps(await kept.read(coach, room, query))
    fresh = orjson.dumps(await HistoryService(practice.app.app).read(coach, room, query))
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
