"""A connection whose every byte is seen.

The server cuts off whoever sends what it does not read, and the kernel then reports a reset.
asyncio's streams raise that instead of returning the answer which came before; a socket does not.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

_CHUNK = 65_536


@dataclass(frozen=True)
class Wire:
    """A connection to a server on this machine.

    Attributes:
        reader: What comes; a reset is an end like any other.
    """

    reader: asyncio.StreamReader
    _socket: socket.socket

    async def send(self, data: bytes) -> None:
        """Send bytes, or as many as are taken before the server hangs up."""
        with suppress(ConnectionError):
            await asyncio.get_running_loop().sock_sendall(self._socket, data)


@asynccontextmanager
async def wire(port: int) -> AsyncIterator[Wire]:
    """Connect to a port, until the block ends."""
    with socket.socket() as connection:
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
        reader = asyncio.StreamReader()
        receiving = asyncio.create_task(_receive(connection, reader))
        try:
            yield Wire(reader, connection)
        finally:
            receiving.cancel()
            await asyncio.wait((receiving,))


async def _receive(connection: socket.socket, reader: asyncio.StreamReader) -> None:
    loop = asyncio.get_running_loop()
    try:
        with suppress(ConnectionError):
            while chunk := await loop.sock_recv(connection, _CHUNK):
                reader.feed_data(chunk)
    finally:  # cancelled, it has ended for whoever still reads
        reader.feed_eof()
