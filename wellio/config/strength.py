"""Which secrets are too weak to start with: short, monotonous, or printed in a tutorial.

A secret that a machine made passes, however it is written. What people copy or type in its place
does not: a server that starts with it looks safe and is not.
"""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, SecretStr

MIN_BYTES: Final = 32
_DISTINCT_BYTES: Final = 16  # 32 random bytes have 30 different ones on average, and never so few
_DISTINCT_CHARACTERS: Final = 8  # 32 random hexadecimal digits have 14
_HOW: Final = "a random one (openssl rand -base64 48)"

#: What stands in place of a secret in examples, without its case and punctuation. A random secret
#: of 64 characters holds one of the shortest, seven letters, once in 500 million.
_PLACEHOLDERS: Final = re.compile(
    "changeme|changethis|changeit|changein|replaceme|replacethis|pleasechange|donotuse|"
    "your256bit|yoursecret|yourjwt|yoursuper|mysecret|supersecret|topsecret|verysecret|"
    "secretkey|jwtsecret|secretjwt|stringsecret|placeholder|insecure|example|"
    "password|qwerty|letmein|keyboardcat|12345678|abcdefgh|deadbeefdeadbeef|0123456789abcdef"
)
#: Secrets of tutorials that look random.
_PRINTED: Final = frozenset(
    {
        "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",  # FastAPI
        "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",  # Flask
        "404e635266556a586e3272357538782f413f4428472b4b6250645367566b5970",  # Spring Boot's
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",  # test vectors
    }
)


def is_monotonous(secret: bytes) -> bool:
    """Tell whether so many bytes cannot have come from a random generator."""
    return len(set(secret)) < _DISTINCT_BYTES or secret.hex() in _PRINTED


def weakness(secret: str) -> str | None:
    """Say what is expected instead of a secret that somebody could guess; None when it is good."""
    if len(secret.encode()) < MIN_BYTES:
        return f"expected {MIN_BYTES} bytes or more"
    bare = re.sub(r"[\W_]", "", secret.lower())
    if secret.lower() in _PRINTED or _PLACEHOLDERS.search(bare):
        return f"expected {_HOW}; this one is an example's"
    if len(set(secret)) < _DISTINCT_CHARACTERS:
        return f"expected {_HOW}; this one repeats itself"
    return None


def _strong(secret: SecretStr) -> SecretStr:
    if (problem := weakness(secret.get_secret_value())) is not None:
        raise ValueError(problem)
    return secret


StrongSecret = Annotated[SecretStr, AfterValidator(_strong)]
"""A setting that holds a secret of 32 bytes or more which nobody can guess."""
