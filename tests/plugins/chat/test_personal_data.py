"""A person's part of the chat is handed out whole, and taken away without leaving a gap."""

import pytest
from wellio_auth.personal_data import AccountData
from wellio_chat.personal_data import ChatData

from tests.plugins.chat.conftest import Practice
from wellio.testing import Sockets

pytestmark = pytest.mark.sqlite("tests/contract calls every endpoint on both")


async def test_export_holds_what_one_wrote(practice: Practice) -> None:
    direct = await practice.direct("coach", "client")
    await practice.send("client", direct, "Mine", localId="k")
    await practice.send("coach", direct, "Not mine")
    exported = await ChatData(practice.app.app).export(practice.ids["client"])
    assert set(exported) == set(ChatData.tables)
    assert [row["body"] for row in exported["chat_message"]] == ["Mine"]
    assert [row["id"] for row in exported["chat_conversation"]] == [direct]
    assert exported["chat_member"][0]["read_seq"] == 1


@pytest.mark.both_engines("its SQL is nowhere else")
async def test_erasure_leaves_tombstones(practice: Practice, shared_sockets: Sockets) -> None:
    group = await practice.group("coach", "client", "owner")
    await practice.send("client", group, "Secret", localId="k")
    await practice.send("coach", group, "Answer")
    unread = (await practice.api("owner").get(f"/conversations/{group}")).data["unread"]
    owner = await shared_sockets.plain(practice.app.url, practice.people["owner"])
    data = ChatData(practice.app.app)
    with practice.app.bus.expect("message.deleted", "member.removed"):
        await practice.app.app.db.write(data.erase, practice.ids["client"])
    assert (await owner.receive("message_deleted"))["seq"] == 1
    assert (await owner.receive("member_removed"))["userId"] == practice.ids["client"]
    now_unread = (await practice.api("owner").get(f"/conversations/{group}")).data["unread"]
    assert (unread, now_unread) == (2, 1)
    path = f"/conversations/{group}/messages?afterSeq=0"
    seen = (await practice.api("coach").get(path)).data["items"]
    assert [(m["seq"], m["content"], m["localId"]) for m in seen] == [
        (1, None, None),
        (2, "Answer", None),
    ]
    log = await practice.events("coach", group)
    assert [e["eventSeq"] for e in log] == list(range(1, 6))
    assert "Secret" not in str(log)
    await practice.api("client").get(f"/conversations/{group}", status=404)
    [kept] = await practice.app.app.db.fetch_all(
        "SELECT local_id, local_key, content_hash FROM chat_message "
        "WHERE conversation_id = :id AND seq = 1",
        id=group,
    )
    assert (kept["local_id"], len(kept["local_key"])) == (None, 16)  # it is unique for ever
    exported = await data.export(practice.ids["client"])
    assert exported["chat_message"] == []
    assert exported["chat_member"] == []


async def test_erasure_shows_in_pages_that_were_read_before(practice: Practice) -> None:
    group = await practice.group("coach", "client", "owner")
    sent = await practice.send("client", group, "Secret", localId="a name")
    await practice.api("client").delete(f"/messages/{sent['id']}", status=204)
    leave = f"/conversations/{group}/members/{practice.ids['client']}"
    await practice.api("client").delete(leave, status=204)
    path = f"/conversations/{group}/messages"
    [before] = (await practice.api("owner").get(path, status=200)).data["items"]
    assert before["localId"] == "a name"
    with practice.app.bus.expect():  # nothing is left to be told
        await practice.app.app.db.write(ChatData(practice.app.app).erase, practice.ids["client"])
    [after] = (await practice.api("owner").get(path, status=200)).data["items"]
    assert after == {**before, "localId": None, "senderId": None}


async def test_who_is_taken_in_while_being_erased_is_shown_nowhere(practice: Practice) -> None:
    """Each plugin erases in a transaction of its own, auth's after ours: this comes between."""
    app, gone = practice.app.app, practice.ids["client"]
    await app.db.write(ChatData(app).erase, gone)
    group = await practice.group("coach", "client", "owner")
    await app.db.write(AccountData(app).erase, gone)
    seen = (await practice.api("coach").get(f"/conversations/{group}", status=200)).data
    assert gone not in {member["userId"] for member in seen["members"]}
