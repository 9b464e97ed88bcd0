"""All SQL about the practice's settings: one row."""

from wellio import Database, Row, Tx

from .models import Practice

_READ = "SELECT name, time_zone, currency, locale FROM practice_settings WHERE id = 1"
_INSERT = """
INSERT INTO practice_settings (id, name, time_zone, currency, locale, created_at, updated_at)
VALUES (1, :name, :time_zone, :currency, :locale, :now, :now)
ON CONFLICT (id) DO NOTHING
"""
_UPDATE = """
UPDATE practice_settings
SET name = :name, time_zone = :time_zone, currency = :currency, locale = :locale,
    version = version + 1, updated_at = :now
WHERE id = 1
"""


async def read(db: Database | Tx) -> Row | None:
    """Return the row, if there is one yet."""
    return await db.fetch_one(_READ)


async def lock(tx: Tx) -> Row | None:
    """Return the row, which nobody else changes until this transaction ends."""
    return await tx.fetch_one(_READ + " {for_update}")


async def insert_once(tx: Tx, settings: Practice, now: int) -> None:
    """Store the first settings; where there are some already, they stay."""
    await tx.execute(_INSERT, now=now, **settings.model_dump())


async def update(tx: Tx, settings: Practice, now: int) -> None:
    """Store changed settings."""
    await tx.execute(_UPDATE, now=now, **settings.model_dump())
