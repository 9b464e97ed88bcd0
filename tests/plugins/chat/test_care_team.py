"""A coach's conversations with a client last as long as they look after the client."""

from typing import Any

import pytest

from tests.plugins.chat.conftest import Practice
from wellio.testing import Sockets

pytestmark = pytest.mark.sqlite("the SQL is plain; the log's is proven on both elsewhere")


async def assign(practice: Practice, method: str, coach: str) -> None:
    record = await practice.app.client_id(practice.people["client"])
    path = f"/clients/{record}/coaches/{practice.ids[coach]}"
    await practice.api("owner").request(method, path, status=204)
    await practice.app.settled()


async def members(practice: Practice, who: str, conversation_id: str) -> set[str]:
    found = await practice.api(who).get(f"/conversations/{conversation_id}", status=200)
    return {member["userId"] for member in found.data["members"]}


async def inbox(practice: Practice, who: str) -> list[str]:
    listed = (await practice.api(who).get("/conversations", status=200)).data["items"]
    return [conversation["id"] for conversation in listed]


async def test_it_ends_with_the_assignment_and_comes_back_with_it(
    practice: Practice, shared_sockets: Sockets
) -> None:
    ids, direct = practice.ids, await practice.direct("coach", "client")
    group = await practice.group("coach", "client")
    before = await practice.send("client", direct, "To my coach")
    socket = await shared_sockets.plain(practice.app.url, practice.people["coach"])
    await assign(practice, "DELETE", "coach")
    gone = await socket.receive("member_removed", conversationId=direct)
    assert gone["userId"] == ids["coach"]
    assert await inbox(practice, "coach") == [group]  # a group is its members'
    for method, path, body in (
        ("GET", f"/conversations/{direct}", None),
        ("GET", f"/conversations/{direct}/messages", None),
        ("POST", f"/conversations/{direct}/messages", {"content": "Wait"}),
        ("GET", f"/messages/{before['id']}", None),
        ("POST", "/conversations", {"kind": "direct", "memberIds": [ids["client"]]}),
    ):
        await practice.api("coach").request(method, path, body, status=404)
    assert await members(practice, "client", direct) == {ids["client"]}
    path = f"/conversations/{direct}/messages"
    refused = await practice.api("client").post(path, {"content": "Hello?"}, status=409)
    assert refused.code == "nobody_there"
    await assign(practice, "PUT", "coach")
    assert await practice.direct("client", "coach") == direct
    assert await members(practice, "client", direct) == {ids["client"], ids["coach"]}
    assert (await practice.send("client", direct, "There you are"))["status"] == "sent"
    kinds = [entry["event"] for entry in await practice.events("coach", direct)]
    assert kinds[-4:] == ["new_message", "member_removed", "member_added", "new_message"]


LOSING: dict[str, tuple[list[dict[str, str]], bool]] = {
    "an owner knows every client": ([{"role": "owner"}], False),
    "an owner who is none any more": ([{"role": "owner"}, {"role": "coach"}], True),
    "a coach who becomes a client": ([{"role": "client"}], True),
    "an assistant may come back": ([{"role": "assistant"}, {"role": "coach"}], True),
    "who is disabled may come back": ([{"status": "disabled"}, {"status": "active"}], True),
}


@pytest.mark.parametrize("case", LOSING)
async def test_it_goes_by_what_they_are_when_it_ends(practice: Practice, case: str) -> None:
    """Changes before and after the assignment ends; `coach` is signed out by some of them."""
    changes, is_lost = LOSING[case]
    direct = await practice.direct("coach", "client")
    path, owner = f"/users/{practice.ids['coach']}", practice.api("owner")
    change: dict[str, Any]
    for number, change in enumerate(changes):
        await owner.patch(path, change, status=200)
        if number == 0:
            await assign(practice, "DELETE", "coach")
    await practice.app.settled()
    there = await members(practice, "client", direct)
    assert (practice.ids["coach"] not in there) is is_lost


async def test_who_looks_after_somebody_keeps_it_through_a_change_of_role(
    practice: Practice,
) -> None:
    direct, path = await practice.direct("coach", "client"), f"/users/{practice.ids['coach']}"
    for change in ({"role": "assistant"}, {"name": "Coach"}, {"role": "coach"}):
        await practice.api("owner").patch(path, change, status=200)
        await practice.app.settled()
    assert await inbox(practice, "coach") == [direct]
