"""Conversations: one per pair, groups with changing members, lists by activity."""

import asyncio

import pytest

from tests.plugins.chat.conftest import Practice

pytestmark = pytest.mark.sqlite("tests/contract calls every endpoint on both")


async def test_a_pair_has_one_conversation(practice: Practice) -> None:
    body = {"kind": "direct", "memberIds": [practice.ids["client"]]}
    with practice.app.bus.expect("conversation.created"):
        first = await practice.api("coach").post("/conversations", body, status=201)
    assert first.headers["Location"] == f"/api/v1/conversations/{first.data['id']}"
    assert {m["userId"] for m in first.data["members"]} == {
        practice.ids["coach"],
        practice.ids["client"],
    }
    back = {"kind": "direct", "memberIds": [practice.ids["coach"], practice.ids["client"]]}
    with practice.app.bus.expect():
        again = await practice.api("client").post("/conversations", back, status=200)
    assert again.data["id"] == first.data["id"]


@pytest.mark.both_engines("what happens at once is the point")
async def test_a_pair_that_opens_at_once_gets_one_conversation(practice: Practice) -> None:
    both = [("coach", "client"), ("client", "coach")] * 10
    replies = await asyncio.gather(
        *(
            practice.api(name).post(
                "/conversations", {"kind": "direct", "memberIds": [practice.ids[other]]}
            )
            for name, other in both
        )
    )
    assert sorted(reply.status for reply in replies) == [200] * 19 + [201]
    assert len({reply.data["id"] for reply in replies}) == 1


async def test_what_cannot_be_opened(practice: Practice) -> None:
    ids = practice.ids
    for body, pointer in [
        ({"kind": "direct", "memberIds": [ids["coach"]]}, "/memberIds"),
        ({"kind": "direct", "memberIds": [ids["client"], ids["owner"]]}, "/memberIds"),
        ({"kind": "direct", "memberIds": []}, "/memberIds"),
        ({"kind": "crowd", "memberIds": [ids["client"]]}, "/kind"),
        ({"kind": "direct", "memberIds": [ids["client"]], "title": "Us"}, "/title"),
    ]:
        reply = await practice.api("coach").post("/conversations", body, status=422)
        assert [error["pointer"] for error in reply.data["errors"]] == [pointer]


async def test_staff_reach_each_other_and_owners_everyone(practice: Practice) -> None:
    for name, other in [
        ("coach", "other_coach"),
        ("coach", "owner"),
        ("owner", "stranger"),
        ("client", "coach"),
    ]:
        assert await practice.direct(name, other)


async def test_members_come_and_go(practice: Practice) -> None:
    group = await practice.group("coach", "client")
    path = f"/conversations/{group}/members"
    before = await practice.send("coach", group, "Before")
    with practice.app.bus.expect("member.added"):
        reply = await practice.api("coach").post(
            path, {"userId": practice.ids["owner"]}, status=201
        )
    assert len(reply.data["members"]) == 3
    with practice.app.bus.expect():
        await practice.api("coach").post(path, {"userId": practice.ids["owner"]}, status=201)
    seen = (await practice.api("owner").get(f"/conversations/{group}/messages")).data["items"]
    assert [message["id"] for message in seen] == [before["id"]]
    joined = (await practice.api("owner").get(f"/conversations/{group}")).data
    assert joined["unread"] == 0
    with practice.app.bus.expect("member.removed"):
        await practice.api("client").delete(f"{path}/{practice.ids['client']}", status=204)
    await practice.api("client").get(f"/conversations/{group}", status=404)
    await practice.api("coach").delete(f"{path}/{practice.ids['client']}", status=404)
    await practice.api("owner").delete(f"{path}/{practice.ids['coach']}", status=204)
    await practice.api("coach").get(f"/conversations/{group}/messages", status=404)
    kinds = [entry["event"] for entry in await practice.events("owner", group)]
    assert kinds == [
        "conversation_created",
        "new_message",
        "member_added",
        "member_removed",
        "member_removed",
    ]


async def test_a_direct_conversation_keeps_its_members(practice: Practice) -> None:
    direct = await practice.direct("coach", "client")
    path = f"/conversations/{direct}/members"
    added = await practice.api("coach").post(path, {"userId": practice.ids["owner"]}, status=409)
    assert added.data["code"] == "not_a_group"
    await practice.api("client").delete(f"{path}/{practice.ids['client']}", status=409)


async def test_list_begins_with_the_newest_activity(practice: Practice) -> None:
    with_client = await practice.direct("coach", "client")
    with_owner = await practice.direct("coach", "owner")
    group = await practice.group("coach", "client")
    for conversation_id in (with_owner, with_client):
        await practice.send("coach", conversation_id, "Hello")
    # Made and written to within one millisecond, they go by their ids.
    found, cursor = [], None
    while True:
        query = {"limit": 1, **({"cursor": cursor} if cursor else {})}
        reply = (await practice.api("coach").get("/conversations", query=query)).data
        found += reply["items"]
        cursor = reply["nextCursor"]
        if cursor is None:
            break
    assert {c["id"] for c in found} == {with_client, with_owner, group}
    keys = [(c["activeAt"], c["id"]) for c in found]
    assert keys == sorted(keys, reverse=True)
    await practice.api("coach").get("/conversations", query={"cursor": "what"}, status=422)


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
