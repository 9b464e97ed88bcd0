"""Weak secrets: short ones, repeated ones, and those that a tutorial prints."""

import base64
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr, ValidationError

from wellio import StrongSecret
from wellio.config.strength import is_monotonous, weakness

random_bytes = st.randoms(use_true_random=True).map(lambda random: random.randbytes(48))


@given(random_bytes)
def test_what_a_machine_made_is_good(raw: bytes) -> None:
    for text in (raw.hex(), base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()):
        assert weakness(text) is None, text
    assert not is_monotonous(raw[:32])


def test_a_long_phrase_is_good() -> None:
    assert weakness("horse battery staple correct plum kettle orbit") is None


@pytest.mark.parametrize("secret", ["", "s3cret", "x" * 31, "kPz4-mT9v_Qw7-xB2n_Lc5-hR8j_Fd3"])
def test_a_short_one_is_refused(secret: str) -> None:
    assert weakness(secret) == "expected 32 bytes or more"


@pytest.mark.parametrize("secret", ["x" * 32, "ab" * 40, "1234567" * 5, "0" * 64, "\t" * 32])
def test_one_that_repeats_itself_is_refused(secret: str) -> None:
    problem = weakness(secret)
    assert problem
    assert problem.endswith("this one repeats itself")


@pytest.mark.parametrize(
    "secret",
    [
        "changeme-changeme-changeme-changeme",
        "CHANGE_ME_in_production_please_1234",
        "please-change-this-secret-in-production",
        "your-256-bit-secret-your-256-bit-secret",
        "a-string-secret-at-least-256-bits-long",
        "super-secret-jwt-token-with-at-least-32-characters-long",
        "my_super_secret_key_for_development_only",
        "your_jwt_secret_key_goes_right_here_ok",
        "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
        "django-insecure-#8x!d0p$w2v9k)z@3m5n7q1r4t6y8u0i",
        "0123456789abcdef0123456789abcdef",
        "PasswordPasswordPasswordPassword1",
    ],
)
def test_an_examples_is_refused(secret: str) -> None:
    problem = weakness(secret)
    assert problem
    assert problem.endswith("this one is an example's")


@pytest.mark.parametrize(
    "secret", [b"\0" * 32, b"ab" * 16, bytes(range(32)), bytes(range(8)) * 4, b"a" * 31 + b"b"]
)
def test_a_master_key_that_is_not_random_is_refused(secret: bytes) -> None:
    assert is_monotonous(secret)


def test_a_setting_says_what_is_expected_and_not_what_was_given() -> None:
    class Section(BaseModel):
        secret: StrongSecret

    good = secrets.token_hex(32)
    assert Section(secret=SecretStr(good)).secret.get_secret_value() == good
    with pytest.raises(ValidationError) as caught:
        Section(secret=SecretStr("x" * 32))
    assert "expected a random one" in str(caught.value)
    assert "x" * 32 not in str(caught.value)
