"""The only SQL of the set-up."""

from wellio import Database, Tx

Reader = Database | Tx

_MARK_SET_UP = "INSERT INTO auth_setup (id, done_at) VALUES (1, :now) ON CONFLICT (id) DO NOTHING"


async def mark_set_up(tx: Tx, now_ms: int) -> bool:
    """Say that the practice has an owner; False when it had one already."""
    return bool(await tx.execute(_MARK_SET_UP, now=now_ms))


async def is_set_up(db: Reader) -> bool:
    """Tell whether the practice ever had an owner."""
    return await db.fetch_one("SELECT id FROM auth_setup") is not None
