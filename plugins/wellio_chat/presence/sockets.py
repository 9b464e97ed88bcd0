"""Realtime: who types, over Socket.IO and `/ws`."""

from wellio import Client, socket_event

from .models import Typing
from .service import PresenceService


class PresenceSockets:
    """`typing`."""

    def __init__(self, presence: PresenceService) -> None:
        self._presence = presence

    @socket_event("typing", body=Typing, permission="chat.send")
    async def typing(self, client: Client, body: Typing) -> None:
        """Tell the others that one types, or stopped."""
        await self._presence.typing(client.actor, body.conversation_id, is_typing=body.is_typing)
