"""Opens conversations, changes their members, lists them."""

from collections import defaultdict
from collections.abc import Sequence

from wellio import (
    Actor,
    Conflict,
    Database,
    Invalid,
    NotFound,
    PageQuery,
    Row,
    Slice,
    Tx,
    Wellio,
    decode_cursor,
    encode_cursor,
    invalid,
    new_id,
)
from wellio_chat.config import ChatConfig
from wellio_chat.events import ConversationCreated
from wellio_chat.messages import store as messages
from wellio_chat.messages.catchup import CatchUpService

from . import ledger, people, store
from .broadcast import Broadcast
from .entry import Entry, Opening
from .ledger import Head
from .membership import Membership
from .models import ConversationView, Inbox, MemberView, NewConversation, NewMember, Opened

_END = (2**53, "~")


class GroupFull(Conflict):
    """409: the group has as many members as a group may have."""

    default_code, default_detail = "group_full", "This group is full."


class NotAGroup(Conflict):
    """409: a direct conversation keeps its two members."""

    default_code = "not_a_group"
    default_detail = "A direct conversation keeps its two members."


class ConversationService:
    """What people do with conversations; who is no member does not know of them."""

    def __init__(self, app: Wellio) -> None:
        self._db, self._bus, self._clock, self._hub = app.db, app.bus, app.clock, app.hub
        self._broadcast, self._catch_up = app.service(Broadcast), app.service(CatchUpService)
        self._membership = app.service(Membership)
        self._max_members = app.settings(ChatConfig).group_members

    async def open(self, actor: Actor, new: NewConversation) -> Opened:
        """Open a conversation; a direct one that exists already is answered with 200.

        Whoever was out of that because they looked after the client no longer is in it again.

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

    async def read(self, actor: Actor, conversation_id: str) -> ConversationView:
        """Read one conversation."""
        return await self._read(self._db, actor, conversation_id)

    async def inbox(self, actor: Actor, query: PageQuery) -> Inbox:
        """List your conversations, newest activity first.

        `syncCursor` is taken before the list is read, so `sync` from there misses nothing and does
        not begin with all that ever happened.
        """
        sync_cursor = await self._catch_up.now(actor)
        return Inbox(await self.newest(actor, query), sync_cursor)

    async def newest(self, actor: Actor, query: PageQuery) -> Slice[ConversationView]:
        """Return the actor's conversations, newest activity first."""
        before = decode_cursor(query.cursor, int, str) if query.cursor else _END
        rows = await store.page(self._db, actor.user_id, (before[0], before[1]), query.limit + 1)
        found = Slice.of(
            rows, query.limit, lambda row: encode_cursor(row["active_at"], row["conversation_id"])
        )
        return Slice(await self._views(self._db, actor, found.rows), found.next_cursor)

    async def unread(self, actor: Actor) -> int:
        """Return how many messages wait for the actor in all conversations."""
        return await store.unread(self._db, actor.user_id)

    async def add_member(
        self, actor: Actor, conversation_id: str, member: NewMember
    ) -> ConversationView:
        """Take somebody into a group; they see all of its history. Again is no mistake.

        Raises:
            NotFound: There is no such person for the actor.
            Conflict: `not_a_group`, `group_full`.
        """
        return await self._db.write(
            self._add_member, actor, conversation_id, member.user_id, self._clock.now_ms()
        )

    async def remove_member(self, actor: Actor, conversation_id: str, user_id: str) -> None:
        """Take somebody out of a group (staff), or leave it yourself: at once, for everything.

        Raises:
            Forbidden: It is somebody else, and the actor's groups are not theirs to manage.
            NotFound: They are no member.
            Conflict: `not_a_group`.
        """
        if user_id != actor.user_id:
            actor.require("chat.manage_groups")
        await self._db.write(
            self._remove_member, actor, conversation_id, user_id, self._clock.now_ms()
        )

    async def _open(
        self, tx: Tx, actor: Actor, new: NewConversation, others: Sequence[str], at: int
    ) -> Opened:
        if set(others) - await people.reachable(tx, actor, others):
            raise NotFound
        user_ids = sorted([actor.user_id, *others])
        pair_key = " ".join(user_ids) if new.kind == "direct" else None
        conversation_id = new_id()
        if not await store.insert(tx, conversation_id, new.kind, new.title, pair_key, at):
            existing = await store.of_pair(tx, pair_key or "") or ""
            await self._membership.complete(tx, existing, user_ids, actor.user_id, at)
            return Opened(await self._read(tx, actor, existing), is_new=False)
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
        opening = Opening(new.kind, new.title, at, user_ids)
        entry = Entry(head.id, event_seq, "conversation_created", opening=opening)
        await self._broadcast.announce(tx, head, entry)
        return Opened(await self._read(tx, actor, conversation_id), is_new=True)

    async def _add_member(
        self, tx: Tx, actor: Actor, conversation_id: str, user_id: str, at: int
    ) -> ConversationView:
        head, members = await self._group(tx, actor, conversation_id)
        if user_id in members:
            return await self._read(tx, actor, conversation_id)
        if user_id not in await people.reachable(tx, actor, [user_id]):
            raise NotFound
        if len(members) >= self._max_members:
            raise GroupFull
        await self._membership.begin(tx, head, user_id, actor.user_id, at)
        return await self._read(tx, actor, conversation_id)

    async def _remove_member(
        self, tx: Tx, actor: Actor, conversation_id: str, user_id: str, at: int
    ) -> None:
        head, members = await self._group(tx, actor, conversation_id)
        if user_id not in members:
            raise NotFound
        await self._membership.end(tx, head, user_id, actor.user_id, at)

    async def _group(
        self, tx: Tx, actor: Actor, conversation_id: str
    ) -> tuple[Head, tuple[str, ...]]:
        """Lock a group that the actor is still in, and return it with its members."""
        head = (await ledger.lock(tx, [conversation_id])).get(conversation_id)
        members = await store.user_ids(tx, conversation_id)
        if head is None or actor.user_id not in members:
            raise NotFound
        if head.kind != "group":
            raise NotAGroup
        return head, members

    async def _read(
        self, db: Database | Tx, actor: Actor, conversation_id: str
    ) -> ConversationView:
        row = await store.read(db, conversation_id, actor.user_id)
        if row is None:
            raise NotFound
        return (await self._views(db, actor, [row]))[0]

    async def _views(
        self, db: Database | Tx, actor: Actor, rows: Sequence[Row]
    ) -> list[ConversationView]:
        ids = [row["conversation_id"] for row in rows]
        members: dict[str, list[MemberView]] = defaultdict(list)
        for row in await store.members(db, ids):
            members[row["conversation_id"]].append(self._member(row))
        last = {row["conversation_id"]: row for row in await messages.last(db, ids, actor.user_id)}
        return [
            ConversationView(row, members[id_], last.get(id_))
            for row, id_ in zip(rows, ids, strict=True)
        ]

    def _member(self, row: Row) -> MemberView:
        is_online = self._hub.is_online(row["user_id"])
        return MemberView(
            row, is_online, None if is_online else self._hub.last_seen(row["user_id"])
        )

    def _too_many(self, pointer: str) -> Invalid:
        return invalid(pointer, "too_many", f"a group has at most {self._max_members} members")
