"""A21, sockets: a page of another site opens none, whichever way it tries."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from tests.fault.server import free_port
from tests.realtime.peers import SOCKET, Address, Peer
from wellio.testing import TestApp
from wellio.testing.plugin import StartApp

ALLOWED = "https://app.example"
FOREIGN = [
    "null",
    "",
    " ",
    "*",
    "https://evil.example",
    "http://evil.example",
    "https://app.example.evil.example",
    "https://evil-app.example",
    "https://evilapp.example",
    "https://xapp.example",
    "https://sub.app.example",
    "https://app.example.",
    "https://app.example:80",
    "https://app.example:8443",
    "https://app.example:",
    "https://app.example/",
    "https://app.example/path",
    "https://app.example?x",
    "https://app.example#x",
    "https://app.example@evil.example",
    "https://evil.example@app.example",
    "https://evil.example/https://app.example",
    "https://APP.example",
    "HTTPS://app.example",
    "http://app.example",
    "ws://app.example",
    "wss://app.example",
    "file://",
    "file:///app.example",
    "app.example",
    "//app.example",
    "https:app.example",
    "https://app%2eexample",
    "https://xn--pp-rfa.example",
    "https://app.example,https://evil.example",
    "https://app.example https://evil.example",
    "chrome-extension://abcdefghijklmnop",
    "moz-extension://0190a000",
    "data:text/html,x",
    "http://[",
    "{scheme}s://{host}",
    "wss://{host}",
    "{scheme}://{host}.evil.example",
    "{scheme}://evil.{host}",
    "{scheme}://{name}:1",
    "{scheme}://{name}",
    "{scheme}://user@{host}",
    "{scheme}://{host}/",
]


@pytest.fixture
def engine() -> str:
    """One is enough: no row says who may come."""
    return "sqlite"


@pytest_asyncio.fixture
async def app(wellio_app: StartApp) -> TestApp:
    port = free_port()  # only who knows its own address can tell its own scheme
    named = {"server.port": port, "server.public_url": f"http://localhost:{port}"}
    return await wellio_app(settings={"server.allowed_origins": [ALLOWED], **named})


@pytest_asyncio.fixture
async def peer(app: TestApp) -> AsyncIterator[Peer]:
    async with aiohttp.ClientSession() as http:
        yield Peer(Address(app.url), http)


def origins(app: TestApp) -> list[str]:
    scheme, _, host = app.url.partition("://")
    name = host.partition(":")[0]
    return [origin.format(scheme=scheme, host=host, name=name) for origin in FOREIGN]


def websocket(sid: str | None = None) -> str:
    suffix = f"&sid={sid}" if sid else ""
    return f"{SOCKET}?EIO=4&transport=websocket{suffix}"


async def dial(peer: Peer, path: str, origin: str) -> int:
    """Try a WebSocket and return the status of the answer."""
    try:
        ws = await peer.http.ws_connect(peer.server.make_url(path), headers={"Origin": origin})
    except aiohttp.WSServerHandshakeError as error:
        return error.status
    await ws.close()
    return 101


async def test_there_are_forty_of_them_at_least() -> None:
    assert len(set(FOREIGN)) >= 40


async def test_pages_of_other_sites(app: TestApp, peer: Peer) -> None:
    sid = await peer.open(SOCKET)
    await peer.push(sid, "40{}", SOCKET)  # its answer waits, and nobody else may fetch it
    for origin in origins(app):
        headers = {"Origin": origin}
        session = {"EIO": "4", "transport": "polling"}
        opened = await peer.request("GET", SOCKET, headers=headers, **session)
        polled = await peer.request("GET", SOCKET, headers=headers, sid=sid, **session)
        pushed = await peer.request("POST", SOCKET, headers=headers, body="1", sid=sid, **session)
        statuses = [opened.status, polled.status, pushed.status]
        statuses += [
            await dial(peer, path, origin) for path in (websocket(), websocket(sid), "/ws")
        ]
        assert statuses == [403] * 6, origin
        for reply in (opened, polled, pushed):
            assert "Access-Control-Allow-Origin" not in reply.headers, origin
            assert "sid" not in reply.text, origin
    assert (await peer.poll(sid, SOCKET)).text.startswith("44{")


async def test_our_own_pages_and_those_of_named_sites(app: TestApp, peer: Peer) -> None:
    for origin in (app.url, app.url.replace("http:", "ws:"), f"{ALLOWED}:443", ALLOWED):
        assert [await dial(peer, path, origin) for path in (websocket(), "/ws")] == [101, 101]
        sid = await peer.open(SOCKET)
        assert await dial(peer, websocket(sid), origin) == 101
        query = {"EIO": "4", "transport": "polling"}
        opened = await peer.request("GET", SOCKET, headers={"Origin": origin}, **query)
        assert opened.status == 200
    assert opened.headers["Access-Control-Allow-Origin"] == ALLOWED
