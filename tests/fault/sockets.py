"""Sockets as a client has them, in raw frames, so that no library hides a loss or a reordering."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from itertools import count
from typing import Any, ClassVar, Final, Literal, NamedTuple, Self

import aiohttp
import orjson

TIMEOUT_S: Final = 20.0


class Lost(ConnectionError):
    """The connection broke: whatever was under way may have happened or not."""


class Received(NamedTuple):
    """A frame that matters: an acknowledgement by its number, or an event by its name."""

    kind: Literal["ack", "event"]
    name: Any
    data: Any


OnEvent = Callable[[str, Any], None]


class Socket(ABC):
    """A connection; events come to a function, in the order of the frames."""

    path: ClassVar[str]

    def __init__(self, ws: aiohttp.ClientWebSocketResponse, on_event: OnEvent) -> None:
        self._ws = ws
        self._on_event = on_event
        self._numbers = count(1)
        self._calls: dict[int, asyncio.Future[Any]] = {}
        self.reading: asyncio.Task[None]
        """Ends with the connection."""

    @classmethod
    async def open(
        cls, http: aiohttp.ClientSession, url: str, token: str, on_event: OnEvent
    ) -> Self:
        """Connect and sign in.

        Raises:
            Lost: The server went away meanwhile.
            aiohttp.ClientError: It is not there.
        """
        async with asyncio.timeout(TIMEOUT_S):
            socket = cls(await http.ws_connect(url + cls.path), on_event)
            await socket._sign_in(token)
        socket.reading = asyncio.create_task(socket._read())
        return socket

    async def call(self, event: str, data: Any) -> dict[str, Any]:
        """Send an event and return its acknowledgement.

        Raises:
            Lost: The connection broke first.
            TimeoutError: Nothing came.
        """
        number = next(self._numbers)
        answer = self._calls[number] = asyncio.get_running_loop().create_future()
        try:
            if self.reading.done():
                raise Lost
            await self._ws.send_str(self._encode(number, event, data))
            async with asyncio.timeout(TIMEOUT_S):
                ack: dict[str, Any] = await answer
            return ack
        finally:
            del self._calls[number]

    async def close(self) -> None:
        """Hang up."""
        await self._ws.close()
        await asyncio.wait((self.reading,), timeout=TIMEOUT_S)

    async def _read(self) -> None:
        try:
            while (text := await self._next()) is not None:
                received = self._decode(text)
                if received is None:
                    continue
                if received.kind == "event":
                    self._on_event(received.name, received.data)
                elif (call := self._calls.get(received.name)) and not call.done():
                    call.set_result(received.data)
        finally:
            for call in self._calls.values():
                if not call.done():
                    call.set_exception(Lost())

    async def _next(self) -> str | None:
        """Return the next text, or None when the connection is over."""
        message = await self._ws.receive()
        return message.data if message.type is aiohttp.WSMsgType.TEXT else None

    async def _expect(self) -> str:
        text = await self._next()
        if text is None:
            raise Lost
        return text

    @abstractmethod
    async def _sign_in(self, token: str) -> None:
        """Exchange the first frames."""

    @abstractmethod
    def _encode(self, number: int, event: str, data: Any) -> str:
        """Return the frame of an event that wants an acknowledgement."""

    @abstractmethod
    def _decode(self, text: str) -> Received | None:
        """Read a frame; None for what only keeps the connection alive."""


class PlainSocket(Socket):
    """`/ws`."""

    path = "/ws"

    async def _sign_in(self, token: str) -> None:
        await self._ws.send_str(self._encode(0, "auth", {"token": token}))
        answer = orjson.loads(await self._expect())
        assert answer["data"]["ok"], answer

    def _encode(self, number: int, event: str, data: Any) -> str:
        return orjson.dumps({"event": event, "data": data, "id": number}).decode()

    def _decode(self, text: str) -> Received | None:
        frame = orjson.loads(text)
        if frame["event"] == "ack":
            return Received("ack", frame["id"], frame["data"])
        return Received("event", frame["event"], frame["data"])


class SocketIo(Socket):
    """Socket.IO v5 over Engine.IO v4 on a WebSocket."""

    path = "/socket.io/?EIO=4&transport=websocket"

    async def _sign_in(self, token: str) -> None:
        opened = await self._expect()
        assert opened.startswith("0{"), opened
        await self._ws.send_str("40" + orjson.dumps({"token": token}).decode())
        answer = await self._expect()
        assert answer.startswith("40{"), answer

    def _encode(self, number: int, event: str, data: Any) -> str:
        return f"42{number}{orjson.dumps([event, data]).decode()}"

    def _decode(self, text: str) -> Received | None:
        kind, body = text[:2], text[2:]
        if kind == "43":
            number, bracket, rest = body.partition("[")
            return Received("ack", int(number), orjson.loads(bracket + rest)[0])
        if kind == "42":
            name, data = orjson.loads(body)
            return Received("event", name, data)
        if text == "2":
            self._pong = asyncio.ensure_future(self._ws.send_str("3"))
        return None
