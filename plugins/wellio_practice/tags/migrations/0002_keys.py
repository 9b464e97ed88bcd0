"""Gives tags a key to sort by: base letters."""

from wellio import Tx, sort_key


async def migrate(tx: Tx) -> None:
    """Add `name_key`; `name_ci` stays what may be there once."""
    await tx.execute("ALTER TABLE practice_tag ADD COLUMN name_key {text} NOT NULL DEFAULT ''")
    for row in await tx.fetch_all("SELECT id, name FROM practice_tag"):
        await tx.execute(
            "UPDATE practice_tag SET name_key = :key WHERE id = :id",
            id=row["id"],
            key=sort_key(row["name"]),
        )
