"""The chat's part of `GET /dashboard`."""

from typing import Any

from wellio import Actor, PageQuery

from .conversations import wire
from .conversations.service import ConversationService

_SHOWN = 10


class UnreadSection:
    """How many messages wait, in all conversations."""

    name = "unread"

    def __init__(self, conversations: ConversationService) -> None:
        self._conversations = conversations

    async def load(self, actor: Actor) -> int:
        """Return the number; 0 for who has no chat."""
        return await self._conversations.unread(actor) if actor.can("chat.read") else 0


class ConversationsSection:
    """The conversations in which something happened last."""

    name = "conversations"

    def __init__(self, conversations: ConversationService) -> None:
        self._conversations = conversations

    async def load(self, actor: Actor) -> list[dict[str, Any]]:
        """Return a few, as `GET /conversations` does; none for who has no chat."""
        if not actor.can("chat.read"):
            return []
        found = await self._conversations.newest(actor, PageQuery(limit=_SHOWN))
        return [wire.conversation(it) for it in found.rows]
