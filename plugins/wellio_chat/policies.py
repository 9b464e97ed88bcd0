"""Who may do what with a conversation and with a message."""

from typing import ClassVar

from wellio import Access, Actor, Fragment, Wellio

from .conversations import store as conversations
from .messages import store as messages

_IN_MINE = """ IN (SELECT conversation_id FROM chat_member
    WHERE user_id = :chat_viewer AND removed_event_seq IS NULL)"""
_OF_MINE = " IN (SELECT m.id FROM chat_message m WHERE m.conversation_id" + _IN_MINE + ")"


class ConversationPolicy:
    """Its members may read it; the staff among them may change who is in a group.

    A member whose role does not chat any more, such as a coach who became an assistant, may know
    of it and nothing else.
    """

    kind: ClassVar[str] = "conversation"

    def __init__(self, app: Wellio) -> None:
        self._db = app.db

    async def may(self, actor: Actor, action: str, object_id: str) -> Access:
        """Answer for `read` and `manage`."""
        found = await conversations.role_in(self._db, object_id, actor.user_id)
        if found is None:
            return Access.HIDDEN
        needed = "chat.read" if action == "read" else "chat.manage_groups"
        return Access.ALLOWED if actor.can(needed) else Access.VISIBLE

    def visible_sql(self, actor: Actor, column: str) -> Fragment:
        """Return the condition that keeps a list to conversations that the actor is in."""
        return Fragment(column + _IN_MINE, {"chat_viewer": _reader(actor)})


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
        if action == "read":
            is_allowed = actor.can("chat.read")
        else:
            is_allowed = actor.can("chat.send") and row["sender_id"] == actor.user_id
        return Access.ALLOWED if is_allowed else Access.VISIBLE

    def visible_sql(self, actor: Actor, column: str) -> Fragment:
        """Return the condition that keeps a list to messages of the actor's conversations."""
        return Fragment(column + _OF_MINE, {"chat_viewer": _reader(actor)})


def _reader(actor: Actor) -> str:
    """Return whose memberships count: without the permission nobody's."""
    return actor.user_id if actor.can("chat.read") else ""
