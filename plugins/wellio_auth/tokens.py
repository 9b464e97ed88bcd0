"""Access tokens: short EdDSA JWTs (RFC 9068), and the ring of keys that sign and prove them.

Every key stays on the ring, so a new one logs nobody out; the newest signs. Private keys lie in
the database sealed under the master key. A token's `kid` is looked up in a dict and a token with
any other header than ours is refused, so nothing in it can point to a key of its own.
"""

import re
import secrets
from dataclasses import dataclass

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, ValidationError

from wellio import Unauthorized, Wellio, hkdf

from . import store
from .config import AuthConfig
from .refresh import digest

ALGORITHM = "EdDSA"
HEADER_TYPE = "at+jwt"
AUDIENCE = "wellio"
SEAL_PURPOSE = "auth.signing_key"
SEED_PURPOSE = "auth.first_signing_key"
MAX_LENGTH = 2048
# A signature is 64 bytes: the last of its 86 characters has four spare bits, which must be zero,
# or sixteen texts would be one token.
_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{85}[AQgw]")


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
    private: Ed25519PrivateKey
    public: Ed25519PublicKey

    @classmethod
    def from_seed(cls, seed: bytes) -> "SigningKey":
        """Make the key pair of a 32-byte seed; its name is a hash of the public key."""
        private = Ed25519PrivateKey.from_private_bytes(seed)
        public = private.public_key()
        return cls(digest(public.public_bytes_raw().hex())[:16], private, public)


class TokenError(Unauthorized):
    """401: the access token does not work; the code says whether a refresh would help."""

    default_code = "invalid_token"

    def __init__(self, code: str = "invalid_token") -> None:
        super().__init__(
            "The access token has expired." if code == "token_expired" else "The token is no good.",
            code=code,
            headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
        )


class KeyRing:
    """Signs and proves access tokens."""

    def __init__(self, app: Wellio) -> None:
        self._app = app
        self._issuer = app.config.server.url
        self._ttl_s = app.settings(AuthConfig).access_token_s
        self._keys: dict[str, SigningKey] = {}
        self._current: SigningKey | None = None

    async def load(self) -> None:
        """Read the keys, making the first one if there is none."""
        if not await store.signing_keys(self._app.db):
            await self.add(SigningKey.from_seed(self._first_seed()))
        for sealed in await store.signing_keys(self._app.db):
            self._put(SigningKey.from_seed(self._app.crypto.unseal(SEAL_PURPOSE, sealed)))

    async def add(self, key: SigningKey) -> None:
        """Store a key, which signs from now on; the others keep proving."""
        sealed = self._app.crypto.seal(SEAL_PURPOSE, key.private.private_bytes_raw())
        await self._app.db.write(
            store.insert_signing_key, key.kid, sealed, self._app.clock.now_ms()
        )
        self._put(key)

    @property
    def current(self) -> SigningKey:
        """Return the key that signs."""
        if self._current is None:
            raise RuntimeError("the key ring is read by the plugin's lifespan, which has not run")
        return self._current

    def sign(self, user_id: str, role: str, session_id: str) -> str:
        """Return a new access token."""
        key = self.current
        now_s = self._app.clock.now_ms() // 1000
        claims = Claims(
            iss=self._issuer,
            aud=AUDIENCE,
            sub=user_id,
            sid=session_id,
            role=role,
            typ="access",
            jti=secrets.token_hex(8),
            iat=now_s,
            exp=now_s + self._ttl_s,
        )
        headers = {"kid": key.kid, "typ": HEADER_TYPE}
        return jwt.encode(claims.model_dump(), key.private, algorithm=ALGORITHM, headers=headers)

    def verify(self, token: str) -> Claims:
        """Return what a token says, once it is proven to be ours and in time.

        Raises:
            TokenError: It is not.
        """
        if len(token) > MAX_LENGTH or not _FORM.fullmatch(token):
            raise TokenError
        try:
            claims = self._decode(token)
        except (jwt.InvalidTokenError, ValidationError) as error:
            raise TokenError from error
        if claims.typ != "access":
            raise TokenError
        now_s = self._app.clock.now_ms() / 1000
        if claims.exp <= now_s or claims.iat > claims.exp:
            raise TokenError("token_expired")
        return claims

    def _decode(self, token: str) -> Claims:
        header = jwt.get_unverified_header(token)
        key = self._keys.get(str(header.get("kid")))
        expected = {"alg": ALGORITHM, "typ": HEADER_TYPE, "kid": key.kid if key else None}
        if key is None or header != expected:
            raise TokenError
        payload = jwt.decode(
            token,
            key=key.public,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=self._issuer,
            options={
                "require": list(Claims.model_fields),
                "strict_aud": True,
                "enforce_minimum_key_length": True,
                # `verify` judges the times itself: by the app's clock, and as integers only
                "verify_exp": False,
                "verify_iat": False,
            },
        )
        return Claims.model_validate(payload)

    def _put(self, key: SigningKey) -> None:
        self._keys[key.kid] = key
        self._current = key

    def _first_seed(self) -> bytes:
        secret = self._app.settings(AuthConfig).jwt_secret
        if secret is None:
            return secrets.token_bytes(32)
        return hkdf(secret.get_secret_value().encode(), SEED_PURPOSE)
