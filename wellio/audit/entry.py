"""What a row says, and the exact bytes that stand for it: pure functions.

The canonical form is a JSON array of the columns in their order, as orjson writes it: no two rows
have the same one.
"""

import hmac
import secrets
from collections.abc import Mapping
from typing import Any

import orjson

from wellio.db.base import Row

COLUMNS = (
    *("id", "at", "actor_id", "action", "object_kind", "object_id", "subject_id"),
    *("client_id", "note", "request_id", "network", "api_key_id", "commitment"),
)
_SALT_BYTES = 32


def canonical(row: Row | Mapping[str, Any]) -> bytes:
    """Return a row's canonical form."""
    return orjson.dumps([row[column] for column in COLUMNS])


def new_salt() -> str:
    """Return a salt, without which a commitment says nothing; in hexadecimal."""
    return secrets.token_hex(_SALT_BYTES)


def commit(salt: str, details: str) -> str:
    """Return the commitment to details: HMAC-SHA-256 under their salt, in hexadecimal."""
    return hmac.digest(salt.encode(), details.encode(), "sha256").hex()
