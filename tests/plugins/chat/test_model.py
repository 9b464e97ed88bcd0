"""Replaying the log gives what a fresh fetch gives, whatever people do (as Zulip tests it).

Three people send, repeat, edit, delete, read, leave and come back, in any order. Each has a device
that only ever hears of changes, in pages, now and then. A plain model says what must hold.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import orjson
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from wellio_chat.conversations import wire
from wellio_chat.conversations.models import NewConversation, NewMember
from wellio_chat.messages.models import Edit, HistoryQuery, LogQuery, Mark, NewMessage

from tests.plugins.chat.conftest import Practice
from wellio import Actor, Conflict, Forbidden, IfMatch, NotFound, Problem
from wellio.testing import DEADLINE_S

T = TypeVar("T")
NAMES = ("owner", "coach", "client")
RANK = {"sent": 0, "delivered": 1, "read": 2}
WHO = st.sampled_from(NAMES)
TEXT = st.sampled_from(["a", "b", "c"])
INDEX = st.integers(0, 40)
SEARCH_S = 9 * DEADLINE_S


@dataclass
class Device:
    """What somebody knows from the log alone."""

    cursor: str | None = None
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    members: set[str] = field(default_factory=set)
    marks: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    last_seq: int = 0
    last_event_seq: int = 0

    def apply(self, event: str, data: dict[str, Any]) -> None:
        assert data["eventSeq"] == self.last_event_seq + 1
        self.last_event_seq = data["eventSeq"]
        match event:
            case "conversation_created":
                self.members = set(data["memberIds"])
            case "new_message":
                assert data["seq"] == self.last_seq + 1
                self.last_seq = data["seq"]
                self.messages[data["id"]] = visible(data)
                marks = self.marks[data["senderId"]]
                marks[:] = [data["seq"] if mark == data["seq"] - 1 else mark for mark in marks]
            case "message_updated":
                changes = {key: data[key] for key in ("content", "editedAt", "deletedAt")}
                self.messages[data["messageId"]].update(changes)
            case "message_deleted":
                gone = {"content": None, "deletedAt": data["deletedAt"]}
                self.messages[data["messageId"]].update(gone)
            case "message_status":
                marks = self.marks[data["userId"]]
                count = 2 if data["status"] == "read" else 1
                assert any(mark < data["seq"] for mark in marks[:count])
                marks[:count] = [max(mark, data["seq"]) for mark in marks[:count]]
            case "member_added":
                self.members.add(data["userId"])
                self.marks[data["userId"]] = [self.last_seq, self.last_seq]
            case "member_removed":
                self.members.discard(data["userId"])
            case _:
                raise AssertionError(event)


def visible(message: dict[str, Any]) -> dict[str, Any]:
    """Return what everybody sees alike: a status is the sender's, and derived from the marks."""
    of_the_event = {"status", "eventSeq", "messageId", "duplicate"}
    return {key: message[key] for key in message if key not in of_the_event}


class Conversation(RuleBasedStateMachine):
    """One group; `practice` and `loop` are set by the test, `until` ends all waiting."""

    practice: Practice
    loop: asyncio.AbstractEventLoop
    until: float

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        left_s = max(self.until - time.monotonic(), 0)
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(left_s)

    @initialize()
    def begin(self) -> None:
        permissions = frozenset({"chat.read", "chat.send", "chat.manage_groups"})
        self.actors = {
            name: Actor(self.practice.ids[name], name, None, permissions) for name in NAMES
        }
        ids = [self.practice.ids[name] for name in NAMES]
        new = NewConversation(kind="group", member_ids=ids, title=None)
        opened = self.run(self.practice.conversations.open(self.actors["owner"], new))
        self.id = opened.conversation.id
        self.inside = set(NAMES)
        self.sent: list[tuple[str, str, str, str]] = []  # sender, id, localId, first content
        self.deleted: set[str] = set()
        self.devices = {name: Device() for name in NAMES}
        self.best: dict[str, int] = {}  # message -> the furthest status that was seen

    def outcome(self, work: Coroutine[Any, Any, Any]) -> Any:
        try:
            return self.run(work)
        except Problem as problem:
            return next(it for it in (NotFound, Forbidden, Conflict) if isinstance(problem, it))

    @rule(who=WHO, content=TEXT, reply=st.none() | INDEX)
    def send(self, who: str, content: str, reply: int | None) -> None:
        local_id = f"{len(self.sent)}"
        to = self.sent[reply % len(self.sent)][1] if self.sent and reply is not None else None
        message = NewMessage(content=content, local_id=local_id, reply_to=to)
        result = self.outcome(self.practice.messages.send(self.actors[who], self.id, message))
        if who not in self.inside:
            assert result is NotFound
            return
        assert not result.is_duplicate
        self.sent.append((who, result.message["id"], local_id, content))
        assert result.message["seq"] == len(self.sent)

    @precondition(lambda self: self.sent)
    @rule(index=INDEX, content=TEXT)
    def send_again(self, index: int, content: str) -> None:
        who, id_, local_id, first = self.sent[index % len(self.sent)]
        row = self.run(
            self.practice.app.app.db.fetch_one(
                "SELECT reply_to FROM chat_message WHERE id = :id", id=id_
            )
        )
        assert row is not None
        message = NewMessage(content=content, local_id=local_id, reply_to=row["reply_to"])
        result = self.outcome(self.practice.messages.send(self.actors[who], self.id, message))
        if who not in self.inside:
            assert result is NotFound
        elif content == first:
            assert (result.is_duplicate, result.message["id"]) == (True, id_)
        else:
            assert result is Conflict

    @precondition(lambda self: self.sent)
    @rule(who=WHO, index=INDEX, content=TEXT)
    def edit(self, who: str, index: int, content: str) -> None:
        sender, id_, _, _ = self.sent[index % len(self.sent)]
        work = self.practice.messages.edit(self.actors[who], id_, Edit(content=content), IfMatch())
        result = self.outcome(work)
        assert result is self.refusal(who, sender, id_) or result["body"] == content

    @precondition(lambda self: self.sent)
    @rule(who=WHO, index=INDEX)
    def delete(self, who: str, index: int) -> None:
        sender, id_, _, _ = self.sent[index % len(self.sent)]
        result = self.outcome(self.practice.messages.delete(self.actors[who], id_))
        refusal = self.refusal(who, sender, id_)
        assert result is (None if refusal is Conflict else refusal)
        if result is None:
            self.deleted.add(id_)
            self.check_unread(*self.inside)

    def refusal(self, who: str, sender: str, id_: str) -> type[Problem] | None:
        if who not in self.inside:
            return NotFound
        if who != sender:
            return Forbidden
        return Conflict if id_ in self.deleted else None

    @precondition(lambda self: self.sent)
    @rule(who=WHO, index=INDEX, is_read=st.booleans())
    def mark(self, who: str, index: int, is_read: bool) -> None:
        id_ = self.sent[index % len(self.sent)][1]
        work = self.practice.messages.mark(
            self.actors[who], self.id, Mark(message_id=id_), is_read=is_read
        )
        result = self.outcome(work)
        assert (result is NotFound) == (who not in self.inside)
        if who in self.inside:
            assert result.unread == self.check_unread(who)

    def check_unread(self, *names: str) -> int:
        """Count what waits for people: others' messages above their mark that are still there."""
        waiting = 0
        for name in names:
            view = self.run(self.practice.conversations.read(self.actors[name], self.id))
            own = self.practice.ids[name]
            (read_seq,) = [it.row["read_seq"] for it in view.members if it.row["user_id"] == own]
            later = self.sent[read_seq:]
            waiting = sum(sender != name and id_ not in self.deleted for sender, id_, *_ in later)
            assert view.row["unread"] == waiting
        return waiting

    @rule(who=st.sampled_from(["coach", "client"]))
    def come_or_go(self, who: str) -> None:
        service, owner = self.practice.conversations, self.actors["owner"]
        user_id = self.practice.ids[who]
        if who in self.inside:
            self.run(service.remove_member(owner, self.id, user_id))
        else:
            self.run(service.add_member(owner, self.id, NewMember(user_id=user_id)))
        self.inside ^= {who}
        if who in self.inside:
            self.devices[who] = Device()  # who comes back begins anew

    @rule(who=WHO)
    def reconnect(self, who: str) -> None:
        """Catch up page by page; who is out learns of nothing but that."""
        device, has_more = self.devices[who], True
        while has_more:
            page = self.run(self.practice.catch_up.sync(self.actors[who], device.cursor))
            device.cursor, has_more = page.next, page.has_more
            for entry in page.entries:
                if entry.conversation_id != self.id:
                    continue
                if who not in self.inside:
                    assert entry.kind == "member_removed"
                    assert entry.user_id == self.practice.ids[who]
                else:
                    device.apply(entry.kind, wire.data(entry))
        if who in self.inside:
            self.compare(who, device)

    def compare(self, who: str, device: Device) -> None:
        """Hold what a device knows against a fresh fetch, and that against the model."""
        actor = self.actors[who]
        fresh = wire.conversation(self.run(self.practice.conversations.read(actor, self.id)))
        page = self.run(
            self.practice.pages.read(actor, self.id, HistoryQuery(limit=100, after_seq=0))
        )
        history = orjson.loads(page)["items"]
        assert [visible(message) for message in history] == list(device.messages.values())
        assert [m["seq"] for m in history] == list(range(1, len(self.sent) + 1))[:100]
        assert {m["userId"] for m in fresh["members"]} == device.members
        marks = {m["userId"]: [m["deliveredSeq"], m["readSeq"]] for m in fresh["members"]}
        assert marks == {user_id: device.marks[user_id] for user_id in marks}
        assert (fresh["lastSeq"], fresh["lastEventSeq"]) == (len(self.sent), device.last_event_seq)
        mine = actor.user_id
        assert fresh["unread"] == sum(
            m["seq"] > marks[mine][1] and m["senderId"] != mine and m["deletedAt"] is None
            for m in history
        )
        for message in history:
            self.check_status(message, mine, marks)

    def check_status(
        self, message: dict[str, Any], viewer: str, marks: dict[str, list[int]]
    ) -> None:
        if message["senderId"] != viewer:
            assert message["status"] is None
            return
        seq = message["seq"]
        others = [
            marks[self.practice.ids[name]]
            for name in self.inside
            if self.practice.ids[name] != viewer
        ]
        stages = [2 if read >= seq else int(delivered >= seq) for delivered, read in others]
        assert RANK[message["status"]] == min(stages, default=2)
        assert RANK[message["status"]] >= self.best.get(message["id"], 0)
        self.best[message["id"]] = RANK[message["status"]]

    @invariant()
    def the_log_has_no_gaps(self) -> None:
        if hasattr(self, "id"):
            query = LogQuery(limit=100)
            log = self.run(self.practice.catch_up.log(self.actors["owner"], self.id, query))
            numbers = [entry.event_seq for entry in log.rows]
            assert numbers == list(range(1, len(numbers) + 1))

    def teardown(self) -> None:
        if hasattr(self, "id"):
            for name in NAMES:
                self.reconnect(name)


@pytest.mark.timeout(600)
async def test_replay_is_fetch(practice: Practice) -> None:
    class Machine(Conversation):
        loop = asyncio.get_running_loop()
        until = time.monotonic() + SEARCH_S

    Machine.practice = practice
    thorough = settings(
        max_examples=25,
        stateful_step_count=30,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    await asyncio.to_thread(run_state_machine_as_test, Machine, settings=thorough)
