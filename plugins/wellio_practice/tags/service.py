"""Keeps the list of tags."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from wellio import (
    Actor,
    Conflict,
    ConstraintViolation,
    IfMatch,
    PageQuery,
    Row,
    Slice,
    Tx,
    Wellio,
    fold,
    sort_key,
)

from .models import TAGS, NewTag, TagChange


class TagExists(Conflict):
    """409: another tag has this name."""

    default_code, default_detail = "tag_exists", "Another tag has this name."


class TagService:
    """Makes, renames and deletes tags; putting them on clients is the clients' room."""

    def __init__(self, app: Wellio) -> None:
        self._db, self._audit, self._clock = app.db, app.audit, app.clock

    async def list(self, query: PageQuery) -> Slice[Row]:
        """List the tags by name."""
        return await TAGS.page(self._db, query)

    async def create(self, actor: Actor, new: NewTag) -> Row:
        """Make a tag.

        Raises:
            Conflict: Another tag has the name.
        """
        return await self._db.write(self._create, actor, new, self._clock.now_ms())

    async def read(self, tag_id: str) -> Row:
        """Read one tag.

        Raises:
            NotFound: There is no such tag.
        """
        return await TAGS.read(self._db, tag_id)

    async def rename(self, actor: Actor, tag_id: str, change: TagChange, if_match: IfMatch) -> Row:
        """Give a tag another name.

        Raises:
            Conflict: Another tag has the name.
            NotFound: There is no such tag.
            PreconditionFailed: It is in another state than the caller insists on.
        """
        now = self._clock.now_ms()
        return await self._db.write(self._rename, actor, tag_id, change, if_match, now)

    async def delete(self, actor: Actor, tag_id: str) -> None:
        """Delete a tag, also from the clients that bear it.

        Raises:
            NotFound: There is no such tag.
        """
        await self._db.write(self._delete, actor, tag_id)

    async def _create(self, tx: Tx, actor: Actor, new: NewTag, now: int) -> Row:
        with _a_free_name():
            tag = await TAGS.insert(tx, _columns(new.given()), now=now)
        await self._record(tx, "tag.created", actor, tag["id"])
        return tag

    async def _rename(
        self, tx: Tx, actor: Actor, tag_id: str, change: TagChange, if_match: IfMatch, now: int
    ) -> Row:
        with _a_free_name():
            found = await TAGS.change(tx, tag_id, _columns(change.given()), if_match, now=now)
        if found.changed:
            await self._record(tx, "tag.updated", actor, tag_id)
        return found.after

    async def _delete(self, tx: Tx, actor: Actor, tag_id: str) -> None:
        await TAGS.delete(tx, tag_id)
        await self._record(tx, "tag.deleted", actor, tag_id)

    async def _record(self, tx: Tx, action: str, actor: Actor, tag_id: str) -> None:
        await self._audit.record(tx, action, "tag", tag_id, actor_id=actor.user_id)


def _columns(given: dict[str, Any]) -> dict[str, Any]:
    if "name" not in given:
        return given
    return {**given, "name_ci": fold(given["name"]), "name_key": sort_key(given["name"])}


@contextmanager
def _a_free_name() -> Iterator[None]:
    try:
        yield
    except ConstraintViolation as error:
        if error.kind != "unique":
            raise
        raise TagExists from None
