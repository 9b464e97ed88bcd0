"""Decides about all messages that wait: who may send, what was sent before, what is next.

`append` has the statements. They run once for all, so a decision looks only at what they found.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from wellio import Conflict, Event, EventBus, NotFound, Problem, Row, Tx, invalid
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
        heads: dict[str, Head],
        members: Mapping[str, Members],
        found: Sequence[Row],
    ) -> None:
        self.drafts = drafts
        self.heads = heads
        self.members = members
        self.found = {row["n"]: row for row in found}
        self.results: list[Sent | Problem | None] = [None] * len(drafts)
        self.stored: dict[bytes, dict[str, Any]] = {}  # by key, of this batch
        self.again: dict[int, str] = {}  # index -> id of the message stored by an earlier send
        self.rows: list[dict[str, Any]] = []
        self.senders: dict[tuple[str, str], dict[str, Any]] = {}
        self.accepted: list[Draft] = []  # those of `rows`
        self.event_seqs: list[int] = []

    def decide(self) -> None:
        """Number what is new; refuse, or answer as before, the rest."""
        for n, draft in enumerate(self.drafts):
            found = self.found.get(n)
            if found is None or draft.conversation_id not in self.heads:
                self.results[n] = NotFound()
            elif found["known_id"]:
                if found["known_hash"] == draft.content_hash:
                    self.again[n] = found["known_id"]
                else:
                    self.results[n] = _reused()
            elif draft.local_key is not None and draft.local_key in self.stored:
                first = self.stored[draft.local_key]
                is_same = first["content_hash"] == draft.content_hash
                self.results[n] = Sent(first, None) if is_same else _reused()
            elif draft.reply_to is not None and found["parent_id"] is None:
                self.results[n] = invalid(
                    "/replyTo", "unknown_message", "is no message of this conversation"
                )
            elif self._is_alone(draft):
                self.results[n] = NobodyThere()
            else:
                self._accept(n, draft, found)

    def _is_alone(self, draft: Draft) -> bool:
        is_direct = self.heads[draft.conversation_id].kind == "direct"
        return is_direct and len(self.members[draft.conversation_id].user_ids) < 2

    def _accept(self, n: int, draft: Draft, found: Row) -> None:
        head = self.heads[draft.conversation_id]
        seq, event_seq = head.add_message()
        self._advance_sender(draft, found, seq)
        row = _stored(draft, head, seq, event_seq)
        self.rows.append(row)
        if draft.local_key is not None:
            self.stored[draft.local_key] = row
        self.accepted.append(draft)
        self.event_seqs.append(event_seq)
        self.results[n] = Sent(row, event_seq)

    def _advance_sender(self, draft: Draft, found: Row, seq: int) -> None:
        """Move the sender's watermarks over the message, unless others' are unread before it."""
        key = draft.conversation_id, draft.sender_id
        sender = self.senders.get(key)
        if sender is None:
            sender = self.senders[key] = {
                "conversation_id": draft.conversation_id,
                "user_id": draft.sender_id,
                "read_seq": found["read_seq"],
                "delivered_seq": found["delivered_seq"],
                "uncounted": found["uncounted"],
            }
        if sender["delivered_seq"] == seq - 1:
            sender["delivered_seq"] = seq
        if sender["read_seq"] == seq - 1:
            sender["read_seq"] = seq
        else:
            sender["uncounted"] += 1


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
        heads = await ledger.lock(tx, {draft.conversation_id for draft in drafts})
        known = {draft.conversation_id: draft.members for draft in drafts}
        members = await ledger.members(tx, heads.values(), known)
        batch = Batch(drafts, heads, members, await append.look_up(tx, drafts))
        batch.decide()
        if batch.accepted:
            await self._store(tx, batch)
        for n, message_id in batch.again.items():
            row = await store.read(tx, message_id, drafts[n].sender_id)
            batch.results[n] = Sent(row, None) if row else NotFound()
        return [result or NotFound() for result in batch.results]

    async def _store(self, tx: Tx, batch: Batch) -> None:
        await append.store(tx, batch.rows)
        await append.advance(tx, batch.senders.values())
        await self._bus.publish(tx, *(_created(draft, batch.heads) for draft in batch.accepted))
        notices = [
            Notice(
                batch.members[draft.conversation_id],
                Entry(draft.conversation_id, event_seq, "new_message", {**row, "stage": None}),
                exclude=draft.origin,
            )
            for draft, event_seq, row in zip(
                batch.accepted, batch.event_seqs, batch.rows, strict=True
            )
        ]
        tx.after_commit(self._broadcast.send, notices)


def _stored(draft: Draft, head: Head, seq: int, event_seq: int) -> dict[str, Any]:
    """Return a new message's row, as `store` would read it for its sender."""
    return {
        "id": draft.id,
        "conversation_id": draft.conversation_id,
        "seq": seq,
        "event_seq": event_seq,
        "xid": head.xid,
        "mode": head.mode,
        "sender_id": draft.sender_id,
        "type": draft.type,
        "body": draft.content,
        "local_id": draft.local_id,
        "local_key": draft.local_key,
        "content_hash": draft.content_hash,
        "reply_to": draft.reply_to,
        "created_at": draft.created_at,
        "edited_at": None,
        "deleted_at": None,
        "origin": "human",
        "stage": 0,
    }


def _created(draft: Draft, heads: Mapping[str, Head]) -> Event:
    return MessageCreated(
        at=draft.created_at,
        actor_id=draft.sender_id,
        message_id=draft.id,
        conversation_id=draft.conversation_id,
        client_id=heads[draft.conversation_id].client_id,
    )


def _reused() -> Problem:
    return LocalIdReused()
