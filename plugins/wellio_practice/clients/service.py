"""What people do with client records."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from wellio import (
    Account,
    Actor,
    Database,
    FieldError,
    IfMatch,
    Invalid,
    NotFound,
    Row,
    Tx,
    Wellio,
    decode_cursor,
    encode_cursor,
    fold,
    new_id,
    page,
    rfc3339,
)
from wellio_practice.events import (
    ClientAssigned,
    ClientCreated,
    ClientEvent,
    ClientLifecycleChanged,
    ClientUnassigned,
    ClientUpdated,
)
from wellio_practice.tags.models import TAGS

from . import store, team
from .models import ClientChange, ClientQuery, NewClient, dump_metadata
from .policy import ClientPolicy

_NEW = {
    "user_id": None,
    "email": None,
    "phone": None,
    "date_of_birth": None,
    "time_zone": None,
    "locale": None,
    "source": None,
    "lifecycle": "active",
    "metadata": "{}",
}


class ClientService:
    """Makes, finds and changes client records and says who looks after them."""

    def __init__(self, app: Wellio) -> None:
        self._db, self._bus, self._clock = app.db, app.bus, app.clock
        self._policy = app.service(ClientPolicy)

    async def search(self, actor: Actor, query: ClientQuery) -> dict[str, Any]:
        """Return a page of the clients that the actor may see, by name."""
        after = decode_cursor(query.cursor, str, str) if query.cursor else ("", "")
        rows = await store.search(
            self._db,
            self._policy.visible_sql(actor, "c.id"),
            q=_contains(query.q) if query.q else None,
            lifecycle=query.lifecycle,
            tag_id=query.tag_id,
            coach_id=query.coach_id,
            after_name=after[0],
            after_id=after[1],
            limit=query.limit + 1,
        )
        wires = await self._wires(self._db, actor, rows[: query.limit])
        shown = {client["id"]: client for client in wires}
        return page(
            rows,
            query.limit,
            lambda row: encode_cursor(row["name_ci"], row["id"]),
            lambda row: shown[row["id"]],
        )

    async def read(self, actor: Actor, client_id: str) -> dict[str, Any]:
        """Return one client.

        Raises:
            NotFound: There is none.
        """
        return await self._read(self._db, actor, client_id)

    async def create(self, actor: Actor, new: NewClient) -> dict[str, Any]:
        """Make a record; a coach looks after the clients that they make.

        Raises:
            Invalid: A coach id is not that of an owner or coach, or not the coach's own.
        """
        coach_ids = list(dict.fromkeys(new.coach_ids))
        if actor.role != "owner":
            if any(coach_id != actor.user_id for coach_id in coach_ids):
                raise _not_staff(coach_ids, {actor.user_id})
            coach_ids = [actor.user_id]
        fields = {
            **_stored(new.model_dump(exclude={"coach_ids"})),
            "id": new_id(),
            "user_id": None,
        }
        return await self._db.write(self._make, actor, fields, coach_ids, self._clock.now_ms())

    async def change(
        self, actor: Actor, client_id: str, change: ClientChange, if_match: IfMatch
    ) -> dict[str, Any]:
        """Change the fields that are given.

        Raises:
            PreconditionFailed: The record is in another state than the actor insists on.
        """
        fields = _stored(change.model_dump(include=change.model_fields_set))
        now = self._clock.now_ms()
        return await self._db.write(self._change, actor, client_id, fields, if_match, now)

    async def assign(self, actor: Actor, client_id: str, coach_id: str) -> None:
        """Have a coach look after a client; doing it twice changes nothing.

        Raises:
            NotFound: That account is no owner or coach.
        """
        await self._db.write(self._assign, actor.user_id, client_id, coach_id, self._clock.now_ms())

    async def unassign(self, actor: Actor, client_id: str, coach_id: str) -> None:
        """End that a coach looks after a client; doing it twice changes nothing."""
        now = self._clock.now_ms()
        await self._db.write(self._unassign, actor.user_id, client_id, coach_id, now)

    async def tag(self, actor: Actor, client_id: str, tag_id: str) -> None:
        """Put a tag on a client.

        Raises:
            NotFound: There is no such tag.
        """
        await self._db.write(self._tag, actor.user_id, client_id, tag_id)

    async def untag(self, actor: Actor, client_id: str, tag_id: str) -> None:
        """Take a tag off a client; doing it twice changes nothing."""
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
        if client_id is not None:
            await store.link(tx, client_id, account.id, now)
            event = ClientUpdated(client_id=client_id, user_id=account.id, actor_id=account.id)
            await self._tell(tx, event, note="account")
            coach_ids = [coach_id] if coach_id else []
            await self._assign_all(tx, account.id, client_id, coach_ids, now)
            return
        fields = {
            **_NEW,
            "id": new_id(),
            "user_id": account.id,
            "name": account.name,
            "email": account.email,
        }
        await self._create(tx, account.id, fields, [coach_id] if coach_id else [], now)

    async def _make(
        self, tx: Tx, actor: Actor, fields: dict[str, Any], coach_ids: list[str], now: int
    ) -> dict[str, Any]:
        await self._create(tx, actor.user_id, fields, coach_ids, now)
        return await self._read(tx, actor, fields["id"])

    async def _create(
        self, tx: Tx, actor_id: str, fields: dict[str, Any], coach_ids: list[str], now: int
    ) -> None:
        await store.insert(tx, {**fields, "now": now})
        event = ClientCreated(client_id=fields["id"], user_id=fields["user_id"], actor_id=actor_id)
        await self._tell(tx, event)
        await self._assign_all(tx, actor_id, fields["id"], coach_ids, now)

    async def _change(
        self,
        tx: Tx,
        actor: Actor,
        client_id: str,
        fields: dict[str, Any],
        if_match: IfMatch,
        now: int,
    ) -> dict[str, Any]:
        row = await self._locked(tx, client_id)
        if if_match.is_given:
            if_match.check(tx, await self._read(tx, actor, client_id))
        current = {column: row[column] for column in ("id", "name", *_NEW) if column != "user_id"}
        await store.update(tx, {**current, **fields, "now": now})
        about = {"client_id": client_id, "user_id": row["user_id"], "actor_id": actor.user_id}
        changed = [column for column, value in fields.items() if value != row[column]]
        await self._tell(tx, ClientUpdated(**about), note=" ".join(changed) or None)
        if "lifecycle" in changed:
            await self._tell(tx, ClientLifecycleChanged(**about))
        return await self._read(tx, actor, client_id)

    async def _assign(self, tx: Tx, actor_id: str, client_id: str, coach_id: str, now: int) -> None:
        if not await store.active_staff(tx, [coach_id]):
            raise NotFound
        await self._assign_all(tx, actor_id, client_id, [coach_id], now)

    async def _assign_all(
        self, tx: Tx, actor_id: str, client_id: str, coach_ids: list[str], now: int
    ) -> None:
        if not coach_ids:
            return
        known = await store.active_staff(tx, coach_ids)
        if len(known) < len(coach_ids):
            raise _not_staff(coach_ids, known)
        row = await self._locked(tx, client_id)
        for coach_id in coach_ids:
            if await team.begin(tx, client_id, coach_id, now):
                event = ClientAssigned(
                    client_id=client_id,
                    user_id=row["user_id"],
                    coach_id=coach_id,
                    actor_id=actor_id,
                )
                await self._tell(tx, event, subject_id=coach_id)

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
            await self._tell(tx, event, subject_id=coach_id)

    async def _tag(self, tx: Tx, actor_id: str, client_id: str, tag_id: str) -> None:
        row = await self._locked(tx, client_id)
        await TAGS.lock(tx, tag_id)
        if await store.tag(tx, client_id, tag_id):
            await self._updated(tx, actor_id, row)

    async def _untag(self, tx: Tx, actor_id: str, client_id: str, tag_id: str) -> None:
        row = await self._locked(tx, client_id)
        if await store.untag(tx, client_id, tag_id):
            await self._updated(tx, actor_id, row)

    async def _updated(self, tx: Tx, actor_id: str, row: Row) -> None:
        event = ClientUpdated(client_id=row["id"], user_id=row["user_id"], actor_id=actor_id)
        await self._tell(tx, event, note="tags")

    async def _tell(
        self, tx: Tx, event: ClientEvent, *, subject_id: str | None = None, note: str | None = None
    ) -> None:
        """Publish an event; unless another account is concerned, it is the client's own."""
        await self._bus.publish(tx, event, subject_id=subject_id or event.user_id, note=note)

    async def _locked(self, tx: Tx, client_id: str) -> Row:
        row = await store.lock(tx, client_id)
        if row is None:
            raise NotFound
        return row

    async def _read(self, db: Database | Tx, actor: Actor, client_id: str) -> dict[str, Any]:
        row = await store.read(db, client_id)
        if row is None:
            raise NotFound
        return (await self._wires(db, actor, [row]))[0]

    async def _wires(
        self, db: Database | Tx, actor: Actor, rows: Sequence[Row]
    ) -> list[dict[str, Any]]:
        ids = [row["id"] for row in rows]
        coaches: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in await team.members(db, ids):
            coaches[row["client_id"]].append({"id": row["id"], "name": row["name"]})
        if actor.role == "client":
            return [_contact(row, coaches[row["id"]]) for row in rows]
        tags: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in await store.tags(db, ids):
            tags[row["client_id"]].append(TAGS.wire(row))
        return [
            {
                **_contact(row, coaches[row["id"]]),
                "lifecycle": row["lifecycle"],
                "source": row["source"],
                "tags": tags[row["id"]],
                "metadata": orjson.loads(row["metadata"]),
            }
            for row in rows
        ]


def _contact(row: Row, coaches: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "userId": row["user_id"],
        "name": row["name"],
        "email": row["email"],
        "phone": row["phone"],
        "dateOfBirth": row["date_of_birth"],
        "timeZone": row["time_zone"],
        "locale": row["locale"],
        "coaches": coaches,
        "createdAt": rfc3339(row["created_at"]),
        "updatedAt": rfc3339(row["updated_at"]),
    }


def _stored(fields: dict[str, Any]) -> dict[str, Any]:
    """Turn what the wire models hold into what the columns hold."""
    if "metadata" in fields:
        fields["metadata"] = dump_metadata(fields["metadata"] or {})
    if fields.get("date_of_birth"):
        fields["date_of_birth"] = fields["date_of_birth"].isoformat()
    return fields


def _contains(text: str) -> str:
    escaped = fold(text).replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return f"%{escaped}%"


def _not_staff(coach_ids: Sequence[str], known: set[str]) -> Invalid:
    return Invalid(
        errors=[
            FieldError(f"/coachIds/{index}", "no_coach", "is no coach that you may assign")
            for index, coach_id in enumerate(coach_ids)
            if coach_id not in known
        ]
    )
