"""No secret reaches the log, whoever logs it and wherever in a line it stands."""

import base64
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict

from tests.core.http.small_app import logged
from wellio import WellioError, get_logger
from wellio.observe.redaction import MASK, clean, hide

MARK = "QqCanaryZz"
HIDDEN = f'a setting\'s "own" {MARK} wörds'
hide(HIDDEN)

base64url = st.text("abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ0123456789-_", min_size=4)
hexadecimal = st.text("0123456789abcdef", min_size=64, max_size=64)
words = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=12)
names = st.sampled_from(
    [
        *("password", "owner_password", "newPassword", "passwd", "secret", "JWT_SECRET"),
        *("clientSecretValue", "Authorization", "Proxy-Authorization", "Cookie", "set-cookie"),
    ]
)
weak_names = st.sampled_from(
    ["token", "access_token", "refreshToken", "api_key", "master_key", "key", "hash", "dsn"]
)


@dataclass(frozen=True)
class Canary:
    """A text that holds a secret, and the secret."""

    text: str
    secret: str


def jwt(parts: tuple[str, str]) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"EdDSA"}').decode().rstrip("=")
    return ".".join([head, *parts])


#: Known by its own form, without a word about it.
shaped = st.one_of(
    st.tuples(base64url, base64url).map(jwt),
    st.builds("wr_{}_{}_{}_{}".format, st.uuids(), st.integers(0, 99), hexadecimal, hexadecimal),
    hexadecimal,
    st.binary(min_size=32, max_size=32).map(
        lambda raw: base64.urlsafe_b64encode(raw).decode().rstrip("=")
    ),
    st.just(HIDDEN),
).map(lambda secret: Canary(secret, secret))
opaque = base64url.map(lambda text: text + MARK)
told = st.one_of(
    opaque.map(lambda it: Canary(f"Bearer {it}", it)),
    opaque.map(lambda it: Canary(f"GET / HTTP/1.1\r\nauthorization: basic {it}", it)),
    opaque.map(lambda it: Canary(f"postgresql://user:{it}@host:5432/name", it)),
    opaque.map(lambda it: Canary(f"https://host/reset?token={it}&x=1", it)),
    st.tuples(weak_names, opaque).map(lambda it: Canary(f"{it[0]}={it[1]}, more", it[1])),
    st.tuples(names | weak_names, words, words).map(
        lambda it: Canary(repr({it[0]: f"{it[1]}{MARK}{it[2]}"}), MARK)
    ),
    st.tuples(names | weak_names, words, words).map(
        lambda it: Canary(json.dumps({it[0]: f"{it[1]}{MARK}{it[2]}"}), MARK)
    ),
    st.tuples(names | weak_names, words, words).map(
        lambda it: Canary(json.dumps(json.dumps({it[0]: f"{it[1]}{MARK}{it[2]}"})), MARK)
    ),
    st.tuples(names, words).map(lambda it: Canary(f"{it[0]}: {MARK} {it[1]}", MARK)),
    st.tuples(names, words).map(lambda it: Canary(repr([(it[0], MARK + it[1])]), MARK)),
)
#: What stands around it; a word that touches it would make it another word.
around = st.sampled_from(["", "x ", "(", "'", '"', "[1, ", "= ", "é ", "\n"])


class Thing:
    """An object of a library, whose repr shows what it holds."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return f"<Thing {self.text}>"


def fail(text: str, error: type[Exception], cause: Exception | None = None) -> None:
    try:
        raise error(text) from cause
    except error:
        logging.getLogger("library").exception("it failed")


log = get_logger("wellio_chat.service")
library = logging.getLogger("library")
#: Ways of logging a text.
WAYS: dict[str, Callable[[str], object]] = {
    "event": log.info,
    "event of a library": library.warning,
    "event of structlog": lambda text: structlog.get_logger().info(text),
    "argument": lambda text: library.warning("got %s and %r", "x", text),
    "argument by name": lambda text: library.warning("got %(a)s", {"a": text}),
    "argument of structlog": lambda text: log.info("got %s", text),
    "field": lambda text: log.info("got", thing=text),
    "extra": lambda text: library.warning("got", extra={"thing": text}),
    "deep": lambda text: log.info("got", thing={"a": [{"b": ({"c": text},)}]}),
    "deeper": lambda text: log.info("got", thing=[[[[[[[[[[[[text]]]]]]]]]]]]),
    "set": lambda text: log.info("got", thing={text}),
    "key": lambda text: log.info("got", thing={text: 1}),
    "bytes": lambda text: log.info("got", thing=text.encode()),
    "object": lambda text: log.info("got", thing=Thing(text)),
    "object as argument": lambda text: library.warning("%s", Thing(text)),
    "error": lambda text: fail(text, WellioError),
    "its cause": lambda text: fail("x", WellioError, TypeError(text)),
    "error of a library": lambda text: fail(text, ValueError),
    "error as a field": lambda text: log.info("got", error=KeyError(text)),
    "wrong argument": lambda text: library.warning("%d", text),
    "too many arguments": lambda text: library.warning("got", text),
}


def written(way: Callable[[str], object], text: str = "") -> str:
    """Log a text in a way, and return the line that comes of it."""
    with logged("debug") as lines:
        way(text)
    assert len(lines.all()) == 1
    return lines.text


def holds(line: str, secret: str) -> bool:
    escaped = json.dumps(secret)[1:-1]
    again = json.dumps(escaped)[1:-1]
    return any(form in line for form in (secret, escaped, again, repr(secret)[1:-1]))


@settings(max_examples=40, deadline=None)
@pytest.mark.parametrize("way", WAYS)
@given(canary=shaped | told, before=around, after=around)
def test_no_secret_is_written(way: str, canary: Canary, before: str, after: str) -> None:
    line = written(WAYS[way], f"{before}{canary.text}{after[::-1]}")
    assert not holds(line, canary.secret), line


@given(name=names | weak_names, before=words, after=words)
@settings(deadline=None)
def test_a_field_whose_name_says_secret_is_never_written(
    name: str, before: str, after: str
) -> None:
    value = f"{before}{MARK}{after}"
    ways: list[Callable[[], object]] = [
        lambda: log.info("got", **{name: value}),
        lambda: log.info("got", **{name: [value.encode()]}),
        lambda: library.warning("got", extra={name: Thing(value)}),
        lambda: log.info("got", thing={"a": [{name: value}]}),
        lambda: log.info("got", headers=[(name, value), (name.encode(), value.encode())]),
        lambda: log.info("got", headers=CIMultiDict([(name, value)])),
        lambda: log.info("got", thing=Thing(f"({name}={value!r})")),
    ]
    for way in ways:
        line = written(lambda _: way())  # noqa: B023 - it is called at once
        assert MARK not in line
        assert MASK in line


@pytest.mark.parametrize(
    "text",
    [
        "message stored",
        "a monkey and its keyboard",
        "no token came, and the passwords are fine",
        "master.key can be read by other users: its mode must be 0600",
        "GET /api/v1/clients/{id} 200 in 3.5 ms",
        "http://localhost:3000 and ws://127.0.0.1:3000/ws",
        "0190a000-0000-7000-8000-0000000000aa",
        "migration auth/0001_init",
        "wellio_auth.sessions: session 0190a000-0000-7000-8000-0000000000aa ended",
    ],
)
def test_what_is_no_secret_stays_readable(text: str) -> None:
    assert clean(text) == text


def test_what_a_line_is_for_survives() -> None:
    session = str(UUID(int=7))
    line = written(
        lambda _: log.info("refused", session_id=session, count=3, is_new=True, at_s=1.5)
    )
    found = json.loads(line)
    assert found["event"] == "refused"
    assert (found["session_id"], found["count"], found["is_new"]) == (session, 3, True)
    assert found["at_s"] == 1.5


def test_a_traceback_keeps_its_frames() -> None:
    line = written(lambda text: fail(text, WellioError), f"Bearer {MARK}")
    found = json.loads(line)["exception"]
    assert "test_redaction.py" in found
    assert found.endswith(f"WellioError: Bearer {MASK}")


def test_a_short_setting_is_a_word_and_hides_none() -> None:
    hide("info", "")
    assert clean("some information") == "some information"
