"""Catch-up: every change of a conversation once, in order, from any point, for its members."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from wellio_chat.messages import catchup as service
from wellio_chat.messages import log as store

from tests.plugins.chat.conftest import Practice
from wellio import decode_cursor, encode_cursor
from wellio.realtime import RealtimeSettings
from wellio.testing import DEADLINE_S, Socket, Sockets
from wellio.testing.plugin import MakeUser, StartApp


async def sync(socket: Socket, after: str | None = None) -> tuple[list[Any], str | None]:
    items: list[Any] = []
    while True:
        answer = await socket.call("sync", {"after": after})
        assert answer["ok"], answer
        items += answer["items"]
        after = answer["next"]
        if not answer["hasMore"]:
            return items, after


async def test_the_log_tells_everything_once(practice: Practice) -> None:
    group = await practice.group("coach", "client")
    first = await practice.send("coach", group, "One")
    second = await practice.send("coach", group, "Two")
    await practice.api("coach").patch(f"/messages/{first['id']}", {"content": "1"}, status=200)
    await practice.api("client").post(
        f"/conversations/{group}/read", {"messageId": first["id"]}, status=200
    )
    await practice.api("coach").delete(f"/messages/{second['id']}", status=204)
    log = await practice.events("client", group)
    assert [(entry["eventSeq"], entry["event"]) for entry in log] == [
        (1, "conversation_created"),
        (2, "new_message"),
        (3, "new_message"),
        (4, "message_updated"),
        (5, "message_status"),
        (6, "message_deleted"),
    ]
    assert all(entry["data"]["eventSeq"] == entry["eventSeq"] for entry in log)
    assert all(entry["data"]["conversationId"] == group for entry in log)
    created, one, two, edited, read, deleted = (entry["data"] for entry in log)
    assert created["memberIds"] == sorted([practice.ids["coach"], practice.ids["client"]])
    assert (one["content"], one["status"], edited["content"]) == ("1", None, "1")
    assert (two["content"], two["deletedAt"]) == (None, deleted["deletedAt"])
    assert (read["userId"], read["status"], read["seq"]) == (practice.ids["client"], "read", 1)


async def test_the_log_is_read_in_pages(practice: Practice) -> None:
    direct = await practice.direct("coach", "client")
    for number in range(5):
        await practice.send("coach", direct, str(number))
    path, client = f"/conversations/{direct}/events", practice.api("client")
    page = (await client.get(path, query={"after": 2, "limit": 2}, status=200)).data
    assert [entry["eventSeq"] for entry in page["items"]] == [3, 4]
    query = {"cursor": page["nextCursor"], "limit": 2}
    page = (await client.get(path, query=query, status=200)).data
    assert ([entry["eventSeq"] for entry in page["items"]], page["nextCursor"]) == ([5, 6], None)
    page = (await client.get(path, query={"after": 6}, status=200)).data
    assert page == {"items": [], "nextCursor": None}
    future = await client.get(path, query={"after": 7}, status=410)
    assert future.data["code"] == "resync"
    await client.get(path, query={"cursor": "x"}, status=422)


async def test_sync_goes_over_all_conversations(
    practice: Practice, shared_sockets: Sockets
) -> None:
    url, people = practice.app.url, practice.people
    socket = await shared_sockets.plain(url, people["coach"])
    assert await sync(socket) == ([], None)
    direct = await practice.direct("coach", "client")
    group = await practice.group("coach", "client")
    await practice.direct("client", "coach")
    for number in range(3):
        await practice.send("coach", direct, str(number))
        await practice.send("client", group, str(number))
    items, cursor = await sync(socket)
    order = [(item["conversationId"], item["eventSeq"]) for item in items]
    both = [(c, n) for n in (2, 3, 4) for c in (direct, group)]
    assert order == [(direct, 1), (group, 1), *both]
    assert await sync(socket, cursor) == ([], cursor)
    await practice.send("client", direct, "more")
    more, _ = await sync(socket, cursor)
    assert [(m["conversationId"], m["data"]["content"]) for m in more] == [(direct, "more")]
    stranger = await shared_sockets.plain(url, people["stranger"])
    assert await sync(stranger) == ([], None)


async def test_sync_goes_on_page_by_page(
    wellio_app: StartApp, make_user: MakeUser, sockets: Sockets
) -> None:
    app = await wellio_app(settings={"plugins.chat.sync_page": 3})
    owner, coach = await make_user("owner"), await make_user("coach")
    ids = []
    for kind in ("direct", "group"):
        body = {"kind": kind, "memberIds": [coach.id]}
        ids.append((await app.api.as_(owner).post("/conversations", body)).data["id"])
    for number in range(7):
        for conversation_id in ids:
            await app.api.as_(owner).post(
                f"/conversations/{conversation_id}/messages", {"content": str(number)}, status=201
            )
    socket = await sockets.plain(app.url, coach)
    items, _ = await sync(socket)
    order = [(item["conversationId"], item["eventSeq"]) for item in items]
    assert order == [(c, n) for n in range(1, 9) for c in ids]


async def test_a_page_of_long_messages_is_shorter(
    practice: Practice, shared_sockets: Sockets
) -> None:
    """Else one answer alone would fill what may wait for a slow peer, again at each retry."""
    direct = await practice.direct("coach", "client")
    for _ in range(40):
        await practice.send("coach", direct, "é" * 8192)
    socket = await shared_sockets.io(practice.app.url, practice.people["client"])
    first = await socket.call("sync", {"after": None})
    assert first["hasMore"]
    assert len(str(first).encode()) < RealtimeSettings().max_waiting_bytes // 2
    items, _ = await sync(socket)
    assert [item["eventSeq"] for item in items] == list(range(1, 42))


async def test_a_cursor_of_another_database_means_resync(
    practice: Practice, shared_sockets: Sockets
) -> None:
    direct = await practice.direct("coach", "client")
    await practice.send("coach", direct, "Hello")
    socket = await shared_sockets.plain(practice.app.url, practice.people["coach"])
    _, cursor = await sync(socket)
    assert cursor is not None
    xid, _, event_seq, at = decode_cursor(cursor, int, str, int, int)
    others = [
        (0, 1, 1),  # as an older version had them
        (xid, direct, event_seq, at + 1),
        (xid, direct, event_seq + 1, at),
        (xid + 1, direct, event_seq, at),
        (xid, "elsewhere", event_seq, at),
    ]
    for foreign in others:
        answer = await socket.call("sync", {"after": encode_cursor(*foreign)})
        assert answer["error"]["code"] == "resync", foreign
    for wrong in ("NOW", "x", "", encode_cursor("a"), encode_cursor(1, 2), cursor + "A", "\u00e9"):
        error = (await socket.call("sync", {"after": wrong}))["error"]
        found = [(it["pointer"], it["code"]) for it in error.get("errors", ())]
        assert (error["status"], found) == (422, [("/after", "bad_cursor")]), wrong


async def test_who_was_removed_learns_that_and_nothing_after(
    practice: Practice, shared_sockets: Sockets
) -> None:
    group = await practice.group("coach", "client")
    await practice.send("coach", group, "Hello")
    socket = await shared_sockets.plain(practice.app.url, practice.people["client"])
    _, cursor = await sync(socket)
    last = await practice.send("coach", group, "Still here")
    await practice.api("coach").delete(
        f"/conversations/{group}/members/{practice.ids['client']}", status=204
    )
    await socket.receive("new_message", id=last["id"])
    await socket.receive("member_removed", userId=practice.ids["client"])
    await practice.send("coach", group, "Among us")
    await practice.api("coach").patch(f"/messages/{last['id']}", {"content": "!"}, status=200)
    missed, _ = await sync(socket, cursor)
    assert [item["event"] for item in missed] == ["member_removed"]
    again, _ = await sync(socket)
    assert [item["event"] for item in again] == ["member_removed"]
    assert socket.received == []
    await practice.api("coach").post(
        f"/conversations/{group}/members", {"userId": practice.ids["client"]}, status=201
    )
    await socket.receive("member_added", userId=practice.ids["client"])
    back, _ = await sync(socket)
    assert [item["eventSeq"] for item in back] == list(range(1, 8))


async def test_an_overtaken_transaction_keeps_the_order(
    practice: Practice, shared_sockets: Sockets
) -> None:
    """On Postgres a transaction's number may be lower than that of the one before it here."""
    direct = await practice.direct("coach", "client")
    if practice.app.app.db.engine == "postgres":  # SQLite's writer numbers them itself
        await practice.app.app.db.write(_number_ahead)
    await practice.send("coach", direct, "1")
    await practice.send("coach", direct, "2")
    for _ in range(4):
        await practice.app.app.db.ping()
        await practice.send("client", await practice.direct("client", "coach"), "later")
    rows = await practice.app.app.db.fetch_all(
        "SELECT e.xid, e.event_seq FROM chat_event e WHERE e.conversation_id = :id UNION ALL "
        "SELECT m.xid, m.event_seq FROM chat_message m WHERE m.conversation_id = :id "
        "ORDER BY xid, event_seq",
        id=direct,
    )
    assert [row["event_seq"] for row in rows] == list(range(1, 8))
    items, _ = await sync(await shared_sockets.plain(practice.app.url, practice.people["coach"]))
    assert [item["eventSeq"] for item in items] == list(range(1, 8))


async def test_what_waits_for_an_open_transaction_is_told_later(
    practice: Practice, shared_sockets: Sockets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Postgres an event has its place in the order only when every older transaction ended."""
    direct = await practice.direct("coach", "client")
    socket = await shared_sockets.plain(practice.app.url, practice.people["client"])
    items, before = await sync(socket)
    url = practice.app.app.config.database.url
    assert url is not None
    async with open_transaction(url.get_secret_value()):
        await practice.send("coach", direct, "Now")
        answer = await socket.call("sync", {"after": before})
        if practice.app.app.db.engine == "postgres":
            assert (answer["items"], answer["next"], answer["hasMore"]) == ([], before, True)
        monkeypatch.setattr(service, "_PATIENCE_S", DEADLINE_S)
        looked = when_it_looked(monkeypatch)
        coming = asyncio.create_task(socket.call("sync", {"after": before}))
        await asyncio.wait_for(looked.wait(), DEADLINE_S)  # it finds the transaction open
    answer = await coming
    assert [item["event"] for item in answer["items"]] == ["new_message"]
    assert not answer["hasMore"]
    assert len(items) + 1 == answer["items"][0]["eventSeq"]


async def test_the_list_says_from_where_to_catch_up(
    practice: Practice, shared_sockets: Sockets
) -> None:
    direct, group = (
        await practice.direct("coach", "client"),
        await practice.group("coach", "client"),
    )
    socket = await shared_sockets.plain(practice.app.url, practice.people["client"])
    for conversation_id in (direct, group):
        await practice.send("coach", conversation_id, "long ago")
    cursor = await listed(practice)
    assert await sync(socket, cursor) == ([], cursor)
    now = {"ok": True, "items": [], "next": cursor, "hasMore": False}
    assert await socket.call("sync", {"after": "now"}) == now
    message = await practice.send("coach", direct, "new")
    items, _ = await sync(socket, cursor)
    assert [item["data"]["messageId"] for item in items] == [message["id"]]
    await practice.api("coach").delete(
        f"/conversations/{group}/members/{practice.ids['client']}", status=204
    )
    await practice.send("coach", group, "among us")
    left, _ = await sync(socket, await listed(practice))
    assert left == []
    stranger = (await practice.api("stranger").get("/conversations", status=200)).data
    assert stranger == {"items": [], "nextCursor": None, "syncCursor": None}


async def test_what_is_just_being_stored_is_behind_the_cursor(
    practice: Practice, shared_sockets: Sockets
) -> None:
    """In the list or not, it comes with the next `sync`: again, or for the first time."""
    direct = await practice.direct("coach", "client")
    await practice.send("coach", direct, "before")
    socket = await shared_sockets.plain(practice.app.url, practice.people["client"])
    url = practice.app.app.config.database.url
    assert url is not None
    async with open_transaction(url.get_secret_value()):
        before = await listed(practice)
        await practice.send("coach", direct, "meanwhile")
        cursor = await listed(practice)
        if practice.app.app.db.engine == "postgres":
            assert cursor == before
    later, _ = await sync(socket, before)
    assert [item["data"]["content"] for item in later] == ["meanwhile"]


async def listed(practice: Practice) -> str | None:
    """Return the cursor that comes with the client's conversations."""
    cursor: str | None = (await practice.api("client").get("/conversations", status=200)).data[
        "syncCursor"
    ]
    return cursor


def when_it_looked(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Return what is set once `sync` has read the log."""
    looked, read = asyncio.Event(), store.sync

    async def read_and_tell(*arguments: Any) -> Any:
        found = await read(*arguments)
        looked.set()
        return found

    monkeypatch.setattr(store, "sync", read_and_tell)
    return looked


@asynccontextmanager
async def open_transaction(url: str) -> AsyncIterator[None]:
    """Have a transaction of somebody else's open, as a slow one is; SQLite knows none."""
    if not url.startswith("postgres"):
        yield
        return
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute("SELECT pg_current_xact_id()")
            yield
    finally:
        await connection.close()


async def _number_ahead(tx: Any) -> None:
    """Pretend that every event so far is of a transaction with a number that is yet to come."""
    await tx.execute("UPDATE chat_message SET xid = xid + 3")
    await tx.execute("UPDATE chat_event SET xid = xid + 3")
