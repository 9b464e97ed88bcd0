"""Messages: sent once, numbered without gaps, edited and deleted by their sender."""

from typing import Any

import pytest

from tests.plugins.chat.conftest import Practice

pytestmark = pytest.mark.sqlite("tests/contract calls every endpoint on both")


@pytest.fixture
def path() -> str:
    return "/conversations/{}/messages"


async def test_send_and_read(practice: Practice, path: str) -> None:
    direct = await practice.direct("coach", "client")
    with practice.app.bus.expect("message.created"):
        reply = await practice.api("coach").post(
            path.format(direct), {"content": "Hi 👋", "localId": "a"}, status=201
        )
    message = reply.data
    assert reply.headers["Location"] == f"/api/v1/messages/{message['id']}"
    assert (message["seq"], message["status"], message["origin"]) == (1, "sent", "human")
    seen = (await practice.api("client").get(f"/messages/{message['id']}", status=200)).data
    assert seen == {**{k: v for k, v in message.items() if k != "eventSeq"}, "status": None}


@pytest.mark.both_engines("its SQL is nowhere else")
async def test_a_deleted_message_is_unread_by_nobody(practice: Practice, path: str) -> None:
    """Neither where it was deleted, nor after marking or sending below it, nor in a dashboard."""
    direct = await practice.direct("coach", "client")
    sent = [await practice.send("coach", direct, str(number)) for number in range(5)]
    coach, client = practice.api("coach"), practice.api("client")

    async def unread() -> int:
        seen = (await client.get(f"/conversations/{direct}", status=200)).data["unread"]
        board = (await client.get("/dashboard", status=200)).data
        assert board["unread"] == board["conversations"][0]["unread"] == seen
        return int(seen)

    await coach.delete(f"/messages/{sent[1]['id']}", status=204)
    assert await unread() == 4
    body = {"messageId": sent[0]["id"]}
    marked = (await client.post(f"/conversations/{direct}/read", body, status=200)).data
    assert marked["unread"] == await unread() == 3
    await practice.send("client", direct, "Between")
    await coach.delete(f"/messages/{sent[3]['id']}", status=204)
    await coach.delete(f"/messages/{sent[3]['id']}", status=204)
    assert await unread() == 2
    for message in (sent[0], sent[2], sent[4]):
        await coach.delete(f"/messages/{message['id']}", status=204)
    assert await unread() == 0
    assert (await coach.get(f"/conversations/{direct}", status=200)).data["unread"] == 1


async def test_a_local_id_is_for_ever(practice: Practice, path: str) -> None:
    direct = await practice.direct("coach", "client")
    body = {"content": "Once", "localId": "key"}
    coach, client = practice.api("coach"), practice.api("client")
    first = await coach.post(path.format(direct), body, status=201)
    await coach.patch(f"/messages/{first.data['id']}", {"content": "Twice"}, status=200)
    with practice.app.bus.expect():
        again = await coach.post(path.format(direct), body, status=200)
    assert (again.data["id"], again.data["duplicate"]) == (first.data["id"], True)
    assert again.data["content"] == "Twice"
    other = {"content": "Twice", "localId": "key"}
    reply = await coach.post(path.format(direct), other, status=409)
    assert reply.data["code"] == "local_id_reused"
    await coach.delete(f"/messages/{first.data['id']}", status=204)
    gone = await coach.post(path.format(direct), body, status=200)
    assert (gone.data["content"], gone.data["duplicate"]) == (None, True)
    await client.post(path.format(direct), other, status=201)  # keys are the sender's own
    elsewhere = await practice.direct("coach", "owner")
    await coach.post(path.format(elsewhere), other, status=201)


async def test_what_cannot_be_sent(practice: Practice, path: str) -> None:
    direct, elsewhere = (
        await practice.direct("coach", "client"),
        await practice.direct("coach", "owner"),
    )
    foreign = await practice.send("coach", elsewhere, "There")
    for body, pointer in [
        ({"content": ""}, "/content"),
        ({"content": "   "}, "/content"),
        ({"content": "\n\u200b\u2800"}, "/content"),
        ({"content": "a\x00b"}, "/content"),
        ({"content": "é" * 8193}, "/content"),
        ({"content": 7}, "/content"),
        ({}, "/content"),
        ({"content": "a", "type": "image"}, "/type"),
        ({"content": "a", "type": "system"}, "/type"),
        ({"content": "a", "type": "encrypted"}, "/type"),
        ({"content": "a", "localId": ""}, "/localId"),
        ({"content": "a", "localId": "x" * 65}, "/localId"),
        ({"content": "a", "replyTo": foreign["id"]}, "/replyTo"),
        ({"content": "a", "replyTo": "7"}, "/replyTo"),
        ({"content": "a", "attachmentIds": [foreign["id"]]}, "/attachmentIds"),
        ({"content": "a", "senderId": practice.ids["owner"]}, "/senderId"),
    ]:
        reply = await practice.api("coach").post(path.format(direct), body, status=422)
        assert [error["pointer"] for error in reply.data["errors"]] == [pointer], body
    longest = "é" * 8192
    assert (await practice.send("coach", direct, longest))["content"] == longest


async def test_replies(practice: Practice) -> None:
    direct = await practice.direct("coach", "client")
    first = await practice.send("coach", direct, "How are you?")
    second = await practice.send("client", direct, "Well.", replyTo=first["id"], attachmentIds=[])
    assert second["replyTo"] == first["id"]


async def test_edit_and_delete(practice: Practice) -> None:
    direct = await practice.direct("coach", "client")
    first = await practice.send("coach", direct, "Helo")
    await practice.send("client", direct, "What?")
    own = f"/messages/{first['id']}"
    coach = practice.api("coach")
    with practice.app.bus.expect("message.edited"):
        edited = (await coach.patch(own, {"content": "Hello"}, status=200)).data
    assert (edited["content"], edited["seq"]) == ("Hello", 1)
    assert edited["editedAt"] is not None
    with practice.app.bus.expect():
        await coach.patch(own, {"content": "Hello"}, status=200)
    await coach.patch(own, {"content": "é" * 8193}, status=422)
    with practice.app.bus.expect("message.deleted"):
        await coach.delete(own, status=204)
        await coach.delete(own, status=204)
    conflict = await coach.patch(own, {"content": "Back"}, status=409)
    assert conflict.data["code"] == "message_deleted"
    items = (await practice.api("client").get(f"/conversations/{direct}/messages")).data["items"]
    assert [(m["seq"], m["content"]) for m in items] == [(2, "What?"), (1, None)]
    assert items[1]["deletedAt"] is not None
    assert items[1]["attachments"] == []


async def test_history_pages_both_ways(practice: Practice, path: str) -> None:
    direct = await practice.direct("coach", "client")
    for number in range(1, 8):
        await practice.send("coach" if number % 2 else "client", direct, str(number))
    client = practice.api("client")

    async def walk(**query: int) -> list[int]:
        seqs, cursor = [], None
        while True:
            more: dict[str, str] = {"cursor": cursor} if cursor else {}
            page = (await client.get(path.format(direct), query={**query, **more})).data
            seqs += [message["seq"] for message in page["items"]]
            cursor = page["nextCursor"]
            if cursor is None:
                return seqs

    assert await walk(limit=3) == [7, 6, 5, 4, 3, 2, 1]
    assert await walk(limit=2, afterSeq=3) == [4, 5, 6, 7]
    assert await walk(limit=100, afterSeq=7) == []
    for query in ({"limit": 0}, {"limit": 101}, {"cursor": "x"}, {"afterSeq": -1}):
        await client.get(path.format(direct), query=query, status=422)


async def test_receipts_move_forward_only(practice: Practice) -> None:
    group = await practice.group("coach", "client", "owner")
    first, second = (
        await practice.send("coach", group, "One"),
        await practice.send("coach", group, "Two"),
    )

    async def status(message: dict[str, str], name: str = "coach") -> Any:
        return (await practice.api(name).get(f"/messages/{message['id']}")).data["status"]

    async def read(name: str, message: dict[str, str]) -> tuple[int, int, int]:
        body = {"messageId": message["id"]}
        reply = await practice.api(name).post(f"/conversations/{group}/read", body, status=200)
        return reply.data["deliveredSeq"], reply.data["readSeq"], reply.data["unread"]

    with practice.app.bus.expect("message.read"):
        assert await read("client", second) == (2, 2, 0)
    with practice.app.bus.expect():
        assert await read("client", first) == (2, 2, 0)
    assert await status(second) == "sent"  # the owner is the slowest
    assert await read("owner", first) == (1, 1, 1)
    assert (await status(first), await status(second)) == ("read", "sent")
    assert await status(first, "client") is None
    await practice.api("owner").delete(
        f"/conversations/{group}/members/{practice.ids['owner']}", status=204
    )
    assert await status(second) == "read"
    await practice.api("coach").post(
        f"/conversations/{group}/members", {"userId": practice.ids["owner"]}, status=201
    )
    assert await status(second) == "read"  # who comes later takes nothing back


async def test_unread_counts_others_messages_after_the_last_read(practice: Practice) -> None:
    direct = await practice.direct("coach", "client")

    async def unread(name: str) -> Any:
        return (await practice.api(name).get(f"/conversations/{direct}")).data["unread"]

    first = await practice.send("coach", direct, "1")
    await practice.send("client", direct, "2")  # does not claim to have read the first
    await practice.send("coach", direct, "3")
    assert (await unread("coach"), await unread("client")) == (1, 2)
    read = f"/conversations/{direct}/read"
    await practice.api("client").post(read, {"messageId": first["id"]}, status=200)
    assert await unread("client") == 1
    last = await practice.send("client", direct, "4")
    assert (await unread("coach"), await unread("client")) == (2, 1)
    await practice.api("client").post(read, {"messageId": last["id"]}, status=200)
    await practice.api("coach").post(read, {"messageId": last["id"]}, status=200)
    assert (await unread("coach"), await unread("client")) == (0, 0)
    await practice.send("client", direct, "5")
    assert (await unread("coach"), await unread("client")) == (1, 0)


async def test_a_status_is_that_of_the_others(practice: Practice) -> None:
    direct = await practice.direct("coach", "client")
    await practice.send("client", direct, "Not read by the coach")
    answer = await practice.send("coach", direct, "An answer all the same")
    body = {"messageId": answer["id"]}
    await practice.api("client").post(f"/conversations/{direct}/read", body, status=200)
    seen = (await practice.api("coach").get(f"/messages/{answer['id']}")).data
    assert seen["status"] == "read"
