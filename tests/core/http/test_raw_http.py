"""Bytes that no honest client sends: refused or cut, in our form, and never read in two ways."""

import asyncio
import re
import socket
import time
from contextlib import suppress

import pytest
from aiohttp import web

from tests.core.http.small_app import SmallApp, logged, running
from tests.core.http.test_bodies import EchoApi
from tests.core.http.wire import wire
from wellio.http import GatewayRules
from wellio.testing import DEADLINE_S

BODY = b'{"free":1}'
GET = b"GET /echo HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
CHUNKS = b"a\r\n" + BODY + b"\r\n0\r\n\r\n"
# What a smuggler hides behind a request; whoever answers it has read the bytes in two ways.
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"

REFUSED = {
    "length and chunks": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 10\r\nContent-Length: 3\r\n\r\n" + BODY,
    "a length twice": POST + b"Content-Length: 10\r\nContent-Length: 10\r\n\r\n" + BODY,
    "a list of lengths": POST + b"Content-Length: 10, 10\r\n\r\n" + BODY,
    "+length": POST + b"Content-Length: +10\r\n\r\n" + BODY,
    "-length": POST + b"Content-Length: -10\r\n\r\n" + BODY,
    "hexadecimal length": POST + b"Content-Length: 0xa\r\n\r\n" + BODY,
    "length and space": POST + b"Content-Length : 10\r\n\r\n" + BODY,
    "no length": POST + b"Content-Length: \r\n\r\n" + BODY,
    "unknown coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunks are not last": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "identity": POST + b"Transfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "chunked twice": POST + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n" + CHUNKS,
    "a vertical tab": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n" + CHUNKS,
    "chunks of HTTP/1.0": CHUNKED.replace(b"/1.1", b"/1.0") + CHUNKS,
    "a negative chunk": CHUNKED + b"-1\r\n",
    "a huge chunk": CHUNKED + b"f" * 18 + b"\r\n",
    "a chunk of 0x": CHUNKED + b"0x" + CHUNKS,
    "a chunk with bare LF": CHUNKED + CHUNKS.replace(b"\r\n", b"\n"),
    "a chunk too long": CHUNKED + b"3\r\n" + BODY + b"\r\n0\r\n\r\n",
    "10,000 trailers": CHUNKED + b"a\r\n" + BODY + b"\r\n0\r\n" + b"A: b\r\n" * 10_000 + b"\r\n",
    "a length as a trailer": CHUNKED + b"a\r\n" + BODY + b"\r\n0\r\nContent-Length: 5\r\n\r\n",
    "bare LF": b"GET /echo HTTP/1.1\nHost: x\n\n",
    "a header with bare LF": b"GET /echo HTTP/1.1\r\nHost: x\nA: b\r\n\r\n",
    "a header with bare CR": b"GET /echo HTTP/1.1\r\nHost: x\rA: b\r\n\r\n",
    "NUL in a value": GET + b"A: a\x00b\r\n\r\n",
    "NUL in a name": GET + b"A\x00: b\r\n\r\n",
    "NUL in a path": b"GET /ec\x00ho HTTP/1.1\r\nHost: x\r\n\r\n",
    "two hosts": GET + b"Host: y\r\n\r\n",
    "no host": b"GET /echo HTTP/1.1\r\n\r\n",
    "a header of 9 KB": GET + b"A: " + b"a" * 9000 + b"\r\n\r\n",
    "a line of 9 KB": b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "100 headers": GET + b"".join(b"A%d: b\r\n" % n for n in range(100)) + b"\r\n",
    "10,000 headers": GET + b"".join(b"A%d: b\r\n" % n for n in range(10_000)) + b"\r\n",
    "a folded header": GET + b"A: b\r\n c\r\n\r\n",
    "a header without a colon": GET + b"junk\r\n\r\n",
    "a header without a name": GET + b": b\r\n\r\n",
    "a name with a space": GET + b"A B: c\r\n\r\n",
    "a name that is no ASCII": GET + "é: b\r\n\r\n".encode(),
    "HTTP/9.9": b"GET /echo HTTP/9.9\r\nHost: x\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/0.9": b"GET /echo\r\n\r\n",
    "a version in lower case": b"GET /echo http/1.1\r\nHost: x\r\n\r\n",
    "tabs": b"GET\t/echo\tHTTP/1.1\r\nHost: x\r\n\r\n",
    "a space first": b" " + GET + b"\r\n",
    "no slash": b"GET echo HTTP/1.1\r\nHost: x\r\n\r\n",
    "a broken address": b"GET http://[/echo HTTP/1.1\r\nHost: x\r\n\r\n",
    "an unknown method": b"FOO /echo HTTP/1.1\r\nHost: x\r\n\r\n",
    "a method in lower case": b"get /echo HTTP/1.1\r\nHost: x\r\n\r\n",
    "a long method": b"A" * 5000 + b" /echo HTTP/1.1\r\nHost: x\r\n\r\n",
}


async def talk(app: SmallApp, data: bytes) -> list[bytes]:
    """Send bytes and a last honest request; return the answers, up to the connection's end."""
    async with asyncio.timeout(DEADLINE_S), wire(app.port) as connection:
        await connection.send(data + b"GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        received = await connection.reader.read()
    return re.split(rb"(?=HTTP/1\.[01] \d{3} )", received)[1:]


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
async def test_what_is_malformed_is_refused_and_nothing_behind_it_is_read(data: bytes) -> None:
    with logged() as lines:
        async with running(EchoApi()) as app:
            answers = await talk(app, data + SMUGGLED)
    assert (
        len(answers) <= 1 or b"a host" in data or b" a b" in data or b"@" in data or b"a/b" in data
    )
    assert answers
    assert answers[0][9:12] == b"400"
    assert b"Content-Type: application/problem+json" in answers[0]
    assert not lines.all()


@pytest.mark.parametrize(
    "data, statuses",
    [
        (GET + b"\r\n", [200, 200]),
        (b"\r\n" + GET + b"\r\n", [200, 200]),
        (GET + b"Content-Length: 5\r\n\r\nhello", [200, 200]),
        (POST + b"Content-Length: 10\r\n\r\n" + BODY, [200, 200]),
        (POST + b"Content-Length: 10\r\nExpect: 100-continue\r\n\r\n" + BODY, [200, 200]),
        (POST + b"Content-Length: 10\r\nExpect: a miracle\r\n\r\n" + BODY, [200, 200]),
        (b"PUT /echo HTTP/1.1\r\nHost: x\r\nExpect: a miracle\r\n\r\n", [405, 200]),
        (b"PUT /nowhere HTTP/1.1\r\nHost: x\r\nExpect: \xff\r\n\r\n", [404, 200]),
        (CHUNKED + CHUNKS, [200, 200]),
        (CHUNKED + b"a;" + b"e" * 20_000 + CHUNKS[1:], [200, 200]),
        (b"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", [404, 200]),
        (b"GET /echo?cursor=%zz HTTP/1.1\r\nHost: x\r\n\r\n", [200, 200]),
        (b"GET /echo%00 HTTP/1.1\r\nHost: x\r\n\r\n", [404, 200]),
        (b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", [404, 200]),
        (b"GET http://evil.example/echo HTTP/1.1\r\nHost: x\r\n\r\n", [200, 200]),
        (b"GET http://xn--/echo HTTP/1.1\r\nHost: x\r\n\r\n", [200, 200]),
        (b"CONNECT xn--:80 HTTP/1.1\r\nHost: x\r\n\r\n", [404, 200]),
        (b"TRACE /echo HTTP/1.1\r\nHost: x\r\n\r\n", [405, 200]),
        (b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", [404, 200]),
        (POST + b"Content-Type: text/plain\r\nContent-Length: 10\r\n\r\n" + BODY, [400]),
        (POST + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nJUNK", [415, 200]),
        (POST + b"Transfer-Encoding: CHUNKED\r\n\r\n" + CHUNKS, [200, 200]),
        (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + CHUNKS, [400]),
        (POST + b"Transfer-Encoding: ,chunked\r\n\r\n" + CHUNKS, [400]),
        (POST + b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS, [400]),
        (GET.replace(b"x\r", b"a b\r") + b"\r\n", [400, 200]),
        (GET.replace(b"x\r", b"a@b\r") + b"\r\n", [400, 200]),
        (GET.replace(b"x\r", b"a/b\r") + b"\r\n", [400, 200]),
        (GET.replace(b"x\r", b"[::1]:80\r") + b"\r\n", [200, 200]),
        (POST + b"Content_Length: 10\r\n\r\n", [400, 200]),
        # What stands behind an upgrade that is declined was for another protocol.
        (GET + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", [200]),
        (GET + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n", [200]),
    ],
    ids=range(32),
)
async def test_what_is_odd_is_one_request_and_the_next_is_the_next(
    data: bytes, statuses: list[int]
) -> None:
    with logged() as lines:
        async with running(EchoApi()) as app:
            answers = await talk(app, data)
    assert [int(answer[9:12]) for answer in answers] == statuses
    assert not lines.all()


async def test_a_body_that_breaks_off_after_its_answer_is_cut_without_a_word() -> None:
    head = b"POST /lost HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with logged() as lines:
        async with running(EchoApi()) as app, wire(app.port) as connection:
            await connection.send(head)
            async with asyncio.timeout(DEADLINE_S):
                answer = await connection.reader.readuntil(b"\r\n")
                assert answer.startswith(b"HTTP/1.1 404 ")
                await connection.send(b"no\r\n\r\n" + SMUGGLED)
                assert b"HTTP/1.1" not in await connection.reader.read()
    assert not lines.all()


# -- slow ones -----------------------------------------------------------------------------------

HASTY_S = 0.3
STALLS = 5  # in a row are no accident
CUT_S = 6  # less than the default times, 10 s for a head and 15 s for a body


async def drip(app: SmallApp, start: bytes, drop: bytes) -> tuple[bytes, float]:
    """Send a start and then drop by drop; return what came back, and how long it took."""
    started = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", app.port)
    writer.write(start)
    answer = bytearray()

    async def read() -> None:
        with suppress(ConnectionResetError):  # what came before is an answer all the same
            while chunk := await reader.read(4096):
                answer.extend(chunk)

    reading = asyncio.create_task(read())
    try:
        async with asyncio.timeout(DEADLINE_S):
            while not (await asyncio.wait((reading,), timeout=0.02))[0]:
                writer.write(drop)
    finally:
        writer.close()
    return bytes(answer), time.monotonic() - started


async def test_a_head_that_drips_is_cut() -> None:
    async with running(EchoApi(), server={"head_timeout_s": HASTY_S}) as app:
        async with asyncio.timeout(CUT_S):
            answer, _ = await drip(app, GET, b"A: b\r\n")
    assert answer == b""


async def test_a_head_that_grows_beyond_measure_is_cut_at_once() -> None:
    line = b"A: " + b"a" * 4000 + b"\r\n"
    async with running(EchoApi()) as app:
        answer, seconds = await drip(app, GET, line)
    assert answer == b""
    assert seconds < 9  # 9 lines, one in 0.02 s, where the rest of the head had 10 s


async def test_every_request_of_a_connection_may_have_a_large_head() -> None:
    line = b"A: " + b"a" * 4000 + b"\r\n"
    async with running(EchoApi()) as app:
        reader, writer = await asyncio.open_connection("127.0.0.1", app.port)
        for _ in range(3):
            writer.write(GET + line * 4)
            await asyncio.sleep(0.05)  # a segment of its own
            writer.write(line + b"\r\n")
            answer = await asyncio.wait_for(reader.readuntil(b"}"), DEADLINE_S)
            assert answer.startswith(b"HTTP/1.1 200 ")
        writer.close()


async def test_an_answer_that_lies_unread_is_cut() -> None:
    ended = asyncio.Event()

    async def much(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            for _ in range(20):
                await response.write(b"a" * 2**20)
        finally:
            ended.set()
        return response

    server = {"unread_timeout_s": 1.5}
    async with running(EchoApi(), routes=[web.get("/much", much)], server=server) as app:
        # Slow all in all, but never for so long. Only a machine that stalls makes it that.
        for _ in range(STALLS):
            answer = await read_slowly(app, b"/much", 2**20, 0.1)
            await asyncio.wait_for(ended.wait(), DEADLINE_S)
            ended.clear()
            if len(answer) > 20 * 2**20:
                break
        else:
            pytest.fail("it was cut each time")
        reading = asyncio.create_task(read_slowly(app, b"/much", 1, 60))
        async with asyncio.timeout(DEADLINE_S):
            await ended.wait()
        reading.cancel()


async def read_slowly(app: SmallApp, path: bytes, size: int, pause_s: float) -> bytes:
    """Read an answer by pieces into a small buffer."""
    answer, loop = bytearray(), asyncio.get_running_loop()
    with socket.socket() as lazy:
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)
        lazy.setblocking(False)
        await loop.sock_connect(lazy, ("127.0.0.1", app.port))
        head = b"GET %b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path
        await loop.sock_sendall(lazy, head)
        wanted = size
        while piece := await loop.sock_recv(lazy, wanted):
            answer += piece
            wanted -= len(piece)
            if not wanted:
                wanted = size
                await asyncio.sleep(pause_s)
    return bytes(answer)


@pytest.mark.parametrize("start", [POST + b"Content-Length: 1000\r\n\r\n", CHUNKED])
async def test_a_body_that_drips_is_refused_and_cut(start: bytes) -> None:
    drop = b"1\r\n \r\n" if start is CHUNKED else b" "
    async with running(EchoApi(), rules=GatewayRules(body_timeout_s=HASTY_S)) as app:
        async with asyncio.timeout(CUT_S):
            answer, _ = await drip(app, start, drop)
    assert b'"code":"body_timeout"' in answer
    assert answer.startswith(b"HTTP/1.1 400 ")


async def test_others_are_served_meanwhile() -> None:
    async with running(EchoApi(), rules=GatewayRules(body_timeout_s=HASTY_S)) as app:
        slow = [asyncio.create_task(drip(app, CHUNKED, b"1\r\n \r\n")) for _ in range(100)]
        slow += [asyncio.create_task(drip(app, GET, b"")) for _ in range(2)]
        honest = [(await app.request("GET", "/echo")).status for _ in range(50)]
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
    assert honest == [200] * 50
