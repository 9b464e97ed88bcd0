"""Opens conversations, changes their members, lists them."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from wellio import (
    Actor,
    Conflict,
    Database,
    Invalid,
    NotFound,
    PageQuery,
    Row,
    Tx,
    Wellio,
    decode_cursor,
    encode_cursor,
    invalid,
    new_id,
    page,
    rfc3339,
)
from wellio_chat.config import ChatConfig
from wellio_chat.events import ConversationCreated, MemberAdded, MemberRemoved
from wellio_chat.messages import store as messages
from wellio_chat.messages.models import instant, message_wire

from . import ledger, people, store
from .broadcast import Broadcast
from .ledger import Head
from .models import NewConversation, conversation_wire, member_wire, opened_wire

_END = (2**53, "~")


class ConversationService:
    """What people do with conversations; who is no member does not know of them."""

    def __init__(self, app: Wellio) -> None:
        self._db, self._bus, self._clock, self._hub = app.db, app.bus, app.clock, app.hub
        self._broadcast = app.service(Broadcast)
        self._max_members = app.settings(ChatConfig).group_members

    async def open(self, actor: Actor, new: NewConversation) -> tuple[dict[str, Any], bool]:
        """Open a conversation; of a pair of people there is only one.

        Returns:
            The conversation, and whether it is new.

        Raises:
            Forbidden: A group is not the actor's to make.
            NotFound: A member is nobody whom the actor may have in a conversation.
            Invalid: A direct one needs exactly one other person; a group is too large.
        """
        if new.kind == "group":
            actor.require("chat.manage_groups")
        others = sorted(set(new.member_ids) - {actor.user_id})
        if new.kind == "direct" and len(others) != 1:
            raise invalid("/memberIds", "one_other", "must name exactly one other person")
        if len(others) >= self._max_members:
            raise self._too_many("/memberIds")
        return await self._db.write(self._open, actor, new, others, self._clock.now_ms())

    async def read(self, actor: Actor, conversation_id: str) -> dict[str, Any]:
        """Return one conversation."""
        return await self._read(self._db, actor, conversation_id)

    async def inbox(self, actor: Actor, query: PageQuery) -> dict[str, Any]:
        """Return a page of the actor's conversations, newest activity first."""
        before = decode_cursor(query.cursor, int, str) if query.cursor else _END
        rows = await store.page(self._db, actor.user_id, (before[0], before[1]), query.limit + 1)
        wires = await self._wires(self._db, actor, rows)
        return page(
            list(zip(rows, wires, strict=True)),
            query.limit,
            lambda pair: encode_cursor(pair[0]["active_at"], pair[0]["conversation_id"]),
            lambda pair: pair[1],
        )

    async def unread(self, actor: Actor) -> int:
        """Return how many messages wait for the actor in all conversations."""
        return await store.unread(self._db, actor.user_id)

    async def add_member(self, actor: Actor, conversation_id: str, user_id: str) -> dict[str, Any]:
        """Take somebody into a group, who then sees all of it. Again is no mistake.

        Returns:
            The conversation.

        Raises:
            NotFound: There is no such person for the actor.
            Conflict: `not_a_group`, `group_full`.
        """
        return await self._db.write(
            self._add_member, actor, conversation_id, user_id, self._clock.now_ms()
        )

    async def remove_member(self, actor: Actor, conversation_id: str, user_id: str) -> None:
        """Take somebody out of a group, or leave it oneself: at once, for everything.

        Raises:
            NotFound: They are no member.
            Conflict: `not_a_group`.
        """
        await self._db.write(
            self._remove_member, actor, conversation_id, user_id, self._clock.now_ms()
        )

    async def _open(
        self, tx: Tx, actor: Actor, new: NewConversation, others: Sequence[str], at: int
    ) -> tuple[dict[str, Any], bool]:
        if set(others) - await people.reachable(tx, actor, others):
            raise NotFound
        user_ids = sorted([actor.user_id, *others])
        pair_key = " ".join(user_ids) if new.kind == "direct" else None
        conversation_id = new_id()
        if not await store.insert(tx, conversation_id, new.kind, new.title, pair_key, at):
            existing = await store.of_pair(tx, pair_key or "") or ""
            return await self._read(tx, actor, existing), False
        head = (await ledger.lock(tx, [conversation_id]))[conversation_id]
        await store.join(tx, head, user_ids, at)
        event_seq = head.add_event("conversation_created", at, user_id=actor.user_id)
        await ledger.save(tx, [head])
        event = ConversationCreated(
            at=at,
            actor_id=actor.user_id,
            client_id=head.client_id,
            conversation_id=head.id,
        )
        await self._bus.publish(tx, event, note=new.kind)
        opened = opened_wire(conversation_id, event_seq, new.kind, new.title, at, user_ids)
        await self._broadcast.announce(tx, head, "conversation_created", opened)
        return await self._read(tx, actor, conversation_id), True

    async def _add_member(
        self, tx: Tx, actor: Actor, conversation_id: str, user_id: str, at: int
    ) -> dict[str, Any]:
        head, members = await self._group(tx, actor, conversation_id)
        if user_id in members:
            return await self._read(tx, actor, conversation_id)
        if user_id not in await people.reachable(tx, actor, [user_id]):
            raise NotFound
        if len(members) >= self._max_members:
            raise Conflict("This group is full.", code="group_full")
        await store.join(tx, head, [user_id], at)
        head.members_version += 1
        event_seq = head.add_event("member_added", at, user_id=user_id)
        await ledger.save(tx, [head])
        event = MemberAdded(
            at=at,
            actor_id=actor.user_id,
            client_id=head.client_id,
            conversation_id=head.id,
            user_id=user_id,
        )
        await self._bus.publish(tx, event, subject_id=user_id)
        added = member_wire(head.id, event_seq, user_id)
        await self._broadcast.announce(tx, head, "member_added", added)
        return await self._read(tx, actor, conversation_id)

    async def _remove_member(
        self, tx: Tx, actor: Actor, conversation_id: str, user_id: str, at: int
    ) -> None:
        head, members = await self._group(tx, actor, conversation_id)
        if user_id not in members:
            raise NotFound
        head.members_version += 1
        event_seq = head.add_event("member_removed", at, user_id=user_id)
        await store.leave(tx, head.id, user_id, event_seq)
        await ledger.save(tx, [head])
        event = MemberRemoved(
            at=at,
            actor_id=actor.user_id,
            client_id=head.client_id,
            conversation_id=head.id,
            user_id=user_id,
        )
        await self._bus.publish(tx, event, subject_id=user_id)
        removed = member_wire(head.id, event_seq, user_id)
        await self._broadcast.announce(tx, head, "member_removed", removed, also=(user_id,))

    async def _group(
        self, tx: Tx, actor: Actor, conversation_id: str
    ) -> tuple[Head, tuple[str, ...]]:
        """Lock a group that the actor is still in, and return it with its members."""
        head = (await ledger.lock(tx, [conversation_id])).get(conversation_id)
        members = await store.user_ids(tx, conversation_id)
        if head is None or actor.user_id not in members:
            raise NotFound
        if head.kind != "group":
            raise Conflict("A direct conversation keeps its two members.", code="not_a_group")
        return head, members

    async def _read(self, db: Database | Tx, actor: Actor, conversation_id: str) -> dict[str, Any]:
        row = await store.read(db, conversation_id, actor.user_id)
        if row is None:
            raise NotFound
        return (await self._wires(db, actor, [row]))[0]

    async def _wires(
        self, db: Database | Tx, actor: Actor, rows: Sequence[Row]
    ) -> list[dict[str, Any]]:
        ids = [row["conversation_id"] for row in rows]
        members: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in await store.members(db, ids):
            members[row["conversation_id"]].append(self._member(row))
        last = {
            row["conversation_id"]: message_wire(row)
            for row in await messages.last(db, ids, actor.user_id)
        }
        return [
            conversation_wire(row, members[id_], last.get(id_))
            for row, id_ in zip(rows, ids, strict=True)
        ]

    def _member(self, row: Row) -> dict[str, Any]:
        user_id = row["user_id"]
        is_online = self._hub.is_online(user_id)
        return {
            "userId": user_id,
            "name": row["name"],
            "role": row["role"],
            "joinedAt": rfc3339(row["joined_at"]),
            "online": is_online,
            "lastSeen": None if is_online else instant(self._hub.last_seen(user_id)),
            "deliveredSeq": row["delivered_seq"],
            "readSeq": row["read_seq"],
        }

    def _too_many(self, pointer: str) -> Invalid:
        return invalid(pointer, "too_many", f"a group has at most {self._max_members} members")
