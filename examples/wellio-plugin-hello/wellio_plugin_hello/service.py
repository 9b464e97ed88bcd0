"""What people do with wins: check, one transaction, and in it the events."""

from collections.abc import Sequence
from typing import Any

from wellio import (
    Actor,
    Client,
    ConstraintViolation,
    Forbidden,
    NotFound,
    PageQuery,
    Tx,
    Wellio,
    decode_cursor,
    encode_cursor,
    invalid,
    new_id,
    page,
    rfc3339,
)

from . import store
from .config import HelloConfig
from .events import WinEvent, WinNoted, WinWithdrawn
from .models import win_wire

_NEWEST = "g"  # greater than any id, which is hexadecimal


class WinService:
    """Notes wins, lists them and takes them back.

    Whether the actor may see the client at all is decided before: by `object=("client", "id")` of
    the endpoint, or by the socket's handler.
    """

    def __init__(self, app: Wellio) -> None:
        self._db, self._bus, self._clock = app.db, app.bus, app.clock
        self._hub = app.hub
        settings = app.settings(HelloConfig)
        self._max_length = settings.max_length
        self._notes = app.limits.budget("hello-notes", settings.notes)

    async def note(
        self, actor: Actor, client_id: str, text: str, device: Client | None = None
    ) -> dict[str, Any]:
        """Note a win of a client's.

        Args:
            actor: Who notes it.
            client_id: Whose it is.
            text: What it is.
            device: The socket that it came over, which need not be told.

        Raises:
            Invalid: The text is too long.
            NotFound: The client was deleted meanwhile.
            TooManyRequests: The actor noted too many.
        """
        if len(text) > self._max_length:
            raise invalid("/text", "too_long", f"must have at most {self._max_length} characters")
        self._notes.spend(actor.user_id)
        win = {
            "id": new_id(),
            "client_id": client_id,
            "author_id": actor.user_id,
            "body": text,
            "created_at": self._clock.now_ms(),
        }
        return await self._db.write(self._note, win, device)

    async def list(self, client_id: str, query: PageQuery) -> dict[str, Any]:
        """Return a page of a client's wins, the newest first."""
        (before,) = decode_cursor(query.cursor, str) if query.cursor else (_NEWEST,)
        rows = await store.list_before(self._db, client_id, before, query.limit + 1)
        return page(rows, query.limit, lambda row: encode_cursor(row["id"]), win_wire)

    async def count(self, client_id: str) -> dict[str, Any]:
        """Return a client's tally."""
        row = await store.tally(self._db, client_id)
        if row is None or row["last_at"] is None:
            return {"wins": 0, "lastAt": None}
        return {"wins": row["wins"], "lastAt": rfc3339(row["last_at"])}

    async def withdraw(self, actor: Actor, client_id: str, win_id: str) -> None:
        """Take one's own win back.

        Raises:
            NotFound: There is no such win of this client's.
            Forbidden: Somebody else noted it.
        """
        await self._db.write(self._withdraw, actor.user_id, client_id, win_id)

    async def _note(self, tx: Tx, win: dict[str, Any], device: Client | None) -> dict[str, Any]:
        user_id = await store.account(tx, win["client_id"])
        try:
            await store.insert(tx, win)
        except ConstraintViolation as error:
            if error.kind != "foreign_key":
                raise
            raise NotFound from None
        ids = {"client_id": win["client_id"], "win_id": win["id"], "actor_id": win["author_id"]}
        await self._publish(tx, WinNoted(**ids), user_id)
        told = [*await store.coaches(tx, win["client_id"]), *([user_id] if user_id else [])]
        data = {"clientId": win["client_id"], "winId": win["id"]}
        tx.after_commit(self._tell, told, data, device)
        return win_wire(win)

    async def _withdraw(self, tx: Tx, user_id: str, client_id: str, win_id: str) -> None:
        row = await store.read(tx, client_id, win_id)
        if row is None:
            raise NotFound
        if row["author_id"] != user_id:
            raise Forbidden("Only who noted a win can take it back.")
        await store.delete(tx, win_id)
        event = WinWithdrawn(client_id=client_id, win_id=win_id, actor_id=user_id)
        await self._publish(tx, event, await store.account(tx, client_id))

    async def _publish(self, tx: Tx, event: WinEvent, user_id: str | None) -> None:
        """Tell other plugins; the audit row that goes with it names the client's account."""
        await self._bus.publish(tx, event, subject_id=user_id)

    def _tell(self, user_ids: Sequence[str], data: dict[str, Any], device: Client | None) -> None:
        """Tell those who look after the client, and the client's own devices, at once."""
        self._hub.emit(user_ids, "win_noted", data, exclude=device, permission="hello.read")
