"""Sockets for tests: plain `/ws` and Socket.IO, behind one face."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AsyncExitStack
from itertools import count
from typing import Any

import aiohttp
import orjson

from .client import HasToken
from .deadline import DEADLINE_S


class Socket(ABC):
    """A connection that keeps what it receives until a test asks for it.

    Attributes:
        received: `(event, data)` of everything that no `receive` took yet, in order.
    """

    def __init__(self) -> None:
        self.received: list[tuple[str, Any]] = []
        self.closed = asyncio.Event()
        self._arrived = asyncio.Condition()

    @abstractmethod
    async def call(self, event: str, data: Any) -> dict[str, Any]:
        """Send an event and return its acknowledgement."""

    @abstractmethod
    async def close(self) -> None:
        """Leave."""

    async def receive(self, event: str, **members: Any) -> Any:
        """Wait for an event and return its data; others stay in `received`.

        Args:
            event: The event's name.
            members: What its data must hold, such as `userId=...`.
        """
        async with asyncio.timeout(DEADLINE_S), self._arrived:
            while True:
                for index, (name, data) in enumerate(self.received):
                    if name == event and all(data.get(k) == v for k, v in members.items()):
                        del self.received[index]
                        return data
                await self._arrived.wait()

    async def _take(self, event: str, data: Any) -> None:
        async with self._arrived:
            self.received.append((event, data))
            self._arrived.notify_all()


class PlainSocket(Socket):
    """A connection to `/ws`; `connection` is aiohttp's own."""

    def __init__(self, connection: aiohttp.ClientWebSocketResponse) -> None:
        super().__init__()
        self.connection = connection
        self._acks: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._ids = count(1)
        self._reader = asyncio.create_task(self._read())

    async def call(self, event: str, data: Any) -> dict[str, Any]:
        """Send an event and return its acknowledgement."""
        number = next(self._ids)
        self._acks[number] = asyncio.get_running_loop().create_future()
        frame = {"event": event, "data": data, "id": number}
        await self.connection.send_str(orjson.dumps(frame).decode())
        async with asyncio.timeout(DEADLINE_S):
            return await self._acks[number]

    async def close(self) -> None:
        """Leave."""
        async with asyncio.timeout(DEADLINE_S):
            await self.connection.close()
            await self._reader

    async def _read(self) -> None:
        async for message in self.connection:
            frame = orjson.loads(message.data)
            if frame["event"] == "ack":
                self._acks[frame["id"]].set_result(frame["data"])
            else:
                await self._take(frame["event"], frame.get("data"))
        for waiting in self._acks.values():
            if not waiting.done():
                waiting.set_exception(ConnectionError(f"closed: {self.connection.close_code}"))
        self.closed.set()


class IoSocket(Socket):
    """A connection of python-socketio's client; `client` is its own."""

    def __init__(self) -> None:
        super().__init__()
        import socketio  # only Socket.IO's tests need it

        self.client = socketio.AsyncClient(reconnection=False)
        self.client.on("*", self._take)
        self.client.on("disconnect", lambda *_: self.closed.set())

    async def call(self, event: str, data: Any) -> dict[str, Any]:
        """Send an event and return its acknowledgement."""
        answer: dict[str, Any] = await self.client.call(event, data, timeout=DEADLINE_S)
        return answer

    async def close(self) -> None:
        """Leave."""
        async with asyncio.timeout(DEADLINE_S):
            await self.client.disconnect()


class Sockets:
    """Opens sockets to one server, and closes them all at the end."""

    def __init__(self) -> None:
        self._open = AsyncExitStack()

    async def plain(self, url: str, user: HasToken) -> PlainSocket:
        """Connect to `/ws` as somebody, and wait until the server has let them in."""
        session = await self._open.enter_async_context(aiohttp.ClientSession())
        connection = await session.ws_connect(f"{url}/ws", max_msg_size=0)
        socket = PlainSocket(connection)
        self._open.push_async_callback(socket.close)
        answer = await socket.call("auth", {"token": user.token})
        assert answer["ok"], answer
        return socket

    async def io(
        self, url: str, user: HasToken, *, transports: Sequence[str] | None = None
    ) -> IoSocket:
        """Connect by Socket.IO as somebody.

        Args:
            url: The server's address.
            user: Who connects.
            transports: `polling`, `websocket`; by default the first, upgraded to the second.
        """
        socket = IoSocket()
        self._open.push_async_callback(socket.close)
        await socket.client.connect(
            url, auth={"token": user.token}, transports=transports, wait_timeout=DEADLINE_S
        )
        return socket

    async def close(self) -> None:
        """Close all that are open."""
        await self._open.aclose()
