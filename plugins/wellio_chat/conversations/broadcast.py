"""Tells the members of a conversation at once: what goes to the hub, after the commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wellio import Tx, Wellio, emits

from . import ledger, wire
from .entry import Entry
from .ledger import Head, Members
from .models import (
    ConversationOpened,
    MemberJoined,
    MemberLeft,
    MessageRemoved,
    MessageSent,
    MessageUpdated,
    StatusChanged,
)

if TYPE_CHECKING:
    from wellio import Client

_MAX_CACHED = 10_000


@dataclass(frozen=True, slots=True)
class Notice:
    """What the members of a conversation are told.

    Attributes:
        members: Its members in the transaction that this tells of.
        entry: What happened.
        also: Somebody else who is to know: who was just removed.
        exclude: A socket that knows already.
    """

    members: Members
    entry: Entry
    also: tuple[str, ...] = ()
    exclude: "Client | None" = None


@emits("new_message", MessageSent)
@emits("message_updated", MessageUpdated)
@emits("message_deleted", MessageRemoved)
@emits("message_status", StatusChanged)
@emits("conversation_created", ConversationOpened)
@emits("member_added", MemberJoined)
@emits("member_removed", MemberLeft)
class Broadcast:
    """Sends notices, and remembers who is in which conversation.

    What is remembered is only ever used after a transaction compared its version, so a removal
    works at once although nobody is told to forget.
    """

    def __init__(self, app: Wellio) -> None:
        self._hub = app.hub
        self._members: dict[str, Members] = {}

    def known(self, conversation_id: str) -> Members | None:
        """Return the members as last heard of, for a transaction to compare."""
        return self._members.get(conversation_id)

    async def announce(
        self,
        tx: Tx,
        head: Head,
        entry: Entry,
        known: Members | None = None,
        also: tuple[str, ...] = (),
    ) -> None:
        """Have the members of a locked conversation told once the transaction is committed."""
        members = await ledger.members(tx, [head], {head.id: known})
        tx.after_commit(self.send, [Notice(members[head.id], entry, also)])

    def send(self, notices: Sequence[Notice]) -> None:
        """Emit notices in their order; given to `tx.after_commit`."""
        for notice in notices:
            entry = notice.entry
            self.remember(entry.conversation_id, notice.members)
            self._hub.emit(
                (*notice.members.user_ids, *notice.also),
                entry.kind,
                wire.data(entry),
                exclude=notice.exclude,
                permission="chat.read",
            )

    def remember(self, conversation_id: str, members: Members) -> None:
        """Keep the newest version of a membership; the oldest entry makes room."""
        have = self._members.get(conversation_id)
        if have is not None and have.version >= members.version:
            return
        if have is None and len(self._members) >= _MAX_CACHED:
            del self._members[next(iter(self._members))]
        self._members[conversation_id] = members
