"""What people do with client records."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from wellio import (
    Account,
    Actor,
    Database,
    FieldError,
    Forbidden,
    IfMatch,
    Invalid,
    NotFound,
    Row,
    Slice,
    Tx,
    Wellio,
    address_key,
    sort_key,
)
from wellio_practice.events import (
    ClientAssigned,
    ClientCreated,
    ClientLifecycleChanged,
    ClientUnassigned,
    ClientUpdated,
)
from wellio_practice.policies import ClientPolicy
from wellio_practice.tags.models import TAGS

from . import store, team
from .models import CLIENTS, ClientChange, ClientQuery, ClientView, NewClient

_NEW: Mapping[str, Any] = {"status": "active", "lifecycle": "active", "metadata": {}}


class ClientService:
    """Makes, finds and changes client records and says who looks after them."""

    def __init__(self, app: Wellio) -> None:
        self._db, self._bus, self._clock = app.db, app.bus, app.clock
        self._policy = app.service(ClientPolicy)

    async def search(self, actor: Actor, query: ClientQuery) -> Slice[ClientView]:
        """List the clients that you may see, by name; a client sees their own record.

        Raises:
            Forbidden: A client asks by what staff keep about them.
        """
        if actor.role == "client" and (query.tag_id or query.lifecycle):
            raise Forbidden("Tags and lifecycles are for staff.")
        where = store.fitting(self._policy.visible_sql(actor, "t.id"), query)
        found = await CLIENTS.page(self._db, query, where)
        return Slice(await self._views(self._db, actor, found.rows), found.next_cursor)

    async def read(self, actor: Actor, client_id: str) -> ClientView:
        """Read one client.

        Raises:
            NotFound: There is none.
        """
        row = _there(await CLIENTS.read(self._db, client_id))
        return await self._view(self._db, actor, row)

    async def create(self, actor: Actor, new: NewClient) -> ClientView:
        """Make a record of somebody who may or may not get an account.

        A coach looks after the clients that they make.

        Raises:
            Invalid: A coach id is not that of an owner or coach, or not the coach's own.
        """
        values = {**new.given(), "lifecycle": new.lifecycle}
        coach_ids = list(dict.fromkeys(values.pop("coach_ids", ())))
        if actor.role != "owner":
            if any(coach_id != actor.user_id for coach_id in coach_ids):
                raise _not_staff(coach_ids, {actor.user_id})
            coach_ids = [actor.user_id]
        return await self._db.write(self._make, actor, values, coach_ids, self._clock.now_ms())

    async def change(
        self, actor: Actor, client_id: str, change: ClientChange, if_match: IfMatch
    ) -> ClientView:
        """Change the fields that are given; null empties one.

        Raises:
            PreconditionFailed: The record is in another state than the actor insists on.
        """
        now = self._clock.now_ms()
        return await self._db.write(self._change, actor, client_id, change.given(), if_match, now)

    async def assign(self, actor: Actor, client_id: str, coach_id: str) -> None:
        """Have a coach look after a client.

        Doing it twice changes nothing.

        Raises:
            NotFound: That account is no owner or coach.
        """
        await self._db.write(self._assign, actor.user_id, client_id, coach_id, self._clock.now_ms())

    async def unassign(self, actor: Actor, client_id: str, coach_id: str) -> None:
        """End that a coach looks after a client.

        Doing it twice changes nothing.
        """
        now = self._clock.now_ms()
        await self._db.write(self._unassign, actor.user_id, client_id, coach_id, now)

    async def tag(self, actor: Actor, client_id: str, tag_id: str) -> None:
        """Put a tag on a client.

        Raises:
            NotFound: There is no such tag.
        """
        await self._db.write(self._tag, actor.user_id, client_id, tag_id)

    async def untag(self, actor: Actor, client_id: str, tag_id: str) -> None:
        """Take a tag off a client.

        Doing it twice changes nothing.
        """
        await self._db.write(self._untag, actor.user_id, client_id, tag_id)

    async def on_account(self, tx: Tx, account: Account, attributes: Mapping[str, Any]) -> None:
        """Give a client's new account its record, and the record its coach.

        A record that staff made before, with the same address, is taken only if it is that
        coach's or nobody's: otherwise an invitation would open another coach's client.
        """
        if account.role != "client":
            return
        coach_id = attributes.get("coachId")
        if email := attributes.get("coachEmail"):
            coach_id = await store.staff_by_email(tx, email)
            if coach_id is None:
                raise Invalid(errors=[FieldError("/coach", "no_coach", "is no coach's address")])
        now = self._clock.now_ms()
        client_id = await store.find_unlinked(tx, account.email, coach_id)
        if client_id is None:
            values = {"user_id": account.id, "name": account.name, "email": account.email}
            row = await self._create(tx, account.id, values, now)
        else:
            row = (await CLIENTS.change(tx, client_id, {"user_id": account.id}, now=now)).after
            await self._updated(tx, account.id, row, "account")
        await self._assign_all(tx, account.id, row, [coach_id] if coach_id else [], now)

    async def on_profile(self, tx: Tx, user_id: str, changed: Mapping[str, Any]) -> None:
        """Have a client's record say what the client says of themself, for staff to see."""
        row = await store.lock_own_record(tx, user_id)
        if row is None:
            return
        change = await CLIENTS.change(tx, row, changed, now=self._clock.now_ms())
        if change.changed:
            await self._updated(tx, user_id, row, " ".join(change.changed))

    async def _make(
        self, tx: Tx, actor: Actor, values: dict[str, Any], coach_ids: list[str], now: int
    ) -> ClientView:
        row = await self._create(tx, actor.user_id, values, now)
        await self._assign_all(tx, actor.user_id, row, coach_ids, now)
        return await self._view(tx, actor, row)

    async def _create(self, tx: Tx, actor_id: str, values: Mapping[str, Any], now: int) -> Row:
        row = await CLIENTS.insert(tx, {**_NEW, **_with_keys(values)}, now=now)
        user_id = row["user_id"]
        event = ClientCreated(client_id=row["id"], user_id=user_id, actor_id=actor_id)
        await self._bus.publish(tx, event, subject_id=user_id)
        return row

    async def _change(
        self,
        tx: Tx,
        actor: Actor,
        client_id: str,
        given: dict[str, Any],
        if_match: IfMatch,
        now: int,
    ) -> ClientView:
        before = await self._locked(tx, client_id)
        if if_match.is_given:
            if_match.check(tx, await self._view(tx, actor, before))
        change = await CLIENTS.change(tx, before, _with_keys(given), now=now)
        changed = [column for column in given if column in change.changed]
        if changed:
            await self._updated(tx, actor.user_id, before, " ".join(changed))
        if "lifecycle" in changed:
            user_id = before["user_id"]
            event = ClientLifecycleChanged(
                client_id=client_id, user_id=user_id, actor_id=actor.user_id
            )
            await self._bus.publish(tx, event, subject_id=user_id)
        return await self._view(tx, actor, change.after)

    async def _assign(self, tx: Tx, actor_id: str, client_id: str, coach_id: str, now: int) -> None:
        if not await store.active_staff(tx, [coach_id]):
            raise NotFound
        row = await self._locked(tx, client_id)
        await self._assign_all(tx, actor_id, row, [coach_id], now)

    async def _assign_all(
        self, tx: Tx, actor_id: str, row: Row, coach_ids: list[str], now: int
    ) -> None:
        """Have some coaches look after a client whose row is locked, or new."""
        known = await store.active_staff(tx, coach_ids) if coach_ids else set()
        if len(known) < len(coach_ids):
            raise _not_staff(coach_ids, known)
        for coach_id in coach_ids:
            if await team.begin(tx, row["id"], coach_id, now):
                event = ClientAssigned(
                    client_id=row["id"],
                    user_id=row["user_id"],
                    coach_id=coach_id,
                    actor_id=actor_id,
                )
                await self._bus.publish(tx, event, subject_id=coach_id)

    async def _unassign(
        self, tx: Tx, actor_id: str, client_id: str, coach_id: str, now: int
    ) -> None:
        row = await self._locked(tx, client_id)
        if await team.end(tx, client_id, coach_id, actor_id, now):
            event = ClientUnassigned(
                client_id=client_id,
                user_id=row["user_id"],
                coach_id=coach_id,
                actor_id=actor_id,
            )
            await self._bus.publish(tx, event, subject_id=coach_id)

    async def _tag(self, tx: Tx, actor_id: str, client_id: str, tag_id: str) -> None:
        row = await self._locked(tx, client_id)
        await TAGS.lock(tx, tag_id)
        if await store.tag(tx, client_id, tag_id):
            await self._updated(tx, actor_id, row, "tags")

    async def _untag(self, tx: Tx, actor_id: str, client_id: str, tag_id: str) -> None:
        row = await self._locked(tx, client_id)
        if await store.untag(tx, client_id, tag_id):
            await self._updated(tx, actor_id, row, "tags")

    async def _updated(self, tx: Tx, actor_id: str, row: Row, note: str) -> None:
        """Say that something in a record changed; `note` names it."""
        user_id = row["user_id"]
        event = ClientUpdated(client_id=row["id"], user_id=user_id, actor_id=actor_id)
        await self._bus.publish(tx, event, subject_id=user_id, note=note)

    async def _locked(self, tx: Tx, client_id: str) -> Row:
        return _there(await CLIENTS.lock(tx, client_id))

    async def _view(self, db: Database | Tx, actor: Actor, row: Row) -> ClientView:
        (view,) = await self._views(db, actor, [row])
        return view

    async def _views(
        self, db: Database | Tx, actor: Actor, rows: Sequence[Row]
    ) -> list[ClientView]:
        ids = [row["id"] for row in rows]
        coaches, tags = defaultdict[str, list[Row]](list), defaultdict[str, list[Row]](list)
        for coach in await team.members(db, ids):
            coaches[coach["client_id"]].append(coach)
        if actor.role == "client":
            return [ClientView(row, coaches[row["id"]], None) for row in rows]
        for tag in await store.tags(db, ids):
            tags[tag["client_id"]].append(tag)
        return [ClientView(row, coaches[row["id"]], tags[row["id"]]) for row in rows]


def _there(row: Row) -> Row:
    """Return a record that is no tombstone."""
    if row["erased_at"] is not None:
        raise NotFound
    return row


def _with_keys(values: Mapping[str, Any]) -> dict[str, Any]:
    """Add to what is stored the forms by which it is found."""
    keys: dict[str, str | None] = {}
    if "name" in values:
        keys["name_ci"] = sort_key(values["name"])
    if "email" in values:
        email = values["email"]
        keys["email_ci"] = None if email is None else address_key(email)
        keys["email_key"] = None if email is None else sort_key(email)
    return {**values, **keys}


def _not_staff(coach_ids: Sequence[str], known: set[str]) -> Invalid:
    return Invalid(
        errors=[
            FieldError(f"/coachIds/{index}", "no_coach", "is no coach that you may assign")
            for index, coach_id in enumerate(coach_ids)
            if coach_id not in known
        ]
    )
