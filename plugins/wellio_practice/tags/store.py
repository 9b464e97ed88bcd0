"""All SQL about tags."""

from wellio import Database, Row, Tx

_COLUMNS = "SELECT id, name, name_ci, created_at FROM practice_tag "


async def read(db: Database | Tx, tag_id: str) -> Row | None:
    """Return one tag."""
    return await db.fetch_one(_COLUMNS + "WHERE id = :id", id=tag_id)


async def lock(tx: Tx, tag_id: str) -> bool:
    """Keep a tag from being deleted until this transaction ends; False if there is none."""
    sql = "SELECT 1 FROM practice_tag WHERE id = :id {for_update}"
    return await tx.fetch_one(sql, id=tag_id) is not None


async def list_after(db: Database, after: str, limit: int) -> list[Row]:
    """Return tags by name, from behind a lower-case name on."""
    return await db.fetch_all(
        _COLUMNS + "WHERE name_ci > :after ORDER BY name_ci LIMIT :limit", after=after, limit=limit
    )


async def insert(tx: Tx, tag_id: str, name: str, now: int) -> bool:
    """Store a new tag; tell whether its name was free."""
    touched = await tx.execute(
        "INSERT INTO practice_tag (id, name, name_ci, created_at, updated_at) "
        "VALUES (:id, :name, :name_ci, :now, :now) ON CONFLICT (name_ci) DO NOTHING",
        id=tag_id,
        name=name,
        name_ci=name.lower(),
        now=now,
    )
    return touched > 0


async def rename(tx: Tx, tag_id: str, name: str, now: int) -> bool:
    """Give a tag another name; tell whether there is such a tag.

    Raises:
        ConstraintViolation: Another tag has it.
    """
    touched = await tx.execute(
        "UPDATE practice_tag SET name = :name, name_ci = :name_ci, version = version + 1, "
        "updated_at = :now WHERE id = :id",
        id=tag_id,
        name=name,
        name_ci=name.lower(),
        now=now,
    )
    return touched > 0


async def delete(tx: Tx, tag_id: str) -> bool:
    """Delete a tag and take it off every client; tell whether there was one."""
    return await tx.execute("DELETE FROM practice_tag WHERE id = :id", id=tag_id) > 0
