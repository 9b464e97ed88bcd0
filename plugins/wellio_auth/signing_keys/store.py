"""The only SQL of signing keys."""

from wellio import Database, Row, Tx

Reader = Database | Tx

_INSERT_KEY = """
INSERT INTO auth_signing_key (kid, sealed, created_at) VALUES (:kid, :sealed, :now)
ON CONFLICT (kid) DO NOTHING
"""
_KEYS = "SELECT kid, sealed, created_at FROM auth_signing_key ORDER BY created_at, kid"
# A key's successor came before the given time.
_DELETE_KEYS = """
DELETE FROM auth_signing_key WHERE EXISTS (
    SELECT 1 FROM auth_signing_key newer
    WHERE newer.created_at > auth_signing_key.created_at AND newer.created_at <= :before
)
"""


async def signing_keys(db: Reader) -> list[Row]:
    """Return the signing keys with `kid, sealed, created_at`, the oldest first."""
    return await db.fetch_all(_KEYS)


async def insert_signing_key(tx: Tx, kid: str, sealed: bytes, now_ms: int) -> None:
    """Store a signing key, the newest whatever the clock says; one that is there already stays."""
    newest = await tx.fetch_one("SELECT MAX(created_at) AS at FROM auth_signing_key")
    now = max(now_ms, newest["at"] + 1) if newest and newest["at"] else now_ms
    await tx.execute(_INSERT_KEY, kid=kid, sealed=sealed, now=now)


async def reseal_signing_key(tx: Tx, kid: str, sealed: bytes) -> int:
    """Store the same signing key under another seal."""
    sql = "UPDATE auth_signing_key SET sealed = :sealed WHERE kid = :kid"
    return await tx.execute(sql, kid=kid, sealed=sealed)


async def delete_signing_keys(tx: Tx, before_ms: int) -> int:
    """Delete the signing keys whose successor came by then; return how many."""
    return await tx.execute(_DELETE_KEYS, before=before_ms)
