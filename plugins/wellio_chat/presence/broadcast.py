"""Tells at once who types and who is there: what goes to the hub, and is never stored."""

from collections.abc import Iterable

from wellio import Wellio, emits
from wellio_chat.messages.wire import instant

from .models import Presence, TypingHint


@emits("typing", TypingHint)
@emits("presence", Presence)
class Hints:
    """Sends hints to people who may read conversations."""

    def __init__(self, app: Wellio) -> None:
        self._hub = app.hub

    def typing(
        self, user_ids: Iterable[str], conversation_id: str, user_id: str, *, is_typing: bool
    ) -> None:
        """Tell people that somebody types, or stopped."""
        data = {"conversationId": conversation_id, "userId": user_id, "isTyping": is_typing}
        self._hub.emit(user_ids, "typing", data, permission="chat.read")

    def presence(
        self, user_ids: Iterable[str], user_id: str, last_seen_at: int | None, *, is_online: bool
    ) -> None:
        """Tell people that somebody came or went."""
        data = {"userId": user_id, "online": is_online, "lastSeen": instant(last_seen_at)}
        self._hub.emit(user_ids, "presence", data, permission="chat.read")
