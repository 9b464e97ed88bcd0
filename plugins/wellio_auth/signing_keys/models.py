"""What an access token says, and the keys that sign it."""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import BaseModel, ConfigDict

from wellio_auth.credentials.digest import digest


class Claims(BaseModel):
    """What an access token says; times in seconds since 1970, as RFC 7519 has them."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    iss: str
    aud: str
    sub: str
    sid: str
    role: str
    typ: str
    jti: str
    iat: int
    exp: int


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key pair and its name."""

    kid: str
    private: Ed25519PrivateKey = field(repr=False)
    public: Ed25519PublicKey

    @classmethod
    def from_seed(cls, seed: bytes) -> "SigningKey":
        """Make the key pair of a 32-byte seed; its name is a hash of the public key."""
        private = Ed25519PrivateKey.from_private_bytes(seed)
        public = private.public_key()
        return cls(digest(public.public_bytes_raw().hex())[:16], private, public)
