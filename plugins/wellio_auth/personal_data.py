"""What is stored about the holder of an account, handed out and taken away."""

from typing import Any, ClassVar

import orjson

from wellio import Row, Tx, Wellio

from .accounts import store as account_store
from .accounts.service import LastOwner
from .api_keys import store as api_key_store
from .api_keys.service import ApiKeys
from .invitations import store as invitation_store
from .sessions import store as session_store
from .sessions.service import Sessions

_JSON = frozenset({"attributes", "scopes"})


class AccountData:
    """The account, its sessions and API keys, and the invitation that it came from."""

    tables: ClassVar[tuple[str, ...]] = (
        *("auth_user", "auth_session", "auth_api_key", "auth_invitation"),
    )

    def __init__(self, app: Wellio) -> None:
        self._db, self._clock = app.db, app.clock
        self._sessions = app.service(Sessions)
        self._api_keys = app.service(ApiKeys)

    async def export(self, user_id: str) -> dict[str, list[dict[str, Any]]]:
        """Return the person's rows, without hashes."""
        db = self._db
        user = await account_store.user_by_id(db, user_id)
        if user is None:
            return {}
        rows = {
            "auth_user": await account_store.rows_about(db, user_id),
            "auth_session": await session_store.rows_about(db, user_id),
            "auth_api_key": await api_key_store.rows_about(db, user_id),
            "auth_invitation": await invitation_store.rows_about(db, user_id, user["email"]),
        }
        return {table: [_shown(row) for row in found] for table, found in rows.items()}

    async def erase(self, tx: Tx, user_id: str) -> None:
        """Leave a tombstone of the account, and end its sessions and API keys at once.

        What others keep refers to it as before, and leads to nobody; the address is free again.

        Raises:
            Conflict: It is the last owner's (`last_owner`).
        """
        owners = await account_store.lock_active_owners(tx)
        user = await account_store.lock_user(tx, user_id)
        if user is None:
            return
        if owners == {user_id}:
            raise LastOwner
        await self._sessions.end(tx, user_id, "erased", None)
        await self._api_keys.end_all(tx, user_id, "erased", None)
        await invitation_store.delete_invitations_by(tx, user_id)
        await invitation_store.delete_invitations_of(tx, user_id, user["email"])
        await invitation_store.forget_coach(tx, user_id)
        await account_store.erase_user(tx, user_id, self._clock.now_ms())


def _shown(row: Row) -> dict[str, Any]:
    shown = dict(zip(row.keys(), row, strict=True))
    return shown | {it: orjson.loads(shown[it]) for it in _JSON & shown.keys()}
