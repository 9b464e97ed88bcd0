"""A23: every way of asking for more than one's share, at once: at most 1.1 times the budget.

`tests/core/http/test_limits.py` proves that no single trick has a budget of its own. Here a clock
that is moved by hand passes a minute, and whatever is spent in it is held against what the
documentation promises, on REST and sockets together.
"""

import itertools
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.attack.wire import exchange
from wellio import ManualClock
from wellio.testing import Sockets, TestApp
from wellio.testing.plugin import MakeUser, StartApp

SECONDS: Final = 20
SLACK: Final = 1.1
LIMITS: Final[dict[str, Any]] = {
    "limits.enabled": True,
    "limits.per_address": "60+5/s",
    "limits.per_account": "30+2/s",
    "plugins.chat.messages": "12+1/s",
    "server.trusted_proxies": ["127.0.0.1"],
}
PATHS: Final = (
    *("/api/v1/me", "/api/v1/me/", "/API/V1/ME", "/api/v1/%6de", "//api/v1/me", "/api//v1/me"),
    *("/api/v1/./me", "/api/v1/x/../me", "/api/v1/me?a=1", "/api/v1/me;a=1", "/api/v1/me%00"),
    *("http://other.example/api/v1/me", "/nowhere", "/livez", "/metrics", "/api/v1/tags?limit=1"),
)
METHODS: Final = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "QUERY")
#: Names for the one who asks; only the last one is the proxy's word.
XFF: Final = "X-Forwarded-For: "
FORGED: Final = (
    *(f"{XFF}192.0.2.{{n}}, 198.51.100.7", f"{XFF}{{n}}.{{n}}.2.3, 198.51.100.8"),
    *(f"{XFF}192.0.{{n}}.1\r\n{XFF}198.51.100.9", f"{XFF}198.51.100.{{n}}"),
    *(f"{XFF}::ffff:198.51.100.{{n}}", f"{XFF}junk, 198.51.100.{{n}}:80"),
    *(
        f"{header}192.0.{{n}}.1\r\n{XFF}198.51.100.7"
        for header in ("Forwarded: for=", "X-Real-IP: ", "Client-IP: ", "True-Client-IP: ")
    ),
)


@pytest.fixture
def engine() -> str:
    """Run on one engine: what is counted lies in memory."""
    return "sqlite"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_780_000_000_000)


@pytest.fixture
async def app(wellio_app: StartApp, clock: ManualClock) -> TestApp:
    return await wellio_app(settings=LIMITS, clock=clock)


def every_trick(token: str | None, forged: Iterator[str]) -> Iterator[bytes]:
    """Yield requests without end: every method on every spelling, under every name."""
    credential = f"Authorization: Bearer {token}\r\n" if token else ""
    for number, (method, path) in enumerate(itertools.cycle(itertools.product(METHODS, PATHS))):
        name = next(forged).format(n=number % 250 + 1)
        lines = (
            f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{name}\r\n{credential}"
        )
        yield lines.encode() + b"\r\n"


async def spend(app: TestApp, clock: ManualClock, tricks: Iterator[bytes]) -> Counter[int]:
    """Ask 20 times a second, and count the answers."""
    statuses = Counter[int]()
    for data in itertools.islice(tricks, 20 * SECONDS):
        statuses.update((await exchange(app.config.server.port, data)).statuses)
        clock.advance(50)
    return statuses


def admitted(statuses: Counter[int]) -> int:
    return sum(count for status, count in statuses.items() if status != 429)


async def test_a_network_gets_its_budget_under_whatever_name(
    app: TestApp, clock: ManualClock
) -> None:
    statuses = await spend(app, clock, every_trick(None, itertools.cycle(FORGED)))
    print(f"\nA23 one network, {20 * SECONDS} requests in {SECONDS} s: {dict(statuses)}")
    assert 60 < admitted(statuses) <= SLACK * (60 + 5 * SECONDS)


async def test_a_64_is_one_network(app: TestApp, clock: ManualClock) -> None:
    addresses = (f"X-Forwarded-For: 2001:db8::{n:x}:{n:x}" for n in itertools.count(1))
    statuses = await spend(app, clock, every_trick(None, addresses))
    print(f"\nA23 one /64, {20 * SECONDS} requests in {SECONDS} s: {dict(statuses)}")
    assert admitted(statuses) <= SLACK * (60 + 5 * SECONDS)


async def test_an_account_gets_its_budget_from_wherever(
    app: TestApp, clock: ManualClock, make_user: MakeUser
) -> None:
    user = await make_user("owner")
    everywhere = (f"X-Forwarded-For: 203.0.{n % 250}.1" for n in itertools.count())
    tricks = (
        data
        for data in every_trick(user.token, everywhere)
        if data.startswith((b"GET /api/v1/", b"HEAD /api/v1/", b"GET /API", b"GET //"))
    )
    statuses = await spend(app, clock, tricks)
    print(f"\nA23 one account, {20 * SECONDS} requests in {SECONDS} s: {dict(statuses)}")
    assert 30 < statuses[200] <= SLACK * (30 + 2 * SECONDS)


async def test_messages_have_one_budget_on_rest_and_sockets(
    wellio_app: StartApp, make_user: MakeUser, sockets: Sockets, clock: ManualClock
) -> None:
    wide = {"limits.per_address": "100000+1/s", "limits.per_account": "100000+1/s"}
    app = await wellio_app(settings={**LIMITS, **wide}, clock=clock)
    coach = await make_user("coach")
    client = await make_user("client", coach=coach)
    direct = {"kind": "direct", "memberIds": [client.id]}
    opened = (await app.api.as_(coach).post("/conversations", direct, status=201)).data["id"]
    first, second = await sockets.plain(app.url, coach), await sockets.plain(app.url, coach)
    outcomes = Counter[str]()
    for number in range(10 * SECONDS):
        message = {"content": f"Message {number}"}
        if number % 3 == 0:
            path = f"/conversations/{opened}/messages"
            reply = await app.api.as_(coach).post(path, message)
            outcomes["ok" if reply.status == 201 else reply.data["code"]] += 1
        else:
            socket = first if number % 3 == 1 else second
            ack = await socket.call("send_message", {"conversationId": opened, **message})
            outcomes["ok" if ack["ok"] else ack["error"]["code"]] += 1
        clock.advance(100)
    print(f"\nA23 {10 * SECONDS} messages on REST and two sockets in {SECONDS} s: {dict(outcomes)}")
    assert outcomes.keys() == {"ok", "rate_limited"}
    assert 12 < outcomes["ok"] <= SLACK * (12 + SECONDS)
