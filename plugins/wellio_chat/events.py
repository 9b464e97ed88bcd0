"""What happens in conversations: facts that other plugins may subscribe to. Ids only."""

from wellio import Event


class ConversationCreated(
    Event, name="conversation.created", about=("conversation", "conversation_id")
):
    """A conversation was opened."""

    conversation_id: str


class MemberAdded(Event, name="member.added", about=("conversation", "conversation_id")):
    """Somebody joined a conversation after it was made."""

    conversation_id: str
    user_id: str


class MemberRemoved(Event, name="member.removed", about=("conversation", "conversation_id")):
    """Somebody left a conversation, or was taken out of it."""

    conversation_id: str
    user_id: str


class MessageCreated(Event, name="message.created", about=None):
    """A message was stored and is visible to its conversation."""

    message_id: str
    conversation_id: str


class MessageEdited(Event, name="message.edited", about=None):
    """Its sender changed a message's content."""

    message_id: str
    conversation_id: str


class MessageDeleted(Event, name="message.deleted", about=None):
    """A message's content was taken away; its place in the conversation stays."""

    message_id: str
    conversation_id: str


class MessageRead(Event, name="message.read", about=None):
    """A member read up to a message, that one included."""

    message_id: str
    conversation_id: str
    user_id: str


EVENTS: list[type[Event]] = [
    ConversationCreated,
    MemberAdded,
    MemberRemoved,
    MessageCreated,
    MessageEdited,
    MessageDeleted,
    MessageRead,
]
