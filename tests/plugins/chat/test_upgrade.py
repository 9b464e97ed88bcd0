"""What an older version stored is numbered, found and told as if it had been sent today."""

from pathlib import Path
from typing import Any

import pytest
import wellio_chat
from wellio_chat.messages.append import content_hash
from wellio_chat.messages.models import NewMessage

from tests.plugins.chat.conftest import Practice
from tests.plugins.chat.test_catchup import sync
from wellio import Tx, new_id
from wellio.db.script import split_script
from wellio.testing import Sockets

_FIRST = Path(wellio_chat.__file__).parent / "migrations" / "0001_init.sql"
_AWAY = (
    *("DROP VIEW chat_v_message", "DROP VIEW chat_v_member", "DROP TABLE chat_event"),
    *("DROP TABLE chat_message", "DROP TABLE chat_member", "DROP TABLE chat_conversation"),
    "DELETE FROM wellio_migration WHERE plugin = 'chat' AND name <> '0001_init'",
)
_CONVERSATION = """
INSERT INTO chat_conversation (id, kind, pair_key, created_at, active_at)
VALUES (:id, :kind, :pair_key, 1000, 1000)
"""
_MEMBER = """
INSERT INTO chat_member (conversation_id, user_id, joined_at, delivered_seq, read_seq)
VALUES (:id, :user_id, 1000, 0, 0)
"""
_MESSAGE = """
INSERT INTO chat_message (id, conversation_id, mode, seq, sender_id, type, body, local_id,
                          content_hash, created_at)
VALUES (:id, :conversation_id, 'standard', :seq, :sender_id, 'text', :body, :local_id, :hash, :at)
"""
_EVENT = """
INSERT INTO chat_event (conversation_id, event_seq, kind, message_id, user_id, status, seq,
                        created_at)
VALUES (:id, :event_seq, :kind, :message_id, :user_id, :status, :seq, :at) RETURNING xid
"""
_HEAD = """
UPDATE chat_conversation
SET last_seq = :seq, last_event_seq = :event_seq, xid = :xid, active_at = :at WHERE id = :id
"""


class Old:
    """The database as the first version wrote it: each entry in a transaction of its own."""

    def __init__(self, practice: Practice) -> None:
        self._db, self._ids = practice.app.app.db, practice.ids
        self._key = practice.app.app.crypto.derive("chat.local_id")
        self._numbers: dict[str, list[int]] = {}
        self.told: list[tuple[str, int, str]] = []

    async def begin(self) -> None:
        async def first(tx: Tx) -> None:
            for statement in (*_AWAY, *split_script(_FIRST.read_text())):
                await tx.execute(statement)

        await self._db.write_schema(first)

    async def open(self, id_: str, kind: str, *names: str) -> None:
        user_ids = sorted(self._ids[name] for name in names)

        async def make(tx: Tx) -> None:
            pair_key = " ".join(user_ids) if kind == "direct" else None
            await tx.execute(_CONVERSATION, id=id_, kind=kind, pair_key=pair_key)
            for user_id in user_ids:
                await tx.execute(_MEMBER, id=id_, user_id=user_id)

        await self._db.write(make)
        self._numbers[id_] = [0, 0]
        await self.event(id_, "conversation_created", user_id=user_ids[0])

    async def send(self, id_: str, name: str, body: str, local_id: str | None = None) -> str:
        seq = self._numbers[id_][0] = self._numbers[id_][0] + 1
        message_id = new_id()
        same = content_hash(NewMessage(content=body), self._key) if local_id else None
        row = {"id": message_id, "conversation_id": id_, "seq": seq, "body": body, "hash": same}
        row |= {"sender_id": self._ids[name], "local_id": local_id, "at": 1000 + seq}
        await self._db.write(_run, _MESSAGE, row)
        await self.event(id_, "new_message", message_id=message_id)
        return message_id

    async def event(self, id_: str, kind: str, **rest: Any) -> None:
        seq, event_seq = self._numbers[id_]
        event_seq = self._numbers[id_][1] = event_seq + 1
        at = 1000 + event_seq
        row = {"message_id": None, "user_id": None, "status": None, "seq": None, **rest}
        row |= {"id": id_, "event_seq": event_seq, "kind": kind, "at": at}

        async def add(tx: Tx) -> None:
            stored = await tx.fetch_one(_EVENT, **row)
            assert stored is not None
            head = {"id": id_, "seq": seq, "event_seq": event_seq, "xid": stored["xid"], "at": at}
            await tx.execute(_HEAD, **head)

        await self._db.write(add)
        self.told.append((id_, event_seq, kind))


async def _run(tx: Tx, sql: str, params: dict[str, Any]) -> None:
    await tx.execute(sql, **params)


@pytest.mark.both_engines("each has a migration of its own")
async def test_old_conversations_go_on(practice: Practice, shared_sockets: Sockets) -> None:
    old = Old(practice)
    direct, group = new_id(), new_id()
    await old.begin()
    await old.open(direct, "direct", "coach", "client")
    await old.open(group, "group", "coach", "client", "owner")
    first = await old.send(direct, "coach", "One", "key 1")
    await old.send(group, "client", "Two", "key 1")
    receipt = {"message_id": first, "user_id": practice.ids["client"], "seq": 1}
    await old.event(direct, "message_status", status="read", **receipt)
    gone = await old.send(direct, "coach", "Three", "key 3")
    await old.event(direct, "message_deleted", message_id=gone)
    await old.send(group, "coach", "Four")
    await old.send(direct, "coach", "Five", "key 5")

    async def as_after_that(tx: Tx) -> None:
        sql = "UPDATE chat_message SET body = NULL, deleted_at = 2000 WHERE id = :id"
        await tx.execute(sql, id=gone)
        sql = "UPDATE chat_member SET delivered_seq = 1, read_seq = 1 WHERE user_id = :user_id"
        await tx.execute(sql, user_id=practice.ids["client"])

    await practice.app.app.db.write(as_after_that)
    await practice.app.restart()

    socket = await shared_sockets.plain(practice.app.url, practice.people["client"])
    items, cursor = await sync(socket)
    assert [(it["conversationId"], it["eventSeq"], it["event"]) for it in items] == old.told
    log = await practice.events("client", direct)
    assert [(e["eventSeq"], e["event"], e["data"].get("seq")) for e in log] == [
        (1, "conversation_created", None),
        (2, "new_message", 1),
        (3, "message_status", 1),
        (4, "new_message", 2),
        (5, "message_deleted", 2),
        (6, "new_message", 3),
    ]
    seen = (await practice.api("client").get(f"/conversations/{direct}", status=200)).data
    assert (seen["lastSeq"], seen["lastEventSeq"], seen["unread"]) == (3, 6, 1)
    assert seen["lastMessage"]["content"] == "Five"

    again = await practice.send("coach", direct, "One", localId="key 1")
    assert (again["id"], again["duplicate"]) == (first, True)
    again = await practice.send("coach", direct, "Three", localId="key 3")
    assert (again["id"], again["content"], again["duplicate"]) == (gone, None, True)
    path, other = f"/conversations/{direct}/messages", {"content": "Six", "localId": "key 5"}
    refused = await practice.api("coach").post(path, other, status=409)
    assert refused.data["code"] == "local_id_reused"
    new = await practice.send("coach", direct, "Six", localId="key 6")
    assert (new["seq"], new["eventSeq"]) == (4, 7)
    more, _ = await sync(socket, cursor)
    assert [(it["conversationId"], it["eventSeq"]) for it in more] == [(direct, 7)]
