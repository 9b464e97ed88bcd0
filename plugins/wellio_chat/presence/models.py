"""What a client says of itself while it is connected."""

from pydantic import Field

from wellio import Id, Instant, Wire


class Typing(Wire):
    """Whether the caller types."""

    conversation_id: Id
    is_typing: bool


class TypingHint(Wire):
    """Another member types, or stopped."""

    conversation_id: Id
    user_id: Id
    is_typing: bool


class Presence(Wire):
    """Somebody who shares a conversation with you came or went."""

    user_id: Id
    online: bool
    last_seen: Instant | None = Field(description="When they went; null when they came.")
