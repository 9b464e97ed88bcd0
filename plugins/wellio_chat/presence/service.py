"""Who types, and who is there: hints that go straight to the hub and are never stored."""

import asyncio
from typing import NamedTuple

from wellio import Actor, NotFound, Wellio, WellioError, get_logger
from wellio_chat.config import ChatConfig
from wellio_chat.conversations import store as conversations
from wellio_chat.conversations.broadcast import Broadcast
from wellio_chat.conversations.ledger import Members

from .broadcast import Hints

_MAX_REMEMBERED = 10_000
_PATIENCE_S = 5.0
_log = get_logger(__name__)


class _Hint(NamedTuple):
    is_typing: bool
    told_at: float


class PresenceService:
    """Passes on hints to those who share a conversation with somebody."""

    def __init__(self, app: Wellio) -> None:
        self._db, self._clock, self._hub = app.db, app.clock, app.hub
        self._broadcast, self._hints = app.service(Broadcast), app.service(Hints)
        settings = app.settings(ChatConfig)
        self._budget = app.limits.budget("typing", settings.typing)
        self._interval_s = settings.typing_interval_s
        self._typing: dict[tuple[str, str], _Hint] = {}  # the last one of each
        self._tasks: set[asyncio.Task[None]] = set()  # the loop holds them weakly

    async def typing(self, actor: Actor, conversation_id: str, *, is_typing: bool) -> None:
        """Tell the other members; the same state again is passed on at most every few seconds.

        Raises:
            NotFound: The actor is no member.
            TooManyRequests: They said so too often.
        """
        self._budget.spend(actor.user_id)
        key, now = (actor.user_id, conversation_id), self._clock.monotonic()
        last = self._typing.get(key)
        if last and last.is_typing == is_typing and now - last.told_at < self._interval_s:
            return
        hint = self._remember(key, _Hint(is_typing, now))
        try:
            members = await self._members(actor, conversation_id)
        except Exception:  # whatever it was: it was not told, and goes on
            self._typing.pop(key, None)
            raise
        if self._typing.get(key) is not hint:  # a newer one is on its way and must be told last
            return
        others = (user_id for user_id in members.user_ids if user_id != actor.user_id)
        self._hints.typing(others, conversation_id, actor.user_id, is_typing=is_typing)

    def changed(self, user_id: str, online: bool) -> None:
        """Tell a person's contacts that they came or went: a listener of the hub."""
        task = asyncio.get_running_loop().create_task(self._tell(user_id, online))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Wait until everybody is told, but not longer than a hint is worth."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=_PATIENCE_S)
            for task in late:
                task.cancel()

    async def _tell(self, user_id: str, online: bool) -> None:
        try:
            contacts = await conversations.contacts(self._db, user_id)
        except WellioError as error:  # a hint is not worth more; nobody waits for it
            _log.warning("presence not told", error=type(error).__qualname__)
            return
        if self._hub.is_online(user_id) is not online:  # that has changed, and is told by itself
            return
        last_seen_at = None if online else self._hub.last_seen(user_id)
        self._hints.presence(contacts, user_id, last_seen_at, is_online=online)

    async def _members(self, actor: Actor, conversation_id: str) -> Members:
        """Return the members from the cache if it is right, which one small read tells."""
        version = await conversations.members_version(self._db, conversation_id, actor.user_id)
        if version is None:
            raise NotFound
        known = self._broadcast.known(conversation_id)
        if known is not None and known.version == version:
            return known
        members = Members(version, await conversations.user_ids(self._db, conversation_id))
        self._broadcast.remember(conversation_id, members)
        return members

    def _remember(self, key: tuple[str, str], hint: _Hint) -> _Hint:
        self._typing.pop(key, None)
        if len(self._typing) >= _MAX_REMEMBERED:
            del self._typing[next(iter(self._typing))]
        self._typing[key] = hint
        return hint
