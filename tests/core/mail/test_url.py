"""`[mail] url`: what is read out of it, and how anything else is refused at the start."""

import io
import logging
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest

from wellio.config.settings import load_config
from wellio.errors import ConfigError
from wellio.mail.server import read_url

FROM = "from=desk@practice.example"


@pytest.mark.parametrize(
    "url, expected",
    [
        (
            f"mailto://127.0.0.1:1025?{FROM}",
            {
                "host": "127.0.0.1",
                "port": 1025,
                "security": "insecure",
                "verifies": True,
                "user": None,
                "password": None,
                "sender": "desk@practice.example",
                "name": "",
                "reply_to": "",
            },
        ),
        (
            "mailtos://me:p%40s%2Fs@gmail.com",  # a provider that apprise knows
            {
                "host": "smtp.gmail.com",
                "port": 587,
                "security": "starttls",
                "user": "me@gmail.com",
                "password": "p@s/s",
                "sender": "me@gmail.com",
            },
        ),
        (
            f"mailtos://me:pass@mx.example:465?mode=ssl&name=Olga%20B%C3%BChler&{FROM}",
            {"host": "mx.example", "port": 465, "security": "ssl", "name": "Olga Bühler"},
        ),
        (
            f"MAILTOS://practice.example/?smtp=mx.example&verify=no&{FROM}",
            {"host": "mx.example", "port": 587, "verifies": False},
        ),
        (f"mailto://[::1]:25?{FROM}", {"host": "::1", "port": 25}),
        (
            f"mailtos://mx.example?reply=b@x.example,a@x.example&{FROM}",
            {"reply_to": "a@x.example, b@x.example"},
        ),
    ],
)
def test_what_a_url_says(url: str, expected: dict[str, Any]) -> None:
    server = asdict(read_url(url))
    assert {name: server[name] for name in expected} == expected


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Collect what the root logger would write."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


@pytest.mark.parametrize(
    "url, expected",
    [
        ("json://s3cret.example", "expected mailto:// or mailtos:// with a server"),
        ("mailto:anna@s3cret.example", "expected mailto:// or mailtos:// with a server"),
        ("mailtos://", "expected mailto:// or mailtos:// with a server"),
        ("mailtos://[", "expected mailto:// or mailtos:// with a server"),
        (f"mailto://127.0.0.1:99999?{FROM}", "expected mailto:// or mailtos:// with a server"),
        ("mailtos://me:s3/cret@mx.example", "expected mailto:// or mailtos:// with a server"),
        ("mailtos://me:pass@mx.example/anna@s3cret.example", "expected no recipient"),
        ("mailtos://me:pass@mx.example?to=anna@s3cret.example", "expected no recipient"),
        ("mailtos://me:pass@mx.example?cc=anna@s3cret.example", "expected no recipient"),
        ("mailtos://me:pass@mx.example?bcc=anna@s3cret.example", "expected no recipient"),
        ("mailtos://me:pass@mx.example?+Bcc=anna@s3cret.example", "expected no parameters but"),
        ("mailtos://me:pass@mx.example?pgp=sign", "expected no parameters but"),
        ("mailtos://me:pass@mx.example?form=anna@s3cret.example", "expected no parameters but"),
        ("mailtos://me:pass@mx.example?mode=s3cret", "expected mode= with one of"),
        ("mailtos://me:pass@127.0.0.1", "expected ?from="),
        ("mailtos://mx.example?from=s3cret", "expected ?from="),
        (f"mailtos://mx.example?name=a%0D%0ABcc:x&{FROM}", "expected ?from="),
        ("mailtos://me:s3crét@mx.example", "expected a user and a password of ASCII"),
    ],
)
def test_what_is_refused_by_name_and_not_echoed(url: str, expected: str, log: io.StringIO) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(env={"WELLIO_MAIL__URL": url})
    _, line = str(caught.value).splitlines()
    assert line.startswith(f"  WELLIO_MAIL__URL: {expected}")
    assert "s3c" not in line
    assert log.getvalue() == ""


@pytest.mark.parametrize(
    "url, is_warned",
    [
        (None, False),
        (f"mailtos://mx.example?{FROM}", False),
        (f"mailto://localhost:1025?{FROM}", False),
        (f"mailto://127.0.0.1?{FROM}", False),
        (f"mailto://mx.example?{FROM}", True),
        (f"mailto://10.0.0.1?{FROM}", True),
    ],
)
def test_mails_that_travel_readable_are_warned_of(url: str | None, is_warned: bool) -> None:
    warnings = load_config(env={"WELLIO_MAIL__URL": url or ""}).warnings
    assert [warning.partition(":")[0] for warning in warnings] == ["mail.url"] * is_warned


def test_the_url_is_a_secret_and_the_time_a_number() -> None:
    url = f"mailtos://me:s3cret@mx.example?{FROM}"
    assert "s3cret" not in repr(load_config(env={"WELLIO_MAIL__URL": url}))
    with pytest.raises(ConfigError, match=r"WELLIO_MAIL__TIMEOUT_S: must be more than 0$"):
        load_config(env={"WELLIO_MAIL__TIMEOUT_S": "0"})
