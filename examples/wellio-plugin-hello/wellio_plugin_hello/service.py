"""What people do with wins: check, one transaction, and in it the events."""

from collections.abc import Sequence
from typing import Any

from wellio_chat.ports import NewMessage, SendMessages

from wellio import (
    Actor,
    Client,
    ConstraintViolation,
    IfMatch,
    NotFound,
    PageQuery,
    Row,
    Slice,
    Tx,
    Wellio,
    invalid,
)

from . import store
from .config import HelloConfig
from .events import WinChanged, WinEvent, WinNoted, WinWithdrawn
from .models import WINS, NewWin, Share, Tally, WinChange
from .pictures import Pictures


class WinService:
    """Notes wins, lists them, changes them and takes them back.

    Whether the actor may see the client at all is decided before: by `object=("client", "id")` of
    the endpoint, or by the socket's handler.

    Attributes:
        can_share: Whether there is a chat to tell of wins in.
    """

    def __init__(self, app: Wellio) -> None:
        self._db, self._bus, self._clock = app.db, app.bus, app.clock
        self._hub, self._hooks = app.hub, app.hooks
        self._pictures = app.service(Pictures)
        self._messages = app.service(SendMessages, optional=True)
        self.can_share = self._messages is not None
        settings = app.settings(HelloConfig)
        self._max_length = settings.max_length
        self._notes = app.limits.budget("hello-notes", settings.notes)

    async def note(
        self, actor: Actor, client_id: str, new: NewWin, device: Client | None = None
    ) -> Row:
        """Note a win of a client's.

        Args:
            actor: Who notes it.
            client_id: Whose it is.
            new: What it is.
            device: The socket that it came over, which need not be told.

        Raises:
            Invalid: The text is too long.
            NotFound: The client was deleted meanwhile.
            TooManyRequests: The actor noted too many.
        """
        self._check(new.text)
        self._notes.spend(actor.user_id)
        win = {"client_id": client_id, "author_id": actor.user_id, "text": new.text}
        return await self._db.write(self._note, win, self._clock.now_ms(), device)

    async def list(self, client_id: str, query: PageQuery) -> Slice[Row]:
        """List a client's wins, the newest first."""
        return await store.page(self._db, client_id, query)

    async def read(self, client_id: str, win_id: str) -> Row:
        """Read one win."""
        return await store.of_client(self._db, client_id, win_id)

    async def change(
        self, actor: Actor, client_id: str, win_id: str, change: WinChange, if_match: IfMatch
    ) -> Row:
        """Put a win that one noted in other words.

        Raises:
            Invalid: The text is too long.
            NotFound: There is no such win of this client's.
            Forbidden: Somebody else noted it.
            PreconditionFailed: It is in another state than the caller insists on.
        """
        values = change.given()
        self._check(values.get("text", ""))
        now = self._clock.now_ms()
        return await self._db.write(self._change, actor, client_id, win_id, values, if_match, now)

    async def count(self, client_id: str) -> Tally:
        """Say how many wins a client has, and what that earned."""
        row = await store.tally(self._db, client_id)
        wins, last_at = (row["wins"], row["last_at"]) if row else (0, None)
        badges = self._hooks.of("register_badges")
        return Tally(wins, last_at, [badge.name for badge in badges if badge.wins <= wins])

    async def withdraw(self, actor: Actor, client_id: str, win_id: str) -> None:
        """Take a win back that one noted.

        Raises:
            NotFound: There is no such win of this client's.
            Forbidden: Somebody else noted it.
        """
        await self._db.write(self._withdraw, actor, client_id, win_id)

    async def share(self, actor: Actor, client_id: str, win_id: str, share: Share) -> None:
        """Tell a conversation of a win, as a message of one's own.

        Raises:
            NotFound: There is no such win of this client's, or no such conversation, or no chat.
            Forbidden: The actor may send no messages.
        """
        if self._messages is None:
            raise NotFound
        actor.require("chat.send")  # the port leaves that to who calls it
        win = await store.of_client(self._db, client_id, win_id)
        message = NewMessage(content=win["text"])
        await self._messages.send(actor, share.conversation_id, message)

    def _check(self, text: str) -> None:
        if len(text) > self._max_length:
            raise invalid("/text", "too_long", f"must have at most {self._max_length} characters")

    async def _note(self, tx: Tx, values: dict[str, Any], now: int, device: Client | None) -> Row:
        user_id = await store.account(tx, values["client_id"])
        try:
            win = await WINS.insert(tx, values, now=now)
        except ConstraintViolation as error:
            if error.kind != "foreign_key":
                raise
            raise NotFound from None
        await self._publish(tx, WinNoted, win, user_id)
        told = [*await store.coaches(tx, win["client_id"]), *([user_id] if user_id else [])]
        data = {"clientId": win["client_id"], "winId": win["id"]}
        tx.after_commit(self._tell, told, data, device)
        return win

    async def _change(
        self,
        tx: Tx,
        actor: Actor,
        client_id: str,
        win_id: str,
        values: dict[str, Any],
        if_match: IfMatch,
        now: int,
    ) -> Row:
        win = await store.own(tx, actor, client_id, win_id)
        found = await WINS.change(tx, win, values, if_match, now=now)
        if found.changed:
            await self._publish(tx, WinChanged, win, await store.account(tx, client_id))
        return found.after

    async def _withdraw(self, tx: Tx, actor: Actor, client_id: str, win_id: str) -> None:
        win = await store.own(tx, actor, client_id, win_id)
        await WINS.delete(tx, win_id)
        await self._pictures.forget(tx, win["picture"])
        await self._publish(tx, WinWithdrawn, win, await store.account(tx, client_id))

    async def _publish(self, tx: Tx, event: type[WinEvent], win: Row, user_id: str | None) -> None:
        """Tell other plugins; the audit row that goes with it names the client's account."""
        ids = {"client_id": win["client_id"], "win_id": win["id"], "actor_id": win["author_id"]}
        await self._bus.publish(tx, event(**ids), subject_id=user_id)

    def _tell(self, user_ids: Sequence[str], data: dict[str, Any], device: Client | None) -> None:
        """Tell those who look after the client, and the client's own devices, at once."""
        self._hub.emit(user_ids, "win_noted", data, exclude=device, permission="hello.read")
