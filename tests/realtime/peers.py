"""Peers that speak to a server in raw requests and frames, so that nothing hides what it does."""

import asyncio
import json
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from multidict import CIMultiDict
from yarl import URL

from wellio.testing import DEADLINE_S

ENGINE = "/engine.io/"
SOCKET = "/socket.io/"
PLACEHOLDERS = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}'


class Reply:
    """An HTTP response that was read."""

    def __init__(self, status: int, text: str, headers: "CIMultiDict[str]") -> None:
        self.status = status
        self.text = text
        self.headers = headers


class WebSocket:
    """The peer's end of a WebSocket."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws

    async def send(self, *frames: str | bytes) -> None:
        for item in frames:
            if isinstance(item, str):
                await self.ws.send_str(item)
            else:
                await self.ws.send_bytes(item)

    async def receive(self) -> Any:
        """Return the next text or bytes; None when the server closed."""
        message = await self.ws.receive(timeout=DEADLINE_S)
        return message.data if message.type in (web.WSMsgType.TEXT, web.WSMsgType.BINARY) else None

    async def packet(self) -> Any:
        """Return the next one that is no ping, answering those."""
        while (data := await self.receive()) == "2":
            await self.send("3")
        return data

    async def closed(self) -> int | None:
        """Wait until the server closed, and return its code.

        It must close for what was sent, not because pings stay unanswered or a deadline passes.
        """
        pings = 0
        while (data := await self.receive()) is not None:
            if data == "2":
                pings += 1
                assert pings < 3, "still open"
                await self.send("3")
        return self.ws.close_code


class Address:
    """Where a server is that no test client started."""

    def __init__(self, url: str) -> None:
        self._url = URL(url)

    def make_url(self, path: str) -> URL:
        return self._url.join(URL(path))


class Peer:
    """A client of one server."""

    def __init__(self, server: TestServer | Address, http: aiohttp.ClientSession) -> None:
        self.server = server
        self.http = http

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | str | None = None,
        headers: dict[str, str] | None = None,
        **query: str,
    ) -> Reply:
        async with self.http.request(
            method, self.server.make_url(path), params=query, data=body, headers=headers
        ) as response:
            return Reply(response.status, await response.text(), response.headers.copy())

    async def open(self, path: str = ENGINE) -> str:
        """Open a polling session and return its id."""
        reply = await self.request("GET", path, EIO="4", transport="polling")
        assert reply.status == 200
        sid = json.loads(reply.text[1:])["sid"]
        assert isinstance(sid, str)
        return sid

    async def poll(self, sid: str, path: str = ENGINE) -> Reply:
        return await self.request("GET", path, EIO="4", transport="polling", sid=sid)

    async def push(self, sid: str, body: str | bytes, path: str = ENGINE) -> Reply:
        return await self.request("POST", path, EIO="4", transport="polling", sid=sid, body=body)

    async def dial(self, path: str = ENGINE, **query: str) -> WebSocket:
        """Connect a WebSocket; the open packet, if any, is not read."""
        return WebSocket(await self.http.ws_connect(self.server.make_url(path), params=query))

    async def websocket(self, path: str = ENGINE) -> WebSocket:
        """Open a session on a WebSocket."""
        ws = await self.dial(path, EIO="4", transport="websocket")
        assert (await ws.receive()).startswith("0")
        return ws

    async def probe(self, sid: str, path: str = ENGINE) -> WebSocket:
        """Begin the change of a polling session to WebSocket."""
        ws = await self.dial(path, EIO="4", transport="websocket", sid=sid)
        await ws.send("2probe")
        assert await ws.receive() == "3probe"
        return ws

    async def socketio(self, connect: str = "40") -> WebSocket:
        """Connect to a namespace of the reference server."""
        ws = await self.websocket(SOCKET)
        await ws.send(connect)
        assert (await ws.packet()).startswith(connect[:2])
        assert '["auth",' in await ws.packet()
        return ws

    async def pending_poll(self, sid: str, path: str = ENGINE) -> "asyncio.Task[Reply]":
        """Start a poll and return once the server holds it."""
        task = asyncio.create_task(self.poll(sid, path))
        before = _requests(self.server)
        async with asyncio.timeout(DEADLINE_S):
            while _requests(self.server) == before:  # noqa: ASYNC110 - a counter has no event
                await asyncio.sleep(0)
        return task


def _requests(server: TestServer | Address) -> int:
    assert isinstance(server, TestServer)
    assert server.handler is not None
    return server.handler.requests_count
