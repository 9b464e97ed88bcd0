"""What becomes of conversations when somebody looks after a client no longer."""

from wellio_auth.events import UserUpdated
from wellio_practice.events import ClientUnassigned

from wellio import EventBus, Tx, Wellio

from . import ledger, people
from .membership import Membership


class CareTeam:
    """Ends a coach's membership of a client's conversations with what it was for.

    They are out within a moment of the change, and hear of that alone; what was said stays the
    client's. An owner knows of every client, and stays. When they look after the client again,
    opening the conversation takes them back in.
    """

    def __init__(self, app: Wellio, bus: EventBus) -> None:
        self._clock, self._membership = app.clock, app.service(Membership)
        bus.subscribe_durable("chat.care_team", ClientUnassigned, self.unassigned, replay=True)
        bus.subscribe_durable("chat.roles", UserUpdated, self.changed, replay=True)

    async def unassigned(self, tx: Tx, event: ClientUnassigned) -> None:
        """Take a coach out of a client's conversations."""
        await self._leave(tx, event.coach_id, event.actor_id)

    async def changed(self, tx: Tx, event: UserUpdated) -> None:
        """Take somebody out who knew the clients by a role that they have no more."""
        await self._leave(tx, event.user_id, event.actor_id)

    async def _leave(self, tx: Tx, user_id: str, actor_id: str | None) -> None:
        lost = await people.conversations_lost(tx, user_id)
        heads = await ledger.lock(tx, lost)
        for conversation_id in lost:
            head, at = heads[conversation_id], self._clock.now_ms()
            await self._membership.end(tx, head, user_id, actor_id, at)
