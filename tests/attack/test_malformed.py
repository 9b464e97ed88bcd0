"""A1, second half: malformed requests to a real server, on both engines.

None is answered with a 5xx, none hangs, none leaves a traceback in its answer or in the log, and
the server is as large afterwards as before, and still serves everybody.
"""

import asyncio
from collections import Counter
from itertools import islice

import pytest

from tests.attack.malformed import Malformed, Malformer
from tests.attack.target import Target, post
from tests.attack.wire import TRACES, Exchange, exchange

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT_ONCE = 40
HANG_S = 5.0
GROWTH_MB = 100
LOG_BYTES = 1024  # for each request, on average


@pytest.mark.sqlite("what is malformed gets to no database; `make prove` has both")
async def test_a_few_malformed_requests(server: Target, seed: int) -> None:
    await attack(server, seed, 300)


@pytest.mark.prove
@pytest.mark.timeout(1500)
async def test_ten_thousand_malformed_requests(server: Target, seed: int) -> None:
    await attack(server, seed, 10_000)


async def attack(server: Target, seed: int, count: int) -> None:
    """Send so many, and hold the server against the figures."""
    malformer = await prepared(server, seed)
    for one in islice(malformer, 50):  # what every process loads with its first requests
        await exchange(server.port, one.data)
    size_mb, log_bytes = server.rss_mb(), server.log.stat().st_size
    turn, found, kinds, statuses = asyncio.Semaphore(AT_ONCE), [], Counter[str](), Counter[str]()

    async def send(one: Malformed) -> None:
        async with turn:
            got = await exchange(server.port, one.data)
        kinds[one.kind] += 1
        statuses.update([f"{status // 100}xx" for status in got.statuses] or ["cut"])
        if fault := wrong(got):
            found.append(f"{fault}: {one.kind}: {one.data[:500]!r} -> {got.answers!r:.500}")

    await asyncio.gather(*map(send, islice(malformer, count)))
    growth_mb, log = server.rss_mb() - size_mb, server.logged(log_bytes)
    print(
        f"\nA1 {count} malformed, {len(kinds)} kinds: {dict(statuses)},"
        f" growth {growth_mb:.1f} MB, log {len(log) / count:.0f} B/request"
    )
    assert not found, "\n".join(found[:20])
    assert not TRACES.search(log.encode()), log[:2000]
    assert growth_mb <= GROWTH_MB
    assert len(log) <= LOG_BYTES * count
    assert await server.answers()


def wrong(got: Exchange) -> str | None:
    """Say what is wrong with what came back to a malformed request, if something is."""
    if got.seconds > HANG_S:
        return f"hangs for {got.seconds} s"
    if any(status >= 500 for status in got.statuses):
        return "a server error"
    if any(TRACES.search(answer) for answer in got.answers):
        return "a trace in the answer"
    return None


async def prepared(server: Target, seed: int) -> Malformer:
    """Make things for the requests to be about, and sessions that they may end."""
    owner, client = server.people["owner"], server.people["client"]
    tag = await post(server.url, "/tags", {"name": f"tag of {seed} {server.pid}"}, owner)
    record = await post(server.url, "/clients", {"name": "Nia"}, owner)
    direct = {"kind": "direct", "memberIds": [client.id]}
    conversation = await post(server.url, "/conversations", direct, owner)
    path = f"/conversations/{conversation['id']}/messages"
    message = await post(server.url, path, {"content": "Hello"}, owner)
    # No account: a request that is less malformed than it seems would disable it.
    things = [tag["id"], record["id"], conversation["id"], message["id"]]
    # Several, for a request now and then logs its sender out.
    tokens = [(await server.sign_in(it)).token for it in server.people.values() for _ in range(5)]
    return Malformer(await server.openapi(), tokens, things, seed)


@pytest.mark.parametrize(
    "got",
    [
        Exchange((), float("inf")),
        Exchange((b"HTTP/1.1 503 Service Unavailable\r\n\r\n",), 0.1),
        Exchange((b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 500 Oh\r\n\r\n"), 0.1),
        Exchange((b'HTTP/1.1 400 Bad\r\n\r\nTraceback (most recent call last):\n  File "a"',), 0.1),
    ],
)
async def test_what_is_wrong_is_found(got: Exchange) -> None:
    assert wrong(got)
    assert not wrong(Exchange((b"HTTP/1.1 400 Bad Request\r\n\r\n",), 0.1))
