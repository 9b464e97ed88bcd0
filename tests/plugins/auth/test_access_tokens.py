"""Access tokens: what an attacker can make of one (A9), and every one of them is a 401."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from wellio_auth.config import AuthConfig
from wellio_auth.signing_keys.models import SigningKey
from wellio_auth.signing_keys.service import KeyRing

from tests.plugins.auth.conftest import START_MS
from wellio import ManualClock
from wellio.testing import TestApp
from wellio.testing.plugin import MakeUser

pytestmark = pytest.mark.sqlite("tests/contract calls every endpoint on both")

NOW_S = START_MS // 1000


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@dataclass
class Lab:
    """A good token in parts, and the server's own key, which an attacker of the wire has not."""

    key: SigningKey
    header: dict[str, Any]
    claims: dict[str, Any]
    refresh_token: str
    good: str

    def sign(self, claims: dict[str, Any], **header: Any) -> str:
        """Sign anything with the server's key: what a leak of another service's tokens gives."""
        merged = {**self.header, **header}
        return self.join(merged, orjson.dumps({**self.claims, **claims}))

    def join(self, header: dict[str, Any], payload: bytes) -> str:
        signed = f"{b64(orjson.dumps(header))}.{b64(payload)}"
        return f"{signed}.{b64(self.key.private.sign(signed.encode()))}"

    def hmac(self, secret: bytes, algorithm: str = "HS256") -> str:
        head = b64(orjson.dumps({**self.header, "alg": algorithm}))
        signed = f"{head}.{b64(orjson.dumps(self.claims))}"
        return f"{signed}.{b64(hmac.digest(secret, signed.encode(), hashlib.sha256))}"

    def foreign(self, **header: Any) -> str:
        """Sign with a key of the attacker's own."""
        own = Ed25519PrivateKey.generate()
        return jwt.encode(self.claims, own, "EdDSA", headers={**self.header, **header})

    def unsigned(self, algorithm: str) -> str:
        head = b64(orjson.dumps({**self.header, "alg": algorithm}))
        return f"{head}.{b64(orjson.dumps(self.claims))}."

    def without(self, claim: str) -> str:
        claims = {name: value for name, value in self.claims.items() if name != claim}
        return self.join(self.header, orjson.dumps(claims))

    @property
    def der(self) -> bytes:
        return self.key.public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def pem(self) -> bytes:
        return self.key.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


JWK = {"kty": "OKP", "crv": "Ed25519", "x": b64(b"k" * 32)}
ATTACKS: dict[str, Callable[[Lab], str]] = {
    "no signature, alg none": lambda lab: lab.unsigned("none"),
    "alg None": lambda lab: lab.unsigned("None"),
    "alg NONE": lambda lab: lab.unsigned("NONE"),
    "alg nOnE": lambda lab: lab.unsigned("nOnE"),
    "alg none, old signature": lambda lab: lab.unsigned("none") + lab.good.rpartition(".")[2],
    "signature stripped": lambda lab: lab.good.rpartition(".")[0] + ".",
    "two parts": lambda lab: lab.good.rpartition(".")[0],
    "four parts": lambda lab: lab.good + ".e30",
    "signature of another token": lambda lab: (
        lab.good.rpartition(".")[0] + "." + lab.sign({"role": "owner"}).rpartition(".")[2]
    ),
    "spare bits of the signature": lambda lab: lab.good[:-1] + chr(ord(lab.good[-1]) + 1),
    "role raised, not signed": lambda lab: ".".join(
        [
            lab.good.split(".")[0],
            b64(orjson.dumps({**lab.claims, "role": "owner"})),
            lab.good.split(".")[2],
        ]
    ),
    "HS256 with the public key, raw": lambda lab: lab.hmac(lab.key.public.public_bytes_raw()),
    "HS256 with the public key, PEM": lambda lab: lab.hmac(lab.pem),
    "HS256 with the public key, DER": lambda lab: lab.hmac(lab.der),
    "HS256 with its name": lambda lab: lab.hmac(lab.key.kid.encode()),
    "HS256 with nothing": lambda lab: lab.hmac(b""),
    "HS512": lambda lab: lab.hmac(lab.pem, "HS512"),
    "another key, our kid": lambda lab: lab.foreign(),
    "another key, its own kid": lambda lab: lab.foreign(kid="attacker"),
    "kid is a path": lambda lab: lab.foreign(kid="../../../../dev/null"),
    "kid is SQL": lambda lab: lab.foreign(kid="x' UNION SELECT 'key"),
    "kid is no text": lambda lab: lab.join({**lab.header, "kid": 1}, orjson.dumps(lab.claims)),
    "kid is a list": lambda lab: lab.join({**lab.header, "kid": ["a"]}, orjson.dumps(lab.claims)),
    "no kid": lambda lab: lab.join({"alg": "EdDSA", "typ": "at+jwt"}, orjson.dumps(lab.claims)),
    "jku": lambda lab: lab.foreign(jku="https://attacker.example/keys"),
    "x5u": lambda lab: lab.foreign(x5u="https://attacker.example/cert"),
    "jwk": lambda lab: lab.foreign(jwk=JWK),
    "crit": lambda lab: lab.sign({}, crit=["exp"]),
    "b64 false": lambda lab: lab.sign({}, b64=False, crit=["b64"]),
    "typ JWT": lambda lab: lab.sign({}, typ="JWT"),
    "typ of a refresh token": lambda lab: lab.sign({}, typ="rt+jwt"),
    "claim typ refresh": lambda lab: lab.sign({"typ": "refresh"}),
    "the refresh token itself": lambda lab: lab.refresh_token,
    "another issuer": lambda lab: lab.sign({"iss": "https://other.example"}),
    "issuers in a list": lambda lab: lab.sign({"iss": [lab.claims["iss"]]}),
    "another audience": lambda lab: lab.sign({"aud": "other"}),
    "audiences in a list": lambda lab: lab.sign({"aud": ["wellio", "other"]}),
    "expired": lambda lab: lab.sign({"exp": NOW_S}),
    "exp is text": lambda lab: lab.sign({"exp": str(NOW_S + 100)}),
    "exp is 1e308": lambda lab: lab.sign({"exp": 1e308}),
    "exp is a fraction": lambda lab: lab.sign({"exp": NOW_S + 100.5}),
    "exp is null": lambda lab: lab.sign({"exp": None}),
    "exp is true": lambda lab: lab.sign({"exp": True}),
    "not valid yet": lambda lab: lab.sign({"nbf": NOW_S + 3600}),
    "no exp": lambda lab: lab.without("exp"),
    "no sub": lambda lab: lab.without("sub"),
    "no sid": lambda lab: lab.without("sid"),
    "no aud": lambda lab: lab.without("aud"),
    "sub of nobody": lambda lab: lab.sign({"sub": "018f4e5c-0000-7000-8000-000000000001"}),
    "sid of nobody": lambda lab: lab.sign({"sid": "018f4e5c-0000-7000-8000-000000000001"}),
    "payload is a list": lambda lab: lab.join(lab.header, b"[]"),
    "payload is no JSON": lambda lab: lab.join(lab.header, b"{"),
    "payload is not UTF-8": lambda lab: lab.join(lab.header, b'{"sub": "\xff"}'),
    "header is a list": lambda lab: "W10." + lab.good.partition(".")[2],
    "header is deep": lambda lab: b64(b"[" * 900) + "." + lab.good.partition(".")[2],
    "padded": lambda lab: lab.good + "=",
    "white space inside": lambda lab: lab.good.replace(".", ". ", 1),
    "7 KB": lambda lab: lab.sign({"padding": "x" * 5000}),
    "empty": lambda _: "",
    "dots": lambda _: "..",
    "not ASCII": lambda lab: lab.good[:-1] + "ä",
}


@pytest.fixture
async def lab(app: TestApp, make_user: MakeUser) -> Lab:
    user = await make_user("coach")
    ring = app.app.service(KeyRing)
    header = jwt.get_unverified_header(user.token)
    claims = jwt.decode(user.token, options={"verify_signature": False})
    return Lab(ring.current, header, claims, user.refresh_token, user.token)


async def test_no_attack_gets_in(app: TestApp, lab: Lab) -> None:
    assert await status_of(app, lab.sign({"jti": "another"})) == 200  # the lab signs as we do
    got_in = {name: await status_of(app, attack(lab)) for name, attack in ATTACKS.items()}
    assert got_in == dict.fromkeys(ATTACKS, 401)
    assert await status_of(app, lab.good) == 200


async def status_of(app: TestApp, token: str) -> int:
    reply = await app.api.get("/me", headers={"Authorization": f"Bearer {token}"})
    return reply.status


async def test_the_header_is_read_as_rfc_6750_has_it(app: TestApp, lab: Lab) -> None:
    for header, status in (
        (f"bearer {lab.good}", 200),
        (f"BEARER {lab.good}", 200),
        (f"Basic {lab.good}", 401),
        (lab.good, 401),
        ("Bearer", 401),
        (f"Bearer  {lab.good}", 401),
    ):
        reply = await app.api.get("/me", headers={"Authorization": header})
        assert (header.partition(" ")[0], reply.status) == (header.partition(" ")[0], status)


async def test_a_token_ends_on_time_and_says_so(app: TestApp, lab: Lab, clock: ManualClock) -> None:
    ttl_ms = app.app.settings(AuthConfig).access_token_s * 1000
    clock.advance(ttl_ms - 1000)
    assert await status_of(app, lab.good) == 200
    clock.advance(1000)
    reply = await app.api.get("/me", headers={"Authorization": f"Bearer {lab.good}"})
    assert (reply.status, reply.data["code"]) == (401, "token_expired")


async def test_a_new_signing_key_logs_nobody_out(app: TestApp, lab: Lab) -> None:
    await app.app.service(KeyRing).add(SigningKey.from_seed(b"n" * 32))
    newer = app.app.service(KeyRing).sign(lab.claims["sub"], lab.claims["role"], lab.claims["sid"])
    assert jwt.get_unverified_header(newer)["kid"] != lab.header["kid"]
    await app.restart()
    assert [await status_of(app, token) for token in (lab.good, newer)] == [200, 200]


async def test_keys_lie_sealed(app: TestApp, lab: Lab) -> None:
    rows = await app.app.db.fetch_all("SELECT sealed FROM auth_signing_key")
    assert rows
    assert all(lab.key.private.private_bytes_raw() not in row["sealed"] for row in rows)
