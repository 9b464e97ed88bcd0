"""A pooler such as PgBouncer with pool_mode = transaction: each one gets another connection."""

import asyncio
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final, Literal
from urllib.parse import parse_qs, urlsplit

_SSL_REQUEST: Final = 80877103
_VERSION: Final = 196608  # 3.0
#: What a pooler knows of; others it refuses, leaves out, or hands on.
_KNOWN: Final = {"user", "database", "client_encoding", "application_name"}
Others = Literal["refuse", "ignore", "pass"]
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Pooler:
    """Stands between clients and a server on a Unix socket, which trusts everybody."""

    def __init__(self, url: str, others: Others) -> None:
        parts = urlsplit(url)
        self._socket = f"{parse_qs(parts.query)['host'][0]}/.s.PGSQL.{parts.port or 5432}"
        self._user, self._database = parts.username or "", parts.path.lstrip("/")
        self._others = others
        self._idle: list[Stream] = []
        self._opened: list[Stream] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Listen until the block ends; yields the URL."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server:
            yield f"postgresql://{self._user}@127.0.0.1:{port}/{self._database}"
            server.close()
            for _, writer in self._opened:
                writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            settings = await _startup(reader, writer)
            odd = sorted(settings.keys() - _KNOWN)
            if odd and self._others == "refuse":
                said = f"SFATAL\0C08P01\0Munsupported startup parameter: {odd[0]}\0\0"
                writer.write(_message(b"E", said.encode()))
                await writer.drain()
            else:
                passed = {it: settings[it] for it in odd} if self._others == "pass" else {}
                await self._mix(reader, writer, passed)
        writer.close()

    async def _mix(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, passed: Mapping[str, str]
    ) -> None:
        """Greet a client, and give each of its transactions the server that was last idle."""
        writer.write(_message(b"R", struct.pack("!i", 0)))
        for status in ("server_version\x0016.0\0", "client_encoding\0UTF8\0"):
            writer.write(_message(b"S", status.encode()))
        writer.write(_message(b"K", struct.pack("!ii", 1, 1)) + _message(b"Z", b"I"))
        answering: asyncio.Task[None] | None = None
        while True:
            kind, body = await _read(reader)
            if kind == b"X":
                return
            if answering is None or answering.done():
                server = self._idle.pop() if self._idle else await self._connect(passed)
                answering = asyncio.create_task(self._answer(server, writer))
            server[1].write(_message(kind, body))

    async def _answer(self, server: Stream, writer: asyncio.StreamWriter) -> None:
        while True:
            kind, body = await _read(server[0])
            if kind == b"Z" and body == b"I":
                self._idle.append(server)
            writer.write(_message(kind, body))
            if kind == b"Z" and body == b"I":
                return

    async def _connect(self, passed: Mapping[str, str]) -> Stream:
        server = await asyncio.open_unix_connection(self._socket)
        self._opened.append(server)
        settings = {"user": self._user, "database": self._database, **passed}
        pairs = "".join(f"{name}\0{value}\0" for name, value in settings.items()) + "\0"
        body = struct.pack("!i", _VERSION) + pairs.encode()
        server[1].write(struct.pack("!i", len(body) + 4) + body)
        while (await _read(server[0]))[0] != b"Z":
            pass
        return server


async def _startup(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Mapping[str, str]:
    while True:
        length, version = struct.unpack("!ii", await reader.readexactly(8))
        body = await reader.readexactly(length - 8)
        if version != _SSL_REQUEST:
            words = body.decode().split("\0")
            return dict(zip(words[:-2:2], words[1:-2:2], strict=False))
        writer.write(b"N")


async def _read(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    kind, length = struct.unpack("!ci", await reader.readexactly(5))
    return kind, await reader.readexactly(length - 4)


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body
