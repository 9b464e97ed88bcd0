"""What other plugins read of the chat, and by which client they find it."""

from typing import Any

import pytest

from tests.plugins.chat.conftest import Practice
from wellio import Tx
from wellio.testing import TestApp

MEMBER = {"conversation_id", "user_id", "joined_at", "delivered_seq", "read_seq"} | {
    *("archived_at", "muted_until"),
}
MESSAGE = {"id", "conversation_id", "mode", "seq", "sender_id", "type", "origin", "body"} | {
    *("reply_to", "created_at", "edited_at", "deleted_at"),
}


async def rows(app: TestApp, sql: str, **params: Any) -> list[dict[str, Any]]:
    found = await app.app.db.fetch_all(sql, **params)
    return [dict(zip(row.keys(), row, strict=True)) for row in found]


async def test_members_are_those_of_now(practice: Practice) -> None:
    group = await practice.group("coach", "client", "owner")
    await practice.send("client", group, "Here")
    left = f"/conversations/{group}/members/{practice.ids['owner']}"
    await practice.api("coach").delete(left, status=204)
    found = await rows(
        practice.app, "SELECT * FROM chat_v_member WHERE conversation_id = :id", id=group
    )
    assert {row["user_id"]: row["read_seq"] for row in found} == {
        practice.ids["coach"]: 0,
        practice.ids["client"]: 1,
    }
    assert all(row.keys() == MEMBER for row in found)


async def test_a_body_shows_unless_it_is_encrypted_or_deleted(practice: Practice) -> None:
    direct = await practice.direct("coach", "client")
    await practice.send("coach", direct, "Plain")
    gone = await practice.send("coach", direct, "Gone")
    await practice.api("coach").delete(f"/messages/{gone['id']}", status=204)
    secret = await practice.group("coach", "client")

    async def seal(tx: Tx) -> None:
        await tx.execute("UPDATE chat_conversation SET mode = 'e2ee' WHERE id = :id", id=secret)
        await tx.execute(
            "INSERT INTO chat_message (id, conversation_id, mode, seq, event_seq, xid, type, "
            "ciphertext, created_at) VALUES ('m', :id, 'e2ee', 1, 2, 1, 'encrypted', :sealed, 1)",
            id=secret,
            sealed=b"sealed",
        )

    await practice.app.app.db.write(seal)
    sql = "SELECT * FROM chat_v_message WHERE conversation_id {in ids} ORDER BY mode, seq"
    found = await rows(practice.app, sql, ids=[direct, secret])
    assert [(row["mode"], row["seq"], row["body"]) for row in found] == [
        ("e2ee", 1, None),
        ("standard", 1, "Plain"),
        ("standard", 2, None),
    ]
    assert all(row.keys() == MESSAGE for row in found)


@pytest.mark.sqlite("the other cases of the chat run its statements on both engines")
async def test_events_name_the_client_of_their_conversation(practice: Practice) -> None:
    group = await practice.group("coach", "client")
    record = await practice.app.client_id(practice.people["client"])

    async def make_care(tx: Tx) -> None:
        sql = "UPDATE chat_conversation SET client_id = :client_id WHERE id = :id"
        await tx.execute(sql, client_id=record, id=group)

    await practice.app.app.db.write(make_care)
    members = f"/conversations/{group}/members"
    owner = {"userId": practice.ids["owner"]}
    await practice.api("coach").post(members, owner, status=201)
    sent = await practice.send("coach", group, "Here")
    await practice.api("client").post(
        f"/conversations/{group}/read", {"messageId": sent["id"]}, status=200
    )
    await practice.api("coach").patch(f"/messages/{sent['id']}", {"content": "New"}, status=200)
    await practice.api("coach").delete(f"/messages/{sent['id']}", status=204)
    await practice.api("coach").delete(f"{members}/{owner['userId']}", status=204)
    found = await rows(
        practice.app,
        "SELECT name FROM wellio_event WHERE client_id = :id AND payload LIKE :in_group "
        "ORDER BY position",
        id=record,
        in_group=f"%{group}%",
    )
    assert [row["name"] for row in found] == [
        *("member.added", "message.created", "message.read", "message.edited"),
        *("message.deleted", "member.removed"),
    ]
