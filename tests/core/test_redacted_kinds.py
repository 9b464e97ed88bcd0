"""Each word that betrays a secret, and each kind of secret that the product itself has, is masked.

`test_redaction.py` looks for texts that slip through; this looks that no kind was forgotten. The
words are written out here: a list that a test takes from the program is always complete.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import wellio_auth
from pydantic import SecretStr

from tests.core.http.small_app import logged
from tests.core.test_redaction import WAYS, holds
from wellio import Permission, Plugin, SectionModel, WellioError, get_logger, hookimpl
from wellio.observe import redaction
from wellio.testing import StartApp
from wellio.testing.users import PASSWORD

pytestmark = pytest.mark.sqlite("it is about the log")
WEAK = ("token", "key", "hash", "dsn", "credential", "signature", "pepper")
STRONG = ("passw", "passphrase", "pwd", "secret", "authorization", "cookie")
VALUE = "QqCanaryZz"
SHAPED: Sequence[tuple[str, str]] = (
    ("bearer", f"Bearer {VALUE}"),
    ("basic", f"Basic {VALUE}"),
    ("://", f"postgresql://w:{VALUE}@h/w"),
    ("eyj", f"eyJhbGciOiJFZERTQSJ9.{VALUE}.{VALUE}"),
    ("wr_", f"wr_0190_1_{VALUE}"),
    ("wk_", f"wk_0190aaaa_{VALUE}"),
)


def test_these_are_all_words_and_shapes() -> None:
    """A new one is tried here too."""
    assert set(redaction._NAMES) == {*WEAK, *STRONG}  # noqa: SLF001 - to know of every new one
    assert set(redaction._SHAPES) == {shape for shape, _ in SHAPED}  # noqa: SLF001 - the same


@pytest.mark.parametrize("words", [WEAK, STRONG])
def test_a_word_betrays_what_stands_beside_it(words: Sequence[str]) -> None:
    names = [(word, word.upper(), f"the_{word}_of", f"x{word.title()}") for word in words]
    for name in (one for several in names for one in several):
        texts = (f"{name}={VALUE}", f"{name}: {VALUE}", f'"{name}": "{VALUE}"', f"{name}=>{VALUE}")
        for text in texts:
            assert VALUE not in redaction.clean(text), text
        assert redaction.clean_fields({name: VALUE}) == {name: redaction.MASK}
        assert VALUE not in str(redaction.clean_value([name, VALUE]))


def test_a_shape_betrays_itself() -> None:
    for shape, text in SHAPED:
        assert shape in text.lower()
        for around in (text, f"it was {text}, they said", f"('{text}',)"):
            assert VALUE not in redaction.clean(around), around


class LeakySettings(SectionModel):
    """Secrets of a plugin, under names that say nothing."""

    mark: SecretStr
    where: SecretStr


class Leaky:
    """A plugin that has secrets of its own."""

    PLUGIN = Plugin("leaky", "1", config=LeakySettings)

    @hookimpl
    def register_permissions(self) -> Sequence[Permission]:
        return [Permission("leaky.look", "Look.", frozenset({"owner"}), for_keys=True)]


#: The settings that are secrets; a password in an address is one by itself.
SETTINGS: Mapping[str, Any] = {
    "secrets.master_key": "5f3759df1b873593cc9e2d51e6546b645f3759df1b873593cc9e2d51e6546b64",
    "server.metrics_token": "seven purple owls",
    "mail.url": "mailto://post:nine%20green%20cats@127.0.0.1:9?from=a@b.example",
    "plugins.auth.jwt_secret": "Zq8-vT3n_Lw6-yK1c_Rf9-mD4x_Hs7b-pJ2g",
    "plugins.auth.bcrypt_cost": 10,
    "plugins.leaky.mark": "five yellow foxes",
    "plugins.leaky.where": "https://user:four*red*hens@h.example/x",
}
PIECES = ("nine green cats", "nine%20green%20cats", "four*red*hens")


async def test_no_secret_of_the_product_reaches_its_log(wellio_app: StartApp) -> None:
    app = await wellio_app(settings=SETTINGS, plugins=[wellio_auth, Leaky()])
    [notice] = [await it() for it in app.app.hooks.of("register_notices")]
    set_up = re.search(r"#token=(\S+)", notice or "")
    assert set_up
    secrets = {
        "set-up link": set_up[1],
        **{name: str(value) for name, value in SETTINGS.items() if isinstance(value, str)},
        **{f"piece {number}": piece for number, piece in enumerate(PIECES)},
    }
    await app.command("user create", email="o@a.example", name="O", role="owner", password=PASSWORD)
    login = await app.api.post("/auth/login", {"email": "o@a.example", "password": PASSWORD})
    owner = app.api.as_(SimpleNamespace(token=login.data["accessToken"]))
    scopes = ["leaky.look"]
    made = await owner.post("/api-keys", {"note": "k", "scopes": scopes}, status=201)
    wish = {"email": "c@a.example", "role": "coach"}
    invited = await owner.post("/invitations", wish, status=201)
    secrets |= {
        "access token": login.data["accessToken"],
        "refresh token": login.data["refreshToken"],
        "API key": made.data["key"],
        "invitation": str(invited.data["link"]).partition("#token=")[2],
    }
    assert all(len(secret) > 8 for secret in secrets.values()), secrets
    ways: Mapping[str, Callable[[str], object]] = {
        name: WAYS[name] for name in ("event", "event of a library", "argument", "field", "deep")
    }
    for kind, secret in secrets.items():
        for name, way in ways.items():
            with logged("debug") as lines:
                way(f"it is {secret} here")
                with pytest.raises(WellioError):
                    fail(secret)
            assert not holds(lines.text, secret), (kind, name)


def fail(secret: str) -> None:
    try:
        raise WellioError(f"no {secret} is known")
    except WellioError:
        get_logger("wellio_plugin_leaky").exception("it failed")
        raise
