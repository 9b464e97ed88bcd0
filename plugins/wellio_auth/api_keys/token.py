"""The form of an API key: `wk_<id>_<secret>_<checksum>`.

The secret is 256 random bits, so its hash need not be a slow one. The checksum (CRC-32) has
programs that look for leaked secrets, and people who pasted half a key, told at once; it depends
on no key of the server's, for an API key outlives a rotation of those.
"""

import re
import secrets
import zlib
from dataclasses import dataclass

from wellio_auth.credentials.digest import digest

PREFIX = "wk_"
_FORM = re.compile(r"wk_([0-9a-f-]{36})_[0-9a-f]{64}_[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class KeyToken:
    """A key in good form: whether it is one is not known yet."""

    key_id: str
    digest: str


def make_token(key_id: str) -> str:
    """Return a new key, which nobody can tell again."""
    head = f"{PREFIX}{key_id}_{secrets.token_hex(32)}"
    return f"{head}_{_checksum(head)}"


def read_token(text: str) -> KeyToken | None:
    """Return what a text says, or None when it is no key."""
    match = _FORM.fullmatch(text)
    head, _, checksum = text.rpartition("_")
    if match is None or checksum != _checksum(head):
        return None
    return KeyToken(match[1], digest(text))


def _checksum(head: str) -> str:
    return f"{zlib.crc32(head.encode()):08x}"
