"""The log's keys: what proves its rows, links them, and signs its head.

A root of 32 random bytes lies in the database, sealed under the master key, so that the master key
can be replaced while old rows can still be verified. Three keys are derived from each root by
HKDF-SHA-256 (RFC 5869). The newest root is used; every row names its own.
"""

import hmac
import secrets

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wellio.clock import Clock
from wellio.db.base import Database, Tx
from wellio.keys.crypto import KEY_BYTES, Crypto, hkdf

from . import store

SEAL_PURPOSE = "audit.key"
_ID_CHARS = 16
_LOG_BYTES = 8


class AuditKey:
    """All that is made with one root.

    Attributes:
        public: The Ed25519 public key of its anchors, in hexadecimal.
        id: What rows call it: how `public` begins.
    """

    def __init__(self, root: bytes) -> None:
        self._rows = hkdf(root, "audit.rows")
        self._chain = hkdf(root, "audit.chain")
        self._signer = Ed25519PrivateKey.from_private_bytes(hkdf(root, "audit.anchors"))
        self._verifier = self._signer.public_key()
        self.public = self._verifier.public_bytes_raw().hex()
        self.id = self.public[:_ID_CHARS]

    def mac(self, row: bytes) -> str:
        """Return what proves that this program wrote a row; HMAC-SHA-256 in hexadecimal."""
        return hmac.digest(self._rows, row, "sha256").hex()

    def has_written(self, row: bytes, mac: str) -> bool:
        """Tell whether a proof is this key's."""
        return hmac.compare_digest(self.mac(row).encode(), mac.encode())

    def link(self, previous: str, seq: int, row: bytes) -> str:
        """Return the hash of a row of the chain: HMAC-SHA-256 over all before it, in hexadecimal.

        Args:
            previous: The hash before it.
            seq: The row's number, from 1.
            row: The row in its canonical form.
        """
        head = bytes.fromhex(previous) + seq.to_bytes(8, "big")
        return hmac.digest(self._chain, head + row, "sha256").hex()

    def sign(self, text: str) -> str:
        """Return the Ed25519 signature of a text in hexadecimal."""
        return self._signer.sign(text.encode()).hex()

    def has_signed(self, text: str, signature: str) -> bool:
        """Tell whether a signature is this key's."""
        try:
            self._verifier.verify(bytes.fromhex(signature), text.encode())
        except (InvalidSignature, ValueError):  # ValueError: it is not hexadecimal
            return False
        return True


class AuditKeys:
    """Every key of one log, which a rotation of the practice's keys renews.

    Attributes:
        name: What a rotation calls them.
        log: The log's id, 16 hexadecimal digits: the same for as long as the practice's root key
            is, whatever becomes of the rows and keys in its database.
    """

    name = "audit.keys"

    def __init__(self, db: Database, clock: Clock, crypto: Crypto) -> None:
        self._db, self._clock, self._crypto = db, clock, crypto
        self.log = crypto.derive("audit.log", _LOG_BYTES).hex()
        self._keys: dict[str, AuditKey] = {}
        self._current: AuditKey | None = None

    def anew(self) -> "AuditKeys":
        """Return a ring that has read nothing yet."""
        return AuditKeys(self._db, self._clock, self._crypto)

    @property
    def current(self) -> AuditKey:
        """Return the key that is used."""
        if self._current is None:
            raise RuntimeError("the audit log's keys are read when the app starts")
        return self._current

    def get(self, key_id: str) -> AuditKey | None:
        """Return a key by its id."""
        return self._keys.get(key_id)

    def of_public(self, public: str) -> AuditKey | None:
        """Return a key by its public key."""
        key = self.get(public[:_ID_CHARS])
        return key if key is not None and key.public == public else None

    async def open(self) -> None:
        """Read the keys, making the first one if there is none.

        Raises:
            WellioError: One does not open with this practice's master key.
        """
        await self.read()
        if self._current is None:
            await self.renew()

    async def renew(self) -> None:
        """Make a new key, which is used from now on; the others prove what they made."""
        root = secrets.token_bytes(KEY_BYTES)
        sealed = self._crypto.seal(SEAL_PURPOSE, root)
        await self._db.write(store.insert_key, AuditKey(root).id, sealed, self._clock.now_ms())
        await self.read()

    async def reseal(self) -> int:
        """Seal the keys under the newest master key; return how many were not."""
        count = 0
        for row in await store.keys(self._db):
            newer = self._crypto.reseal(SEAL_PURPOSE, row["sealed"])
            if newer is not None:
                count += await self._db.write(store.reseal_key, row["id"], newer)
        return count

    async def read(self, tx: Tx | None = None) -> None:
        """Take in what the database has and this ring has not, as from another process.

        Raises:
            WellioError: A key does not open with this practice's master key.
        """
        for row in await store.keys(tx or self._db):
            key = self.get(row["id"]) or AuditKey(self._crypto.unseal(SEAL_PURPOSE, row["sealed"]))
            self._keys[key.id] = self._current = key
