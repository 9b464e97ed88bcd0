"""What happens in conversations: facts that other plugins may subscribe to. Ids only."""

from wellio import Event


class ConversationCreated(Event, name="conversation.created"):
    """A conversation was opened."""

    conversation_id: str


class MemberAdded(Event, name="member.added"):
    """Somebody joined a group after it was made."""

    conversation_id: str
    user_id: str


class MemberRemoved(Event, name="member.removed"):
    """Somebody left a conversation, or was taken out of it."""

    conversation_id: str
    user_id: str


class MessageCreated(Event, name="message.created"):
    """A message was stored and is visible to its conversation."""

    message_id: str
    conversation_id: str


class MessageEdited(Event, name="message.edited"):
    """Its sender changed a message's content."""

    message_id: str
    conversation_id: str


class MessageDeleted(Event, name="message.deleted"):
    """A message's content was taken away; its place in the conversation stays."""

    message_id: str
    conversation_id: str


class MessageRead(Event, name="message.read"):
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
