"""Sockets for tests: plain `/ws` and Socket.IO, behind one face.

Whatever comes is held against the server's `/openapi.json`, as answers over HTTP are.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AsyncExitStack
from itertools import count
from typing import Any

import aiohttp
import orjson

from .client import HasToken
from .conformance import Conformance
from .deadline import DEADLINE_S


class Socket(ABC):
    """A connection that keeps what it receives until a test asks for it.

    Attributes:
        received: `(event, data)` of everything that no `receive` took yet, in order.
    """

    def __init__(self, description: Conformance | None) -> None:
        self.received: list[tuple[str, Any]] = []
        self.closed = asyncio.Event()
        self._arrived = asyncio.Condition()
        self._description = description
        self._faults: list[str] = []

    async def call(self, event: str, data: Any) -> dict[str, Any]:
        """Send an event and return its acknowledgement.

        Raises:
            AssertionError: This, or something that came before, is not as declared.
        """
        answer = await self._call(event, data)
        if self._description is not None:
            self._faults += self._description.ack(event, answer)
        self._check()
        return answer

    async def close(self) -> None:
        """Leave.

        Raises:
            AssertionError: Something that came is not as declared.
        """
        await self._leave()
        self._check()

    @abstractmethod
    async def _call(self, event: str, data: Any) -> dict[str, Any]: ...

    @abstractmethod
    async def _leave(self) -> None: ...

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
                        self._check()
                        return data
                await self._arrived.wait()

    def _check(self) -> None:
        faults, self._faults = self._faults, []
        assert not faults, "\n".join(faults)

    async def _take(self, event: str, data: Any) -> None:
        if self._description is not None:
            self._faults += self._description.event(event, data)
        async with self._arrived:
            self.received.append((event, data))
            self._arrived.notify_all()


class PlainSocket(Socket):
    """A connection to `/ws`; `connection` is aiohttp's own."""

    def __init__(
        self, connection: aiohttp.ClientWebSocketResponse, description: Conformance | None = None
    ) -> None:
        super().__init__(description)
        self.connection = connection
        self._acks: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._ids = count(1)
        self._reader = asyncio.create_task(self._read())

    async def _call(self, event: str, data: Any) -> dict[str, Any]:
        number = next(self._ids)
        self._acks[number] = asyncio.get_running_loop().create_future()
        frame = {"event": event, "data": data, "id": number}
        await self.connection.send_str(orjson.dumps(frame).decode())
        async with asyncio.timeout(DEADLINE_S):
            return await self._acks[number]

    async def authenticate(self, user: HasToken) -> None:
        """Say who one is, as the first frame has to.

        Raises:
            AssertionError: The server does not let them in.
        """
        answer = await self._call("auth", {"token": user.token})
        assert answer["ok"], answer

    async def _leave(self) -> None:
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

    def __init__(self, description: Conformance | None = None) -> None:
        super().__init__(description)
        import socketio  # only Socket.IO's tests need it

        self.client = socketio.AsyncClient(reconnection=False)
        self.client.on("*", self._take)
        self.client.on("disconnect", lambda *_: self.closed.set())

    async def _call(self, event: str, data: Any) -> dict[str, Any]:
        answer: dict[str, Any] = await self.client.call(event, data, timeout=DEADLINE_S)
        return answer

    async def _leave(self) -> None:
        async with asyncio.timeout(DEADLINE_S):
            await self.client.disconnect()


class Sockets:
    """Opens sockets to one server, and closes them all at the end."""

    def __init__(self) -> None:
        self._open = AsyncExitStack()
        self._descriptions: dict[str, Conformance] = {}

    async def plain(self, url: str, user: HasToken) -> PlainSocket:
        """Connect to `/ws` as somebody, and wait until the server has let them in."""
        description = await self._description(url)
        session = await self._open.enter_async_context(aiohttp.ClientSession())
        connection = await session.ws_connect(f"{url}/ws", max_msg_size=0)
        socket = PlainSocket(connection, description)
        self._open.push_async_callback(socket.close)
        await socket.authenticate(user)
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
        socket = IoSocket(await self._description(url))
        self._open.push_async_callback(socket.close)
        await socket.client.connect(
            url, auth={"token": user.token}, transports=transports, wait_timeout=DEADLINE_S
        )
        return socket

    async def close(self) -> None:
        """Close all that are open."""
        await self._open.aclose()

    async def _description(self, url: str) -> Conformance:
        """Return what a server says of itself; asked once, for it is long."""
        if url not in self._descriptions:
            async with (
                aiohttp.ClientSession(url) as session,
                session.get("/openapi.json") as answer,
            ):
                self._descriptions[url] = Conformance(orjson.loads(await answer.read()))
        return self._descriptions[url]
