"""Realtime: what clients send over Socket.IO and `/ws`."""

from typing import Any

from wellio import Client, Policies, emits, socket_event

from .models import WINS, NewWinOf, WinAck, WinNoted
from .service import WinService


@emits("win_noted", WinNoted)
class WinSockets:
    """`note_win`; `win_noted` goes to everybody who is concerned."""

    def __init__(self, wins: WinService, policies: Policies) -> None:
        self._wins, self._policies = wins, policies

    @socket_event("note_win", body=NewWinOf, ack=WinAck, permission="hello.note")
    async def note(self, client: Client, body: NewWinOf) -> dict[str, Any]:
        """Note a win; the acknowledgement comes once it is stored."""
        await self._policies.check(client.actor, "read", "client", body.client_id)
        win = await self._wins.note(client.actor, body.client_id, body, client)
        return {"win": WINS.wire(win)}
