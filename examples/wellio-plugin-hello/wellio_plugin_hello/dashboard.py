"""This plugin's part of `GET /dashboard`."""

from typing import Any

from wellio import Actor, PageQuery, Wellio

from .models import WINS

_SHOWN = 3


class WinsSection:
    """The last wins of the clients whom one may see."""

    name = "wins"

    def __init__(self, app: Wellio) -> None:
        self._db, self._policies = app.db, app.policies

    async def load(self, actor: Actor) -> list[dict[str, Any]]:
        """Return a few, as `GET /clients/{id}/wins` does; none for who may read none."""
        if not actor.can("hello.read"):
            return []
        seen = self._policies.get("client").visible_sql(actor, "t.client_id")
        found = await WINS.page(self._db, PageQuery(limit=_SHOWN), seen)
        return [WINS.wire(row) for row in found.rows]
