"""Who may do what with a client record."""

from typing import ClassVar

from wellio import Access, Actor, Fragment, Wellio

from .clients import store

_VISIBLE = " IN (SELECT client_id FROM practice_v_client_access WHERE user_id = :actor_id)"


class ClientPolicy:
    """An owner sees and changes all, a coach those assigned to them, a client sees themself.

    Assigning coaches is the owner's.
    """

    kind = "client"
    _allowed: ClassVar[dict[str, frozenset[str]]] = {
        "owner": frozenset({"read", "update", "assign"}),
        "coach": frozenset({"read", "update"}),
        "client": frozenset({"read"}),
    }

    def __init__(self, app: Wellio) -> None:
        self._db = app.db

    async def may(self, actor: Actor, action: str, object_id: str) -> Access:
        """Look up as what the actor may know of the client, and what that allows."""
        role = await store.role_for(self._db, actor.user_id, object_id)
        if role is None:
            return Access.HIDDEN
        return Access.ALLOWED if action in self._allowed[role] else Access.VISIBLE

    def visible_sql(self, actor: Actor, column: str) -> Fragment:
        """Return the condition that keeps a list to the actor's own clients."""
        return Fragment(column + _VISIBLE, {"actor_id": actor.user_id})
