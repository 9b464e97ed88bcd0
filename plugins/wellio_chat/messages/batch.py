"""Decides about all messages that wait: who may send, what was sent before, what is next.

`append` has the statements. They run once for all, so a decision looks only at what they found.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from wellio import Conflict, EventBus, NotFound, Problem, Row, Tx, invalid
from wellio_chat.conversations import ledger
from wellio_chat.conversations.broadcast import Broadcast, Notice
from wellio_chat.conversations.entry import Entry
from wellio_chat.conversations.ledger import Head, Members
from wellio_chat.events import MessageCreated

from . import append, store
from .append import Draft
from .models import Sent


class LocalIdReused(Conflict):
    """409: the `localId` was used before, for a message with other content."""

    default_code = "local_id_reused"
    default_detail = "This localId was used for a message with other content."


class NobodyThere(Conflict):
    """409: the other person of a direct conversation is not in it any more."""

    default_code = "nobody_there"
    default_detail = "The other person is not in this conversation any more."


class Batch:
    """One call of the append: what is found out and decided on the way."""

    def __init__(
        self,
        drafts: Sequence[Draft],
        found: Sequence[Row],
        known: Mapping[bytes, tuple[str, str]],
        parents: Mapping[str, str],
    ) -> None:
        """Hold what was looked up.

        Args:
            drafts: What waits.
            found: The rows of `append.look_up`.
            known: What that name in `append` returns.
            parents: What that name returns.
        """
        self.drafts, self.known, self.parents = drafts, known, parents
        self.heads: dict[str, Head] = {}
        self.marks: dict[tuple[str, str], list[int]] = {}  # read_seq, delivered_seq, uncounted
        for user_id, read_seq, delivered_seq, uncounted, *head in found:
            if head[0] not in self.heads:
                self.heads[head[0]] = Head(*head)
            self.marks[head[0], user_id] = [read_seq, delivered_seq, uncounted]
        self.members: Mapping[str, Members] = {}
        self.results: list[Sent | Problem | None] = [None] * len(drafts)
        self.stored: dict[bytes, Draft] = {}  # by key, of this batch
        self.again: dict[int, str] = {}  # index -> id of the message stored by an earlier send
        self.rows: list[tuple[Any, ...]] = []
        self.senders: set[tuple[str, str]] = set()  # of these rows
        self.facts: list[tuple[Any, ...]] = []
        self.notices: list[Notice] = []

    def decide(self) -> None:
        """Number what is new; refuse, or answer as before, the rest."""
        for n, draft in enumerate(self.drafts):
            key = draft.local_key
            marks = self.marks.get((draft.conversation_id, draft.sender_id))
            if marks is None:
                self.results[n] = NotFound()
            elif key is not None and key in self.known:
                message_id, same = self.known[key]
                if same == draft.content_hash:
                    self.again[n] = message_id
                else:
                    self.results[n] = _reused()
            elif key is not None and key in self.stored:
                first = self.stored[key]
                if first.content_hash == draft.content_hash:
                    self.again[n] = first.id
                else:
                    self.results[n] = _reused()
            elif (
                draft.reply_to is not None
                and self.parents.get(draft.reply_to) != draft.conversation_id
            ):
                self.results[n] = invalid(
                    "/replyTo", "unknown_message", "is no message of this conversation"
                )
            elif self._is_alone(draft):
                self.results[n] = NobodyThere()
            else:
                self._accept(n, draft, marks)

    def _is_alone(self, draft: Draft) -> bool:
        is_direct = self.heads[draft.conversation_id].kind == "direct"
        return is_direct and len(self.members[draft.conversation_id].user_ids) < 2

    def _accept(self, n: int, draft: Draft, marks: list[int]) -> None:
        id_, place, sender, type_, content, local_id, key, same, reply_to, at, _, origin = draft
        head = self.heads[place]
        seq, event_seq = head.add_message()
        _advance(marks, seq)
        self.senders.add((place, sender))
        if key is not None:
            self.stored[key] = draft
        numbers = (seq, event_seq, head.xid)
        keys = (local_id, key, same)
        self.rows.append(
            (id_, place, *numbers, head.mode, sender, type_, content, *keys, reply_to, at)
        )
        self.facts.append((at, sender, head.client_id, id_, place))
        # As `store` would read it: for whoever did not send it without a stage.
        row = {
            "id": id_,
            "conversation_id": place,
            "sender_id": sender,
            "type": type_,
            "body": content,
            "local_id": local_id,
            "seq": seq,
            "created_at": at,
            "edited_at": None,
            "deleted_at": None,
            "reply_to": reply_to,
            "origin": "human",
            "stage": None,
        }
        entry = Entry(place, event_seq, "new_message", row)
        self.notices.append(Notice(self.members[place], entry, (), origin))
        self.results[n] = Sent({**row, "stage": 0}, event_seq)


class Appender:
    """Stores messages exactly once, numbered without gaps, and has them broadcast."""

    def __init__(self, bus: EventBus, broadcast: Broadcast) -> None:
        self._bus, self._broadcast = bus, broadcast

    async def append(self, tx: Tx, drafts: Sequence[Draft]) -> list[Sent | Exception]:
        """Store drafts in their order: the body for `write_batched`.

        Returns:
            For each draft what was stored, or NotFound (not a member), Conflict
            `local_id_reused` or `nobody_there`, or Invalid at `/replyTo`.
        """
        found = await append.look_up(tx, drafts)
        known, parents = await append.known(tx, drafts), await append.parents(tx, drafts)
        batch = Batch(drafts, found, known, parents)
        last_heard = {draft.conversation_id: draft.members for draft in drafts}
        batch.members = await ledger.members(tx, batch.heads.values(), last_heard)
        batch.decide()
        if batch.rows:
            await append.store(tx, batch.rows)
            await append.advance(tx, [(*who, *batch.marks[who]) for who in batch.senders])
            await self._bus.publish_many(tx, MessageCreated, batch.facts)
            tx.after_commit(self._broadcast.send, batch.notices)
        for n, message_id in batch.again.items():
            row = await store.read(tx, message_id, drafts[n].sender_id)
            batch.results[n] = Sent(row, None) if row else NotFound()
        return [result or NotFound() for result in batch.results]


def _advance(marks: list[int], seq: int) -> None:
    """Move a sender's watermarks over their message, unless others' are unread before it."""
    read_seq, delivered_seq, uncounted = marks
    if delivered_seq == seq - 1:
        marks[1] = seq
    if read_seq == seq - 1:
        marks[0] = seq
    else:
        marks[2] = uncounted + 1


def _reused() -> Problem:
    return LocalIdReused()
