"""The root key: what the keys of MACs and hashes are derived from, for as long as the practice is.

It is random, made at the first start, and lies in the database sealed under the master key: so
several nodes share it, and a copy of the database alone is worth nothing. A rotation seals it anew
and leaves it as it is, because what was made with it must stay right: passwords, links in mails,
the numbers of messages that were sent before.
"""

import secrets
from typing import Final

from wellio.db.base import Database, Tx
from wellio.errors import ConfigError, WellioError

from .box import KEY_BYTES
from .ring import MasterRing

_PURPOSE: Final = "root key"
_READ: Final = "SELECT sealed FROM wellio_root_key"
_HAS_TABLE: Final = "SELECT t.name FROM {tables} t WHERE t.name = 'wellio_root_key'"
_READ_STORE: Final = "SELECT key_store FROM wellio_root_key"
_INSERT: Final = """
INSERT INTO wellio_root_key (id, sealed) VALUES (1, :sealed) ON CONFLICT (id) DO NOTHING
"""
_RESEAL: Final = "UPDATE wellio_root_key SET sealed = :newer WHERE sealed = :older"
_BELONG: Final = """
UPDATE wellio_root_key SET key_store = COALESCE(key_store, :name) RETURNING key_store
"""
_ADOPT: Final = "UPDATE wellio_root_key SET key_store = :name"


class RootKey:
    """The root key in the database."""

    name = "root key"

    def __init__(self, db: Database, ring: MasterRing) -> None:
        self._db, self._ring = db, ring

    async def load(self) -> bytes:
        """Return the key, making it at the first start.

        Raises:
            ConfigError: The master key is not the one that it was sealed under.
        """
        row = await self._db.fetch_one(_READ)
        if row is None:  # of two nodes that start at once, the first one's counts
            new = self._ring.seal(_PURPOSE, secrets.token_bytes(KEY_BYTES))
            return self.open(await self._db.write(_make, new))
        return self.open(row["sealed"])

    def open(self, sealed: bytes) -> bytes:
        """Return the key out of its sealed form.

        Raises:
            ConfigError: The master key is not the one that it was sealed under.
        """
        try:
            return self._ring.unseal(_PURPOSE, sealed)
        except WellioError:
            where = "secrets.master_key" if self._ring.path is None else str(self._ring.path)
            raise ConfigError(
                f"{where}: expected the master key that this database was used with; "
                "put it back from where you keep it"
            ) from None

    async def renew(self) -> None:
        """Do nothing: what was made with the key must stay right."""

    async def reseal(self) -> int:
        """Seal the key under the newest master key; return 1 if it was not."""
        row = await self._db.fetch_one(_READ)
        if row is None or (newer := self._ring.reseal(_PURPOSE, row["sealed"])) is None:
            return 0
        return await self._db.write(_replace, row["sealed"], newer)


async def sealed_root(db: Database) -> bytes | None:
    """Return the root key as a database has it; None where no practice has begun. It only looks."""
    if await db.fetch_one(_HAS_TABLE) is None:
        return None
    row = await db.fetch_one(_READ)
    return None if row is None else bytes(row["sealed"])


async def has_key_store(db: Database) -> bool:
    """Tell whether there is a keys.db that belongs to this database, wherever it is."""
    row = await db.fetch_one(_READ_STORE)
    return row is not None and row["key_store"] is not None


async def own_key_store(tx: Tx, name: str) -> str:
    """Have a keys.db belong to this database unless another one does; return which one does."""
    row = await tx.fetch_one(_BELONG, name=name)
    return str(row["key_store"]) if row else name


async def adopt_key_store(tx: Tx, name: str) -> None:
    """Have a keys.db belong to this database in place of one that was lost."""
    await tx.execute(_ADOPT, name=name)


async def _make(tx: Tx, sealed: bytes) -> bytes:
    await tx.execute(_INSERT, sealed=sealed)
    row = await tx.fetch_one(_READ)
    return bytes(row["sealed"]) if row else sealed


async def _replace(tx: Tx, older: bytes, newer: bytes) -> int:
    return await tx.execute(_RESEAL, older=older, newer=newer)
