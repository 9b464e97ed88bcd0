"""Access tokens: short EdDSA JWTs (RFC 9068), and the ring of keys that sign and prove them.

The newest key signs. An older one proves until the last token that it signed has ended, so a new
one logs nobody out. Private keys lie in the database sealed under the master key. A token's `kid`
is looked up in a dict and a token with any other header than ours is refused, so nothing in it can
point to a key of its own.
"""

import re
import secrets
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

import jwt
from pydantic import ValidationError

from wellio import JobRun, Unauthorized, Wellio, hkdf
from wellio_auth.config import MAX_ACCESS_TOKEN_S, AuthConfig
from wellio_auth.credentials.judge import Judge

from . import store
from .models import Claims, SigningKey

ALGORITHM = "EdDSA"
HEADER_TYPE = "at+jwt"
AUDIENCE = "wellio"
SEAL_PURPOSE = "auth.signing_key"
SEED_PURPOSE = "auth.first_signing_key"
MAX_LENGTH = 2048
#: So long after its successor came, a key may still have to prove a token; the setting may have
#: been longer than it is today.
PROVES_MS = MAX_ACCESS_TOKEN_S * 1000
RELOAD_S = 1.0
# A signature is 64 bytes: the last of its 86 characters has four spare bits, which must be zero,
# or sixteen texts would be one token.
_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{85}[AQgw]")


class TokenError(Unauthorized):
    """401: the access token or API key is none of ours, or does not work any more."""

    default_code = "invalid_token"
    codes: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "token_expired": "the access token has expired: refresh it",
            "session_revoked": "the login session has ended: sign in again",
        }
    )

    def __init__(self, code: str = "invalid_token") -> None:
        super().__init__(
            "The access token has expired." if code == "token_expired" else "The token is no good.",
            code=code,
            headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
        )


class UnknownKeyError(TokenError):
    """401: the token names a key that is not on the ring."""


class KeyRing:
    """Signs and proves access tokens."""

    name = "auth.signing_keys"

    def __init__(self, app: Wellio) -> None:
        self._app, self._clock = app, app.service(Judge)
        self._issuer = app.config.server.url
        self._ttl_s = app.settings(AuthConfig).access_token_s
        self._keys: dict[str, SigningKey] = {}
        self._proves_until: dict[str, int] = {}  # of those that sign no more
        self._current: SigningKey | None = None
        self._read_at = float("-inf")

    async def load(self) -> None:
        """Read the keys, making the first one if there is none."""
        if not await store.signing_keys(self._app.db):
            await self.add(SigningKey.from_seed(self._first_seed()))
        await self._read()

    async def add(self, key: SigningKey) -> None:
        """Store a key, which signs from now on; the others keep proving."""
        sealed = self._app.crypto.seal(SEAL_PURPOSE, key.private.private_bytes_raw())
        now = self._clock.now_ms()
        await self._app.db.write(store.insert_signing_key, key.kid, sealed, now)
        await self._read()

    async def renew(self) -> None:
        """Make a new key, which signs from now on."""
        await self.add(SigningKey.from_seed(secrets.token_bytes(32)))

    async def reseal(self) -> int:
        """Seal the keys under the newest master key; return how many were not."""
        count = 0
        for row in await store.signing_keys(self._app.db):
            newer = self._app.crypto.reseal(SEAL_PURPOSE, row["sealed"])
            if newer is not None:
                count += await self._app.db.write(store.reseal_signing_key, row["kid"], newer)
        return count

    async def drop_ended(self, run: JobRun) -> None:
        """Delete the keys that have nothing left to prove."""
        before = self._clock.now_ms() - PROVES_MS
        if await run.db.write(store.delete_signing_keys, before):
            await self._read()

    async def read_again(self) -> bool:
        """Read the keys again, for another node may have made one; at most once a second.

        Returns:
            Whether they were read.
        """
        if self._app.clock.monotonic() - self._read_at < RELOAD_S:
            return False
        await self._read()
        return True

    async def _read(self) -> None:
        self._read_at = self._app.clock.monotonic()
        rows = await store.signing_keys(self._app.db)
        unseal = self._app.crypto.unseal
        keys = [SigningKey.from_seed(unseal(SEAL_PURPOSE, row["sealed"])) for row in rows]
        self._keys = {key.kid: key for key in keys}
        self._current = keys[-1]
        self._proves_until = {
            key.kid: successor["created_at"] + PROVES_MS
            for key, successor in zip(keys, rows[1:], strict=False)
        }

    @property
    def current(self) -> SigningKey:
        """Return the key that signs."""
        if self._current is None:
            raise RuntimeError("the key ring is read by the plugin's lifespan, which has not run")
        return self._current

    def sign(self, user_id: str, role: str, session_id: str) -> str:
        """Return a new access token."""
        key = self.current
        now_s = self._clock.now_ms() // 1000
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
            UnknownKeyError: Its key is not on the ring, or not any more.
            TokenError: It is not ours, or has expired.
        """
        if len(token) > MAX_LENGTH or not _FORM.fullmatch(token):
            raise TokenError
        now_ms = self._clock.now_ms()
        try:
            claims = self._decode(token, now_ms)
        except (jwt.InvalidTokenError, ValidationError) as error:
            raise TokenError from error
        if claims.typ != "access":
            raise TokenError
        if claims.iss != self._issuer:  # `public_url` is another since: a refresh gets a good one
            raise TokenError("token_expired")
        if claims.exp <= now_ms / 1000 or claims.iat > claims.exp:
            raise TokenError("token_expired")
        return claims

    def _decode(self, token: str, now_ms: int) -> Claims:
        header = jwt.get_unverified_header(token)
        key = self._keys.get(str(header.get("kid")))
        if key is None or self._proves_until.get(key.kid, now_ms) < now_ms:
            raise _of_no_key(token, now_ms)
        if header != {"alg": ALGORITHM, "typ": HEADER_TYPE, "kid": key.kid}:
            raise TokenError
        payload = jwt.decode(
            token,
            key=key.public,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            options={
                "require": list(Claims.model_fields),
                "strict_aud": True,
                "enforce_minimum_key_length": True,
                # `verify` judges the issuer itself, and the times: by the app's clock, and as
                # integers only
                "verify_exp": False,
                "verify_iat": False,
            },
        )
        return Claims.model_validate(payload)

    def _first_seed(self) -> bytes:
        secret = self._app.settings(AuthConfig).jwt_secret
        if secret is None:
            return secrets.token_bytes(32)
        return hkdf(secret.get_secret_value().encode(), SEED_PURPOSE)


def _of_no_key(token: str, now_ms: int) -> TokenError:
    """Return what a token of an unknown key gets: one of a dropped key says that it has expired.

    Nothing in it is proven. But whoever sends it learns only what it says, and a client that comes
    back after days must know that a refresh would help.
    """
    exp = jwt.decode(token, options={"verify_signature": False}).get("exp")
    has_expired = type(exp) is int and exp <= now_ms / 1000
    return TokenError("token_expired") if has_expired else UnknownKeyError()
