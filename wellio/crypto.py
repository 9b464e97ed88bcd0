"""The master key and what is made from it.

One random key per practice lies in `<data>/secrets/master.key` (mode 0600) or comes from the
setting `[secrets] master_key`. Every use has a key of its own, derived by HKDF-SHA-256 (RFC 5869)
under the name of its purpose, so that no two uses ever share one.
"""

import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .errors import ConfigError, WellioError

KEY_BYTES = 32
_NONCE_BYTES = 12


class Crypto:
    """Derives keys, and seals what must not lie readable in the database."""

    def __init__(self, master_key: bytes) -> None:
        self._master = master_key

    def derive(self, purpose: str, length: int = KEY_BYTES) -> bytes:
        """Return the key of a purpose, such as `auth.refresh`: the same at every call."""
        return hkdf(self._master, purpose, length)

    def seal(self, purpose: str, plain: bytes) -> bytes:
        """Encrypt with AES-256-GCM; the purpose is authenticated along."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self.derive(purpose)).encrypt(nonce, plain, purpose.encode())

    def unseal(self, purpose: str, sealed: bytes) -> bytes:
        """Decrypt what `seal` made for the same purpose.

        Raises:
            WellioError: It was made with another key or purpose, or it was changed.
        """
        nonce, body = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return AESGCM(self.derive(purpose)).decrypt(nonce, body, purpose.encode())
        except (InvalidTag, ValueError) as error:  # ValueError: too short to hold a nonce
            raise WellioError(
                f"a stored secret ({purpose}) does not open with this practice's master key"
            ) from error


def hkdf(secret: bytes, purpose: str, length: int = KEY_BYTES) -> bytes:
    """Derive a key from a secret of 32 bytes or more by HKDF-SHA-256 (RFC 5869)."""
    return HKDF(SHA256(), length, salt=None, info=b"wellio/" + purpose.encode()).derive(secret)


def load_master_key(data_dir: Path, configured: str | None) -> bytes:
    """Return the master key, making it at the first start.

    Args:
        data_dir: The practice's data folder.
        configured: The setting `[secrets] master_key`: 64 hexadecimal digits, or None.

    Raises:
        ConfigError: The key is malformed, or its file can be read by other users.
    """
    if configured is not None:
        return _parse(configured, "secrets.master_key")
    path = data_dir / "secrets" / "master.key"
    if not path.exists():
        write_secret(path, secrets.token_hex(KEY_BYTES))
    if path.stat().st_mode & 0o077:
        raise ConfigError(f"{path.name} can be read by other users: its mode must be 0600")
    return _parse(path.read_text().strip(), path.name)


def write_secret(path: Path, text: str) -> None:
    """Write a new file that only its owner can read; an existing one is kept.

    It is there whole or not at all, whenever the process or the machine stops, and stays once this
    returns: what is sealed under a key that got lost would be lost with it.

    Raises:
        FileExistsError: It is there already.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(part)  # unlike a rename, it never replaces
    finally:
        part.unlink()
    for folder in (path.parent, path.parent.parent):  # the second has the entry of the first
        _sync(folder)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _parse(text: str, name: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigError(f"{name}: expected {KEY_BYTES * 2} hexadecimal digits")
    return key
