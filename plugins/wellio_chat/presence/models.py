"""What a client says of itself while it is connected."""

from wellio import Id, Wire


class Typing(Wire):
    """Whether the caller types."""

    conversation_id: Id
    is_typing: bool
