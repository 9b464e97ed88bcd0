"""Bytes to a server and back, with nothing in between that would mend them."""

import asyncio
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

PATIENCE_S: Final = 20.0
#: What gives away that an answer was not written on purpose.
TRACES: Final = re.compile(rb'Traceback|File "|line \d+, in |site-packages|\bat 0x[0-9a-f]+')
_ANSWER = re.compile(rb"(?=HTTP/1\.[01] \d{3} )")


@dataclass(frozen=True, slots=True)
class Exchange:
    """What came back to some bytes.

    Attributes:
        answers: Each answer, head and body as they came; none when the connection was cut.
        seconds: Until the server closed the connection; infinite when it did not.
    """

    answers: tuple[bytes, ...]
    seconds: float

    @property
    def statuses(self) -> tuple[int, ...]:
        """Return the answers' statuses."""
        return tuple(int(answer[9:12]) for answer in self.answers)


async def exchange(port: int, data: bytes, *more: bytes, pause_s: float = 0.0) -> Exchange:
    """Send bytes on a connection of their own, and read until the server closes it.

    Args:
        port: Where it listens, on 127.0.0.1.
        data: The bytes.
        more: Further ones, each after a pause.
        pause_s: How long.
    """
    started = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    received = bytearray()
    seconds = float("inf")
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                # A reset is an end too; what came before it is an answer all the same.
                with suppress(ConnectionError):
                    sending = asyncio.create_task(_send(writer, (data, *more), pause_s))
                    while chunk := await reader.read(65_536):
                        received += chunk
                seconds = time.monotonic() - started
    finally:
        sending.cancel()
        writer.transport.abort()
    return Exchange(tuple(_ANSWER.split(bytes(received))[1:]), seconds)


async def _send(writer: asyncio.StreamWriter, parts: tuple[bytes, ...], pause_s: float) -> None:
    with suppress(ConnectionError):
        for number, part in enumerate(parts):
            if number:
                await asyncio.sleep(pause_s)
            writer.write(part)
            await writer.drain()


def request(
    method: str, target: bytes, *headers: bytes, body: bytes = b"", length: int | None = None
) -> bytes:
    """Write a request that is the connection's last, with whatever stands in its parts."""
    size = len(body) if length is None else length
    lines = [
        b"%b %b HTTP/1.1" % (method.encode(), target),
        b"Host: target.example",
        b"Connection: close",
        *headers,
    ]
    if body or length is not None:
        lines.append(b"Content-Length: %d" % size)
    return b"\r\n".join(lines) + b"\r\n\r\n" + body
