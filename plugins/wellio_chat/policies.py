"""Who may do what with a conversation and with a message."""

from typing import ClassVar

from wellio import Access, Actor, Fragment, Wellio

from .store import conversations, messages

_IN_MINE = """ IN (SELECT conversation_id FROM chat_member
    WHERE user_id = :chat_viewer AND removed_event_seq IS NULL)"""
_OF_MINE = " IN (SELECT m.id FROM chat_message m WHERE m.conversation_id" + _IN_MINE + ")"


class ConversationPolicy:
    """Its members may read it; the staff among them may change who is in a group."""

    kind: ClassVar[str] = "conversation"

    def __init__(self, app: Wellio) -> None:
        self._db = app.db

    async def may(self, actor: Actor, action: str, object_id: str) -> Access:
        """Answer for `read` and `manage`."""
        found = await conversations.role_in(self._db, object_id, actor.user_id)
        if found is None:
            return Access.HIDDEN
        is_allowed = action == "read" or actor.can("chat.manage_groups")
        return Access.ALLOWED if is_allowed else Access.VISIBLE

    def visible_sql(self, actor: Actor, column: str) -> Fragment:
        """Return the condition that keeps a list to conversations that the actor is in."""
        return Fragment(column + _IN_MINE, {"chat_viewer": actor.user_id})


class MessagePolicy:
    """The members of its conversation may read it; its sender may change it."""

    kind: ClassVar[str] = "message"

    def __init__(self, app: Wellio) -> None:
        self._db = app.db

    async def may(self, actor: Actor, action: str, object_id: str) -> Access:
        """Answer for `read` and `change`."""
        row = await messages.read(self._db, object_id, actor.user_id)
        if row is None:
            return Access.HIDDEN
        is_allowed = action == "read" or row["sender_id"] == actor.user_id
        return Access.ALLOWED if is_allowed else Access.VISIBLE

    def visible_sql(self, actor: Actor, column: str) -> Fragment:
        """Return the condition that keeps a list to messages of the actor's conversations."""
        return Fragment(column + _OF_MINE, {"chat_viewer": actor.user_id})
