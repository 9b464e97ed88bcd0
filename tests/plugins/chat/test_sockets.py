"""Realtime: what one sends, the others get at once, over Socket.IO and `/ws`."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wellio_chat.config import ChatConfig
from wellio_chat.conversations import store as conversations
from wellio_chat.presence.service import PresenceService

from tests.plugins.chat.conftest import Practice
from tests.plugins.chat.test_catchup import sync
from wellio import ConfigError, Tx
from wellio.realtime.settings import RealtimeSettings
from wellio.testing import DEADLINE_S, Socket, Sockets

#: What a text may hold: anything but NUL and halves of characters.
TEXT = st.characters(codec="utf-8", exclude_characters="\x00")

pytestmark = pytest.mark.sqlite("test_plans and test_model run these statements on both engines")


async def opened(sockets: Sockets, kind: str, practice: Practice, name: str) -> Socket:
    url, user = practice.app.url, practice.people[name]
    return await (sockets.plain if kind == "plain" else sockets.io)(url, user)


@pytest.mark.parametrize("kind", ["plain", "io"])
async def test_a_message_reaches_the_other_and_ones_other_devices(
    practice: Practice, shared_sockets: Sockets, kind: str
) -> None:
    direct = await practice.direct("coach", "client")
    sender, second, other = [
        await opened(shared_sockets, kind, practice, name) for name in ("coach", "coach", "client")
    ]
    body = {"conversationId": direct, "content": "Hello", "localId": "x"}
    answer = await sender.call("send_message", body)
    assert answer["ok"]
    message = answer["message"]
    assert (message["seq"], message["status"], message["eventSeq"]) == (1, "sent", 2)
    for socket in (second, other):
        heard = await socket.receive("new_message")
        assert heard == {**message, "messageId": message["id"], "status": None}
    again = await sender.call("send_message", body)
    assert (again["ok"], again["duplicate"], again["message"]["id"]) == (True, True, message["id"])
    reused = await sender.call("send_message", {**body, "content": "Bye"})
    assert (reused["ok"], reused["error"]["code"]) == (False, "local_id_reused")
    invalid = await sender.call("send_message", {"conversationId": direct, "content": ""})
    assert [e["pointer"] for e in invalid["error"]["errors"]] == ["/content"]
    read = await other.call("mark_read", {"conversationId": direct, "messageId": message["id"]})
    assert (read["ok"], read["unread"]) == (True, 0)
    status = await sender.receive("message_status")
    assert status == {
        "messageId": message["id"],
        "conversationId": direct,
        "eventSeq": 3,
        "userId": practice.ids["client"],
        "status": "read",
        "seq": 1,
    }
    assert [event for event, _ in sender.received if event == "new_message"] == []
    assert [event for event, _ in other.received if event == "new_message"] == []


async def test_edits_deletions_and_receipts_are_told(
    practice: Practice, shared_sockets: Sockets
) -> None:
    direct = await practice.direct("coach", "client")
    other = await shared_sockets.plain(practice.app.url, practice.people["client"])
    message = await practice.send("coach", direct, "Helo")
    own = f"/messages/{message['id']}"
    marked = await other.call(
        "mark_delivered", {"conversationId": direct, "messageId": message["id"]}
    )
    assert (marked["deliveredSeq"], marked["readSeq"], marked["unread"]) == (1, 0, 1)
    assert (await practice.api("coach").get(own)).data["status"] == "delivered"
    await practice.api("coach").patch(own, {"content": "Hello"}, status=200)
    await practice.api("coach").delete(own, status=204)
    live = {
        event: await other.receive(event)
        for event in ("new_message", "message_status", "message_updated", "message_deleted")
    }
    assert [data["eventSeq"] for data in live.values()] == [2, 3, 4, 5]
    assert live["message_status"]["status"] == "delivered"
    assert live["message_updated"]["content"] == "Hello"
    logged = {entry["event"]: entry["data"] for entry in await practice.events("client", direct)}
    assert logged["message_deleted"] == live["message_deleted"]
    assert logged["message_status"] == live["message_status"]
    assert {**logged["message_updated"], "content": "Hello", "deletedAt": None} == live[
        "message_updated"
    ]


async def test_membership_works_at_once(practice: Practice, shared_sockets: Sockets) -> None:
    group = await practice.group("coach", "client")
    leaver = await shared_sockets.plain(practice.app.url, practice.people["client"])
    await practice.send("coach", group, "Before")
    await leaver.receive("new_message")
    await leaver.call("typing", {"conversationId": group, "isTyping": True})
    await practice.api("client").delete(
        f"/conversations/{group}/members/{practice.ids['client']}", status=204
    )
    await leaver.receive("member_removed", userId=practice.ids["client"])
    await practice.send("coach", group, "After")
    for event, body in [
        ("send_message", {"conversationId": group, "content": "Hello?"}),
        ("typing", {"conversationId": group, "isTyping": False}),
    ]:
        answer = await leaver.call(event, body)
        assert answer["error"]["code"] == "not_found"
    assert [event for event, _ in leaver.received if event != "presence"] == []


@pytest.mark.parametrize("first", ["message", "mark", "typing"])
async def test_a_removal_by_another_process_works_at_once(
    practice: Practice, shared_sockets: Sockets, first: str
) -> None:
    """What this process remembers of the members is wrong until something else is done."""
    group = await practice.group("coach", "client", "owner")
    socket = await shared_sockets.plain(practice.app.url, practice.people["client"])
    owner = await shared_sockets.plain(practice.app.url, practice.people["owner"])
    before = await practice.send("coach", group, "Before")
    await socket.receive("new_message")

    async def remove(tx: Tx) -> None:
        await conversations.leave(tx, group, practice.ids["client"], 2)
        await tx.execute(
            "UPDATE chat_conversation SET members_version = 2 WHERE id = :id", id=group
        )

    await practice.app.app.db.write(remove)
    match first:
        case "message":
            await practice.send("coach", group, "After")
        case "mark":
            body = {"conversationId": group, "messageId": before["id"]}
            assert (await owner.call("mark_read", body))["ok"]
        case "typing":
            body = {"conversationId": group, "isTyping": True}
            assert (await owner.call("typing", body))["ok"]
    assert (await socket.call("sync", {"after": None}))["ok"]
    assert [event for event, _ in socket.received if event != "presence"] == []


async def test_typing_is_passed_on_once_in_a_while(
    practice: Practice, shared_sockets: Sockets
) -> None:
    direct = await practice.direct("coach", "client")
    url, people = practice.app.url, practice.people
    coach, client = (
        await shared_sockets.plain(url, people["coach"]),
        await shared_sockets.plain(url, people["client"]),
    )
    for is_typing in (True, True, True, False):
        answer = await coach.call("typing", {"conversationId": direct, "isTyping": is_typing})
        assert answer == {"ok": True}
    await practice.send("coach", direct, "Done")
    await client.receive("new_message")
    told = [data for event, data in client.received if event == "typing"]
    assert told == [
        {"conversationId": direct, "userId": practice.ids["coach"], "isTyping": state}
        for state in (True, False)
    ]
    assert [event for event, _ in coach.received if event == "typing"] == []


class Held:
    """Delays the first call of a read until it is let go, so that a later one overtakes it."""

    def __init__(self, read: Callable[..., Awaitable[Any]]) -> None:
        self._read = read
        self._is_called = False
        self._is_held, self.let_go = asyncio.Event(), asyncio.Event()

    async def __call__(self, *arguments: Any) -> Any:
        is_first, self._is_called = not self._is_called, True
        found = await self._read(*arguments)
        if is_first:
            self._is_held.set()
            await self.let_go.wait()
        return found

    async def is_reached(self) -> None:
        """Wait until the first call is held."""
        async with asyncio.timeout(DEADLINE_S):
            await self._is_held.wait()


@contextmanager
def holding(monkeypatch: pytest.MonkeyPatch, name: str) -> Iterator[Held]:
    """Hold a read's first call until the block ends, whatever ends it: the app waits for it."""
    held = Held(getattr(conversations, name))
    monkeypatch.setattr(conversations, name, held)
    try:
        yield held
    finally:
        held.let_go.set()


async def test_of_two_typing_hints_the_later_is_told_last(
    practice: Practice, shared_sockets: Sockets, monkeypatch: pytest.MonkeyPatch
) -> None:
    direct = await practice.direct("coach", "client")
    url, people = practice.app.url, practice.people
    coach, client = (
        await shared_sockets.plain(url, people["coach"]),
        await shared_sockets.plain(url, people["client"]),
    )
    hints = [{"conversationId": direct, "isTyping": state} for state in (True, False)]
    with holding(monkeypatch, "members_version") as held:
        first = asyncio.create_task(coach.call("typing", hints[0]))
        await held.is_reached()
        assert await coach.call("typing", hints[1]) == {"ok": True}
    assert await first == {"ok": True}
    await practice.send("coach", direct, "Done")
    await client.receive("new_message")
    assert [d["isTyping"] for event, d in client.received if event == "typing"] == [False]


async def test_presence_that_changed_again_is_not_told(
    practice: Practice, shared_sockets: Sockets, monkeypatch: pytest.MonkeyPatch
) -> None:
    await practice.direct("coach", "client")
    url, people = practice.app.url, practice.people
    coach = await shared_sockets.plain(url, people["coach"])
    presence = practice.app.app.service(PresenceService)
    await presence.close()  # the coach's own
    with holding(monkeypatch, "contacts") as held:
        client = await shared_sockets.plain(url, people["client"])
        await held.is_reached()
        await client.close()
        await coach.receive("presence", online=False)
    await presence.close()
    assert (await coach.call("sync", {"after": None}))["ok"]
    assert [event for event, _ in coach.received if event == "presence"] == []


async def test_presence_is_for_those_who_share_a_conversation(
    practice: Practice, shared_sockets: Sockets
) -> None:
    direct = await practice.direct("coach", "client")
    url, people = practice.app.url, practice.people
    coach = await shared_sockets.plain(url, people["coach"])
    stranger = await shared_sockets.plain(url, people["stranger"])
    client = await shared_sockets.plain(url, people["client"])
    came = await coach.receive("presence", userId=practice.ids["client"])
    assert came == {"userId": practice.ids["client"], "online": True, "lastSeen": None}
    members = (await practice.api("coach").get(f"/conversations/{direct}")).data["members"]
    assert {m["userId"]: m["online"] for m in members} == {
        practice.ids["coach"]: True,
        practice.ids["client"]: True,
    }
    await client.close()
    left = await coach.receive("presence", userId=practice.ids["client"], online=False)
    assert left["lastSeen"] is not None
    assert stranger.received == []


async def test_the_longest_text_passes_however_long_it_is_as_json(
    practice: Practice, shared_sockets: Sockets
) -> None:
    """In, out, and again: by REST and both sockets, in broadcasts and in pages of `sync`."""
    url, people = practice.app.url, practice.people
    client = await shared_sockets.io(url, people["client"])
    coach = await shared_sockets.plain(url, people["coach"])
    direct = await practice.direct("coach", "client")
    text, body = "x" + "\x01" * 16_383, '"content": "x' + "\\u0001" * 16_383 + '"'
    path = f"/conversations/{direct}/messages"
    headers = {"Content-Type": "application/json"}
    content = f"{{{body}}}".encode()
    await practice.api("coach").post(path, content=content, headers=headers, status=201)
    frame = f'{{"event": "send_message", "data": {{"conversationId": "{direct}", {body}}}}}'
    for _ in range(12):
        await coach.connection.send_str(frame)
    for seq in range(1, 14):
        assert (await client.receive("new_message", seq=seq))["content"] == text
    packet = f'["send_message",{{"conversationId":"{direct}",{body}}}]'
    await client.client.eio.send(f"2{packet}")
    assert (await coach.receive("new_message", seq=14))["content"] == text
    again = await shared_sockets.plain(url, people["client"])
    items, _ = await sync(again)
    sent = [item["data"]["content"] for item in items if item["event"] == "new_message"]
    assert sent == [text] * 14


async def test_any_text_comes_back_as_it_was_sent(
    practice: Practice, shared_sockets: Sockets
) -> None:
    direct, url = await practice.direct("coach", "client"), practice.app.url
    coach = await shared_sockets.plain(url, practice.people["coach"])
    client = await shared_sockets.io(url, practice.people["client"])
    loop, path = asyncio.get_running_loop(), f"/conversations/{direct}/messages?limit=1"

    async def check(text: str) -> None:
        body = {"conversationId": direct, "content": text, "localId": text[:64]}
        sent = (await coach.call("send_message", body))["message"]
        heard = await client.receive("new_message", seq=sent["seq"])
        [read] = (await practice.api("client").get(path, status=200)).data["items"]
        for message in (sent, heard, read):
            assert (message["content"], message["localId"]) == (text, text[:64])

    numbers = count()  # each is another, or its localId would be reused

    @given(st.text(TEXT, max_size=99))
    @settings(max_examples=30, deadline=None, database=None)
    def any_texts(text: str) -> None:
        work = check(f"{next(numbers)}{text}")
        asyncio.run_coroutine_threadsafe(work, loop).result(DEADLINE_S)

    await asyncio.to_thread(any_texts)


def test_a_text_that_no_frame_can_carry_is_no_setting() -> None:
    ChatConfig().require_room(RealtimeSettings().max_payload)
    with pytest.raises(ConfigError, match="max_payload_bytes = 604096 or more, not 131072"):
        ChatConfig(text_bytes=100_000).require_room(131_072)


async def test_binary_data_is_no_text(practice: Practice, shared_sockets: Sockets) -> None:
    """Socket.IO can carry bytes where the models want text; Postgres would stumble over a NUL."""
    direct = await practice.direct("coach", "client")
    socket = await shared_sockets.io(practice.app.url, practice.people["coach"])
    good = {"conversationId": direct, "content": "Hello"}
    for field, value in [("conversationId", b"a\0"), ("content", b"Hello"), ("localId", b"x")]:
        answer = await socket.call("send_message", {**good, field: value})
        assert [error["pointer"] for error in answer["error"]["errors"]] == [f"/{field}"]


async def test_who_may_chat_no_longer_hears_nothing(
    practice: Practice, shared_sockets: Sockets
) -> None:
    """A coach who becomes an assistant is still a member, but the role reads no chat."""
    direct = await practice.direct("coach", "client")
    own = await practice.send("coach", direct, "A secret of two")
    role = {"role": "assistant"}
    await practice.api("owner").patch(f"/users/{practice.ids['coach']}", role, status=200)
    coach = await shared_sockets.plain(practice.app.url, practice.people["coach"])
    client = await shared_sockets.plain(practice.app.url, practice.people["client"])
    await practice.send("client", direct, "Another")
    assert (await client.call("typing", {"conversationId": direct, "isTyping": True}))["ok"]
    assert not (await coach.call("sync", {"after": None}))["ok"]
    assert coach.received == []
    for method, body in [("PATCH", {"content": "Hello"}), ("DELETE", None)]:
        reply = await practice.api("coach").request(method, f"/messages/{own['id']}", body)
        assert (reply.status, reply.code) == (403, "forbidden")
