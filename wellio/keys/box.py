"""The two primitives: keys derived from a key, and a box that opens only where it was meant to."""

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES: Final = 32
_VERSION: Final = b"\x01"  # AES-256-GCM with a random nonce; another one would be another number
_NONCE_BYTES: Final = 12


class BoxError(ValueError):
    """A box does not open: another key, another context, or changed bytes."""


def hkdf(secret: bytes, purpose: str, length: int = KEY_BYTES) -> bytes:
    """Derive a key from a secret of 32 bytes or more by HKDF-SHA-256 (RFC 5869)."""
    return HKDF(SHA256(), length, salt=None, info=b"wellio/" + purpose.encode()).derive(secret)


def shut(key: bytes, plain: bytes, *context: str) -> bytes:
    """Encrypt with AES-256-GCM; the context is authenticated along and not stored."""
    nonce = os.urandom(_NONCE_BYTES)
    return _VERSION + nonce + AESGCM(key).encrypt(nonce, plain, _joined(context))


def open_box(key: bytes, box: bytes, *context: str) -> bytes:
    """Decrypt what `shut` made with the same key and context.

    Raises:
        BoxError: They are others, or the box was changed.
    """
    nonce, body = box[1 : 1 + _NONCE_BYTES], box[1 + _NONCE_BYTES :]
    try:
        if box[:1] != _VERSION:
            raise BoxError
        return AESGCM(key).decrypt(nonce, body, _joined(context))
    except (InvalidTag, ValueError) as error:  # ValueError: too short to hold a nonce
        raise BoxError from error


def _joined(context: tuple[str, ...]) -> bytes:
    """Join the parts so that no two contexts give the same bytes."""
    parts = [part.encode() for part in context]
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
