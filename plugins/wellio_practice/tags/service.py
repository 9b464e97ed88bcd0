"""Keeps the list of tags."""

from typing import Any

from wellio import (
    Conflict,
    ConstraintViolation,
    Database,
    IfMatch,
    NotFound,
    PageQuery,
    Row,
    Tx,
    Wellio,
    decode_cursor,
    encode_cursor,
    new_id,
    page,
    rfc3339,
)

from . import store


class TagService:
    """Makes, renames and deletes tags; putting them on clients is the clients' room."""

    def __init__(self, app: Wellio) -> None:
        self._db, self._clock = app.db, app.clock

    async def list(self, query: PageQuery) -> dict[str, Any]:
        """Return a page of tags by name."""
        (after,) = decode_cursor(query.cursor, str) if query.cursor else ("",)
        rows = await store.list_after(self._db, after, query.limit + 1)
        return page(rows, query.limit, lambda row: encode_cursor(row["name_ci"]), tag_wire)

    async def create(self, name: str) -> dict[str, Any]:
        """Make a tag.

        Raises:
            Conflict: Another tag has the name.
        """
        return await self._db.write(self._create, new_id(), name, self._clock.now_ms())

    async def read(self, tag_id: str) -> dict[str, Any]:
        """Return one tag.

        Raises:
            NotFound: There is no such tag.
        """
        return await self._read(self._db, tag_id)

    async def rename(self, tag_id: str, name: str, if_match: IfMatch) -> dict[str, Any]:
        """Give a tag another name.

        Raises:
            Conflict: Another tag has the name.
            NotFound: There is no such tag.
            PreconditionFailed: It is in another state than the caller insists on.
        """
        return await self._db.write(self._rename, tag_id, name, if_match, self._clock.now_ms())

    async def delete(self, tag_id: str) -> None:
        """Delete a tag, also from the clients that bear it.

        Raises:
            NotFound: There is no such tag.
        """
        if not await self._db.write(store.delete, tag_id):
            raise NotFound

    async def _create(self, tx: Tx, tag_id: str, name: str, now: int) -> dict[str, Any]:
        if not await store.insert(tx, tag_id, name, now):
            raise _taken()
        return await self._read(tx, tag_id)

    async def _rename(
        self, tx: Tx, tag_id: str, name: str, if_match: IfMatch, now: int
    ) -> dict[str, Any]:
        if not await store.lock(tx, tag_id):
            raise NotFound
        if if_match.is_given:
            if_match.check(tx, await self._read(tx, tag_id))
        try:
            await store.rename(tx, tag_id, name, now)
        except ConstraintViolation as error:
            if error.kind != "unique":
                raise
            raise _taken() from None
        return await self._read(tx, tag_id)

    async def _read(self, db: Database | Tx, tag_id: str) -> dict[str, Any]:
        row = await store.read(db, tag_id)
        if row is None:
            raise NotFound
        return tag_wire(row)


def _taken() -> Conflict:
    return Conflict("Another tag has this name.", code="tag_exists")


def tag_wire(row: Row) -> dict[str, Any]:
    """Return a tag as it stands on the wire."""
    return {"id": row["id"], "name": row["name"], "createdAt": rfc3339(row["created_at"])}
