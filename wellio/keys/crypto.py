"""What the app's secrets are used for: to seal what must not lie readable, and to derive keys.

What is sealed names its master key (`keys/ring.py`), so it can be sealed anew when that changes;
whoever keeps it says so with `register_key_holders`. Keys of MACs and hashes are derived from the
root key (`keys/root.py`), which never changes: a password's pepper, a mail's link and a message's
hash are right for as long as what they belong to. Every purpose has a key of its own, derived by
HKDF-SHA-256 (RFC 5869) under its name, so that no two uses ever share one.
"""

from .box import KEY_BYTES, hkdf
from .ring import MasterRing

__all__ = ["KEY_BYTES", "Crypto", "hkdf"]


class Crypto:
    """Derives keys, and seals what must not lie readable in the database."""

    def __init__(self, ring: MasterRing, root: bytes) -> None:
        self._ring = ring
        self._root = root

    def derive(self, purpose: str, length: int = KEY_BYTES) -> bytes:
        """Return the key of a purpose, such as `auth.refresh`: the same for ever."""
        return hkdf(self._root, purpose, length)

    def seal(self, purpose: str, plain: bytes) -> bytes:
        """Encrypt with AES-256-GCM; the purpose is authenticated along.

        Whoever stores it for longer than a day registers a `KeyHolder`, or it is lost with the
        master key that sealed it. What belongs to one person is sealed by `app.keys` instead.
        """
        return self._ring.seal(purpose, plain)

    def unseal(self, purpose: str, sealed: bytes) -> bytes:
        """Decrypt what `seal` made for the same purpose.

        Raises:
            WellioError: It was made with another key or purpose, or it was changed.
        """
        return self._ring.unseal(purpose, sealed)

    def reseal(self, purpose: str, sealed: bytes) -> bytes | None:
        """Seal anew what an older master key sealed; None where the newest did.

        Raises:
            WellioError: It does not open.
        """
        return self._ring.reseal(purpose, sealed)
