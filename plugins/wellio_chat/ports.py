"""What other plugins may ask of the chat, by `app.service(...)`."""

from typing import Protocol

from wellio import Actor, IfMatch, Row

from .conversations.models import ConversationView, NewConversation, NewMember, Opened
from .messages.models import Edit, Mark, NewMessage, Sent, Watermarks

__all__ = [
    "ConversationView",
    "Edit",
    "HoldConversations",
    "Mark",
    "NewConversation",
    "NewMember",
    "NewMessage",
    "Opened",
    "SendMessages",
    "Sent",
    "Watermarks",
]


class HoldConversations(Protocol):
    """Opens conversations, and says who is in them."""

    async def open(self, actor: Actor, new: NewConversation) -> Opened:
        """Open a conversation, or find the direct one that is there.

        Raises:
            Forbidden: A group is not the actor's to make.
            NotFound: A member is nobody whom the actor may have in a conversation.
        """

    async def add_member(
        self, actor: Actor, conversation_id: str, member: NewMember
    ) -> ConversationView:
        """Take somebody into a group.

        Raises:
            NotFound: There is no such person for the actor.
            Conflict: `not_a_group`, `group_full`.
        """

    async def remove_member(self, actor: Actor, conversation_id: str, user_id: str) -> None:
        """Take somebody out of a group, or oneself.

        Raises:
            Forbidden: It is somebody else, and the actor's groups are not theirs to manage.
            NotFound: They are no member.
            Conflict: `not_a_group`.
        """


class SendMessages(Protocol):
    """Writes in the conversations that somebody is a member of, as them.

    The permission `chat.send` and the policy of `message` stand at the edge: who calls this from a
    route declares them there, as the chat's own routes do.
    """

    async def send(self, actor: Actor, conversation_id: str, message: NewMessage) -> Sent:
        """Send a message; its members hear of it at once.

        Returns:
            The stored message's row, with its `id`.

        Raises:
            NotFound: The actor is no member.
            Conflict: `nobody_there`: the other person of a direct conversation has left it.
            TooManyRequests: They sent too many.
        """

    async def edit(self, actor: Actor, message_id: str, edit: Edit, if_match: IfMatch) -> Row:
        """Change what a message says.

        Raises:
            NotFound: There is no such message, or the actor is no member any more.
            Conflict: `message_deleted`.
        """

    async def delete(self, actor: Actor, message_id: str) -> None:
        """Empty a message; who is a member goes on seeing that there was one."""

    async def mark(
        self, actor: Actor, conversation_id: str, upto: Mark, *, is_read: bool
    ) -> Watermarks:
        """Say that everything up to a message reached the actor, or was read by them."""
