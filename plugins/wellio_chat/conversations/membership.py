"""Who comes into a conversation and who leaves it: the rows, the log, the event, the notice."""

from collections.abc import Collection

from wellio import Tx, Wellio
from wellio_chat.events import MemberAdded, MemberRemoved

from . import ledger, store
from .broadcast import Broadcast
from .entry import Entry
from .ledger import Head


class Membership:
    """Changes the members of locked conversations; whether somebody may is asked before."""

    def __init__(self, app: Wellio) -> None:
        self._bus, self._broadcast = app.bus, app.service(Broadcast)

    async def begin(self, tx: Tx, head: Head, user_id: str, actor_id: str, at: int) -> None:
        """Take somebody in, who sees all that was said before."""
        await store.join(tx, head, [user_id], at)
        head.members_version += 1
        event_seq = head.add_event("member_added", at, user_id=user_id)
        await ledger.save(tx, [head])
        event = MemberAdded(
            at=at,
            actor_id=actor_id,
            client_id=head.client_id,
            conversation_id=head.id,
            user_id=user_id,
        )
        await self._bus.publish(tx, event, subject_id=user_id)
        entry = Entry(head.id, event_seq, "member_added", user_id=user_id)
        await self._broadcast.announce(tx, head, entry)

    async def end(self, tx: Tx, head: Head, user_id: str, actor_id: str | None, at: int) -> None:
        """Take somebody out: they hear of that, and of nothing else that happens there."""
        head.members_version += 1
        event_seq = head.add_event("member_removed", at, user_id=user_id)
        await store.leave(tx, head.id, user_id, event_seq)
        await ledger.save(tx, [head])
        event = MemberRemoved(
            at=at,
            actor_id=actor_id,
            client_id=head.client_id,
            conversation_id=head.id,
            user_id=user_id,
        )
        await self._bus.publish(tx, event, subject_id=user_id)
        entry = Entry(head.id, event_seq, "member_removed", user_id=user_id)
        await self._broadcast.announce(tx, head, entry, also=(user_id,))

    async def complete(
        self, tx: Tx, conversation_id: str, user_ids: Collection[str], actor_id: str, at: int
    ) -> None:
        """Take back in who left a conversation that is theirs again."""
        head = (await ledger.lock(tx, [conversation_id]))[conversation_id]
        there = await store.user_ids(tx, conversation_id)
        for user_id in sorted(set(user_ids) - {*there}):
            await self.begin(tx, head, user_id, actor_id, at)
