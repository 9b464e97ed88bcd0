"""What somebody may no longer do ends while they are connected: within a second, not at reconnect.

Security test A22. Carl never stops talking meanwhile, and nobody hears a message that he began to
send after the change was answered.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from wellio.testing import DEADLINE_S, Socket, Sockets, World
from wellio.testing.world import Credential, session_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Talk:
    """A conversation in which somebody never stops talking.

    Attributes:
        socket: Theirs.
        conversation_id: Where.
        sent: Every message that was acknowledged, in order.
        late: Where in `sent` begins what was sent after the change.
    """

    socket: Socket
    conversation_id: str
    sent: list[Mapping[str, Any]] = field(default_factory=list)
    late: int | None = None
    is_over: bool = False

    async def go_on(self) -> None:
        """Talk until it is over."""
        while not self.is_over:
            await self.say()

    async def say(self, count: int = 1) -> None:
        """Type, and send some messages."""
        about = {"conversationId": self.conversation_id}
        for _ in range(count):
            await self.socket.call("typing", {**about, "isTyping": len(self.sent) % 2 == 0})
            ack = await self.socket.call("send_message", {**about, "content": "More"})
            assert ack["ok"], ack
            self.sent.append(ack["message"])

    def changed(self) -> None:
        """Note that the change was answered; one message may be under way."""
        self.late = len(self.sent) + 1

    def is_heard(self, socket: Socket) -> bool:
        """Tell whether a socket heard anything that is late."""
        assert self.late is not None
        late = {message["id"] for message in self.sent[self.late :]}
        assert late
        return any(data.get("id") in late for _, data in socket.received)


@asynccontextmanager
async def talking(
    world: World, shared_sockets: Sockets, conversation_id: str, *opened: Socket
) -> AsyncIterator[Talk]:
    """Have Carl talk meanwhile, once everybody hears him, and for a while after it."""
    talk = Talk(await connect(world, shared_sockets.plain, "carl"), conversation_id)
    await talk.say()
    for socket in opened:
        await socket.receive("new_message", conversationId=conversation_id)
    going_on = asyncio.create_task(talk.go_on())
    try:
        yield talk
    finally:
        talk.is_over = True
        await going_on
    await talk.say(5)


def credential(world: World, who: str) -> Credential:
    found = world.people[who]
    assert found is not None
    return found


async def connect(world: World, protocol: Any, who: str) -> Any:
    return await protocol(world.app.url, credential(world, who))


async def both(world: World, shared_sockets: Sockets, who: str) -> list[Socket]:
    """Connect somebody by both protocols."""
    return [
        await connect(world, protocol, who)
        for protocol in (shared_sockets.plain, shared_sockets.io)
    ]


async def are_closed(opened: Sequence[Socket], reason: str) -> None:
    """Wait until sockets are told why and closed."""
    async with asyncio.timeout(DEADLINE_S):
        for socket in opened:
            assert await socket.receive("session_revoked") == {"reason": reason}
            await socket.closed.wait()


async def refusal(socket: Socket, event: str, conversation_id: str, **more: Any) -> int:
    ack = await socket.call(event, {"conversationId": conversation_id, **more})
    return 200 if ack["ok"] else int(ack["error"]["status"])


async def test_who_is_taken_out_of_a_group_hears_nothing_more(
    world: World, shared_sockets: Sockets
) -> None:
    group, eve = await world.fill("{group}", "carls"), world.ids["eve"]
    opened = await both(world, shared_sockets, "eve")
    plain = opened[0]
    async with talking(world, shared_sockets, group, *opened) as talk:
        path = f"/conversations/{group}/members/{eve}"
        await world.api("carl").delete(path, status=204)
        talk.changed()
        for socket in opened:
            async with asyncio.timeout(DEADLINE_S):
                await socket.receive("member_removed", userId=eve)
            assert await refusal(socket, "send_message", group, content="May I?") == 404
            assert await refusal(socket, "typing", group, isTyping=True) == 404
            message = {"messageId": talk.sent[0]["id"]}
            assert await refusal(socket, "mark_read", group, **message) == 404
        await world.api("eve").get(f"/conversations/{group}/messages", status=404)
        plain.received.clear()  # it answers in order, so the rest would be late
    for socket in opened:
        assert await refusal(socket, "typing", group, isTyping=True) == 404
        assert not talk.is_heard(socket)
        assert not socket.closed.is_set()
    assert [event for event, data in plain.received if data.get("conversationId") == group] == []
    await world.replace("group", "carl")


#: What ends a way in, and what its sockets are told.
ENDS = {
    "disabled": "disabled",
    "logged out": "revoked",
    "key revoked": "api_key_revoked",
    "demoted": "role_changed",
}


@pytest.mark.parametrize("end", ENDS)
async def test_whose_way_in_ends_hears_nothing_more(
    world: World, shared_sockets: Sockets, end: str
) -> None:
    group, eve = await world.fill("{group}", "carls"), world.ids["eve"]
    body = {"note": "listener", "scopes": ["chat.read"]}
    key = (await world.api("eve").post("/api-keys", body, status=201)).data
    world.people["eve's key"] = Credential(key["key"])
    who = "eve's key" if end == "key revoked" else "eve"
    opened = await both(world, shared_sockets, who)
    async with talking(world, shared_sockets, group, *opened) as talk:
        match end:
            case "disabled":
                await change_eve(world, status="disabled")
            case "demoted":
                await change_eve(world, role="assistant")
            case "logged out":
                session = session_of(credential(world, "eve"))
                await world.api("eve").delete(f"/auth/sessions/{session}", status=204)
            case "key revoked":
                await world.api("eve").delete(f"/api-keys/{key['id']}", status=204)
        talk.changed()
        await are_closed(opened, ENDS[end])
        await world.api(who).get("/me", status=200 if end == "demoted" else 401)
        again = await both(world, shared_sockets, who) if end == "demoted" else []
        for socket in again:
            assert await refusal(socket, "send_message", group, content="May I?") == 403
    for socket in (*opened, *again):
        assert not talk.is_heard(socket)
    for socket in again:
        await socket.call("nothing", None)
        assert {event for event, _ in socket.received} <= {"presence"}
    await change_eve(world, status="active", role="coach")
    await world.sign_in("eve")
    conversation = await world.api("eve").get(f"/conversations/{group}", status=200)
    assert eve in {member["userId"] for member in conversation.data["members"]}


async def change_eve(world: World, **change: str) -> None:
    await world.api("owner").patch(f"/users/{world.ids['eve']}", change, status=200)
