"""What a role shows of chat; who may do what is in tests/contract/rules/chat.py."""

import pytest

from tests.plugins.chat.conftest import Practice
from wellio.testing import Sockets

pytestmark = pytest.mark.sqlite("tests/contract calls every endpoint on both")

SEND = {"content": "Hello"}


async def test_dashboard_shows_what_waits(practice: Practice) -> None:
    direct = await practice.direct("coach", "client")
    await practice.send("coach", direct, "One")
    await practice.send("coach", direct, "Two")
    dashboard = (await practice.api("client").get("/dashboard", status=200)).data
    assert dashboard["unread"] == 2
    assert [c["id"] for c in dashboard["conversations"]] == [direct]
    assert dashboard["conversations"][0]["lastMessage"]["content"] == "Two"
    dashboard = (await practice.api("assistant").get("/dashboard", status=200)).data
    assert (dashboard["unread"], dashboard["conversations"]) == (0, [])


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
    for method, body in [("PATCH", SEND), ("DELETE", None)]:
        reply = await practice.api("coach").request(method, f"/messages/{own['id']}", body)
        assert (reply.status, reply.code) == (403, "forbidden")
