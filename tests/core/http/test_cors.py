"""Which pages may read answers and open sockets: an exact list, on REST, polling and WebSockets."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp.test_utils import make_mocked_request

from tests.core.http.small_app import SmallApp, running
from tests.core.http.test_problems import FailingApi
from wellio.access.limits import Limits
from wellio.clock import ManualClock
from wellio.config.settings import load_config
from wellio.http import GatewayRules, Origins
from wellio.testing import TestApp
from wellio.testing.apps import NO_FILE
from wellio.testing.plugin import StartApp

APP = "https://app.example"
ALLOWED = [APP, "http://localhost:8081", "https://xn--bcher-kva.example"]
STRANGERS = [
    *("null", "", "*", "https://", "app.example", "//app.example", "file://", "data:text/html,x"),
    *("http://app.example", "https://app.example:80", "https://app.example:8443", f"{APP}/"),
    *(f"{APP}.evil.example", "https://evil-app.example", "https://evilapp.example", f"{APP}."),
    *("https://sub.app.example", "https://example", "https://app.example@evil.example"),
    *("https://evil.example/https://app.example", "https://evil.example?https://app.example"),
    *("https://evil.example#https://app.example", "HTTPS://APP.EXAMPLE", "https://APP.example"),
    *("https://app.example https://evil.example", f"{APP}, {APP}", "https://app。example"),
    *("https://bücher.example", "http://xn--bcher-kva.example", "https://app%2eexample"),
    *(
        "http://localhost",
        "http://localhost:80811",
        "http://localhost:808",
        "http://127.0.0.1:8081",
    ),
    *(
        "ws://localhost:8081",
        "wss://app.example",
        "capacitor://localhost",
        "chrome-extension://app",
    ),
    *("http://[::1]:8081", "http://[", "https://app.example\x0b", "https://*.example", "*.example"),
]
ASKING = {"Access-Control-Request-Method": "POST"}
SHOWN = "Access-Control-Allow-Origin"


@pytest.fixture
async def app() -> AsyncIterator[SmallApp]:
    rules = GatewayRules(origins=Origins(ALLOWED))
    async with running(FailingApi(), rules=rules) as app:
        yield app


def test_there_are_enough_strangers() -> None:
    assert len(set(STRANGERS)) >= 40


@pytest.mark.parametrize("origin", ALLOWED)
@pytest.mark.parametrize("path", ["/metrics", "/nowhere", "/fail/401", "/fail/500", "/fail/429"])
async def test_pages_on_the_list_read_every_answer(app: SmallApp, path: str, origin: str) -> None:
    answer = await app.request("GET", path, headers={"Origin": origin}, documented=False)
    assert answer.headers[SHOWN] == origin
    assert "Origin" in answer.headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in answer.headers
    exposed = set(answer.headers["Access-Control-Expose-Headers"].split(", "))
    assert exposed >= {"Location", "ETag", "RateLimit", "Retry-After", "X-Request-Id"}


@pytest.mark.parametrize("path", ["/metrics", "/nowhere", "/api/v1/things"])
async def test_they_may_ask_before(app: SmallApp, path: str) -> None:
    asked = {"Origin": APP, **ASKING, "Access-Control-Request-Headers": "X-Evil, Authorization"}
    answer = await app.request("OPTIONS", path, headers=asked, token=None, documented=False)
    assert (answer.status, answer.content, answer.headers[SHOWN]) == (204, b"", APP)
    assert "PATCH" in answer.headers["Access-Control-Allow-Methods"].split(", ")
    headers = answer.headers["Access-Control-Allow-Headers"].split(", ")
    assert "X-Evil" not in headers
    assert {"Authorization", "Content-Type", "Idempotency-Key", "If-Match"} <= set(headers)
    added = {"Cache-Control", "traceparent", "tracestate", "sentry-trace", "baggage"}
    assert added <= set(headers)  # by browsers, and by what watches apps


@pytest.mark.parametrize("origin", STRANGERS)
async def test_strangers_read_nothing(app: SmallApp, origin: str) -> None:
    raw = origin.encode()
    for method, extra in ((b"GET", b""), (b"OPTIONS", b"Access-Control-Request-Method: POST\r\n")):
        answer = await app.raw(
            method
            + b" /metrics HTTP/1.1\r\nHost: localhost\r\nOrigin: "
            + raw
            + b"\r\n"
            + extra
            + b"\r\n"
        )
        assert not [name for name in answer.headers if name.startswith("Access-Control")]
        assert answer.headers["Vary"] == "Origin"


async def test_without_a_list_nothing_is_said() -> None:
    async with running(FailingApi()) as app:
        answer = await app.request("GET", "/metrics", headers={"Origin": APP})
    assert SHOWN not in answer.headers
    assert "Vary" not in answer.headers


async def test_everybody_is_a_star_without_credentials() -> None:
    config = load_config(NO_FILE, env={}, overrides={"server.allowed_origins": ["*"]})
    rules = GatewayRules.of(config, Limits(monotonic=ManualClock(0).monotonic))
    async with running(FailingApi(), rules=rules) as app:
        answer = await app.request("GET", "/metrics", headers={"Origin": "https://any.example"})
    assert answer.headers[SHOWN] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    "public_url, is_secure",
    [("https://practice.example", True), ("http://practice.example", False)],
)
async def test_the_headers_that_keep_browsers_strict(public_url: str, is_secure: bool) -> None:
    config = load_config(NO_FILE, env={}, overrides={"server.public_url": public_url})
    async with running(FailingApi(), rules=GatewayRules.of(config, Limits())) as app:
        found = await app.request("GET", "/metrics")
        broken = await app.raw(b"nonsense\r\n\r\n")
        lost = await app.request("GET", "/nowhere", documented=False)
    for answer in (found, broken, lost):
        headers = answer.headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Server"] == "wellio"
        hsts = headers.get("Strict-Transport-Security")
        assert hsts == ("max-age=31536000" if is_secure else None)


OURS = ["https://practice.example", "https://practice.example:443", "wss://practice.example"]


def may_connect(origin: str, host: str, public_url: str | None = None, *named: str) -> bool:
    settings = {"server.public_url": public_url, "server.allowed_origins": list(named)}
    server = load_config(NO_FILE, env={}, overrides=settings).server
    headers = {"Origin": origin, "Host": host}
    request = make_mocked_request("GET", "/socket.io/", headers=headers)
    origins = Origins(server.allowed_origins, server.public_url)
    is_shown = origins.headers(request).get(SHOWN) == origin
    assert is_shown is (bool(named) and origins.may_connect(request))
    return origins.may_connect(request)


HERE: list[tuple[str, list[str], list[str]]] = [
    (
        "https://Practice.example:443/",
        OURS,
        ["http://practice.example", "ws://practice.example", "https://practice.example:80"],
    ),
    (
        "https://practice.example:8443",
        ["https://practice.example:8443", "wss://practice.example:8443"],
        ["https://practice.example", "http://practice.example:8443"],
    ),
    ("http://10.0.0.7", ["http://10.0.0.7:80", "ws://10.0.0.7"], ["https://10.0.0.7"]),
    ("https://b\u00fccher.example", ["https://xn--bcher-kva.example"], ["https://bcher.example"]),
]


def test_our_own_pages_are_where_the_owner_says() -> None:
    """A proxy passes on whichever Host it likes, and an attacker's page has one of its own."""
    hosts = ("127.0.0.1:4100", "practice.example", "practice.example:443")
    for public_url, ours, strangers in HERE:
        for host in hosts:
            assert [it for it in ours if not may_connect(it, host, public_url)] == []
            stolen = [f"https://{host}.evil.test", f"http://{host}", "http://evil.test", "null"]
            assert [it for it in (*strangers, *stolen) if may_connect(it, host, public_url)] == []
        assert not may_connect("http://evil.test", "evil.test", public_url)  # a rebound name


def test_without_a_public_url_they_are_where_the_request_went() -> None:
    for origin, host, is_ours in (
        ("http://127.0.0.1:4100", "127.0.0.1:4100", True),
        ("ws://127.0.0.1:4100", "127.0.0.1:4100", True),
        ("https://here.example", "here.example:443", True),
        ("https://here.example:443", "Here.example", True),
        ("wss://here.example", "here.example", True),
        ("http://[::1]:80", "[::1]", True),
        ("http://here.example", "here.example:443", False),
        ("http://127.0.0.1:4101", "127.0.0.1:4100", False),
        ("app://here.example", "here.example", False),
        ("null", "null", False),
    ):
        assert may_connect(origin, host) is is_ours, origin


def test_apps_and_sites_are_named_as_people_write_them() -> None:
    for named, origin in (
        ("capacitor://localhost", "capacitor://localhost"),
        ("ionic://localhost", "ionic://localhost"),
        ("tauri://localhost", "tauri://localhost"),
        ("app://.", "app://."),
        ("null", "null"),
        ("https://App.example", "https://app.example"),
        ("https://app.example:443", "https://app.example"),
        ("http://app.example:80/", "http://app.example"),
        ("https://app.example", "https://app.example:443"),
        ("https://b\u00fccher.example", "https://xn--bcher-kva.example"),
    ):
        for public_url in (None, "https://practice.example"):
            assert may_connect(origin, "practice.example", public_url, named), named
            for stranger in ("capacitor://evil", f"{origin}.evil.test", "https://app.example:444"):
                assert not may_connect(stranger, "practice.example", public_url, named), named


# -- sockets -------------------------------------------------------------------------------------


@pytest.fixture
async def whole_app(wellio_app: StartApp) -> TestApp:
    settings = {"server.allowed_origins": ALLOWED, "server.public_url": "https://practice.example"}
    return await wellio_app(settings=settings, plugins=[])


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_pages_on_the_list_and_our_own_open_sockets(whole_app: TestApp) -> None:
    base = f"http://127.0.0.1:{whole_app.config.server.port}"
    async with aiohttp.ClientSession() as http:
        for origin in (*ALLOWED, *OURS):
            await (await http.ws_connect(f"{base}/ws", origin=origin)).close()
            async with http.get(
                f"{base}/socket.io/?EIO=4&transport=polling", headers={"Origin": origin}
            ) as polled:
                assert polled.status == 200
                assert polled.headers.get(SHOWN) == (origin if origin in ALLOWED else None)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_strangers_open_none(whole_app: TestApp) -> None:
    base = f"http://127.0.0.1:{whole_app.config.server.port}"
    # Pages of our own host that were not delivered by https could have been by anybody.
    unsafe = {"Host": "practice.example", "Origin": "http://practice.example"}
    sendable = [origin for origin in STRANGERS if origin.isascii() and origin.isprintable()]
    async with aiohttp.ClientSession() as http:
        for headers in (*({"Origin": origin} for origin in sendable), unsafe):
            for path in ("/ws", "/socket.io/?EIO=4&transport=websocket"):
                with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                    await http.ws_connect(f"{base}{path}", headers=headers)
                assert refused.value.status == 403
            async with http.get(
                f"{base}/socket.io/?EIO=4&transport=polling", headers=headers
            ) as polled:
                assert polled.status == 403
                assert SHOWN not in polled.headers
