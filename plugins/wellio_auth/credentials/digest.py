"""What is stored of a secret: its hash, and nothing that somebody could sign in with."""

import hashlib


def digest(text: str) -> str:
    """Return the SHA-256 of a secret in hexadecimal: all that is stored of it."""
    return hashlib.sha256(text.encode()).hexdigest()
