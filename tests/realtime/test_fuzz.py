"""Whatever peers send, the server stays alive and calls nothing of it its own error."""

import asyncio
import json
import time
from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.realtime.conftest import Serve
from tests.realtime.peers import ENGINE, SOCKET, Peer
from tests.realtime.practice_app import create_app as practice_app
from wellio.testing import DEADLINE_S

FUZZ = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SEARCH_S = 4 * DEADLINE_S
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=8)  # lone surrogates too
    | st.just({"_placeholder": True, "num": 0})
    | st.just({"_placeholder": True, "num": 10**20}),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


def text(value: Any) -> str:
    """JSON as JavaScript writes it, and some that it never would (NaN)."""

    return json.dumps(value)


PACKETS = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["4", "40", "41", "42", "43", "451-", "452-", "461-", "2", "3", "b", ""]),
        st.sampled_from(["", "/", "/,", "/custom,", "/random,", "/a,b,"]),
        st.sampled_from(["", "0", "12", "999999999999999", "9" * 40, "²"]),
        JSON.map(text)
        | st.builds(lambda args: text(["message-with-ack", *args]), st.lists(JSON, max_size=3))
        | st.text(max_size=20),
    ),
)
FRAMES = st.lists(PACKETS | st.text(max_size=10) | st.binary(max_size=10), min_size=1, max_size=8)
PLAIN = st.lists(
    JSON.map(text)
    | st.builds(
        lambda event, data, number: text({"event": event, "data": data, "id": number}),
        st.sampled_from(["auth", "ack", "send_message", "refuse", "nothing"]),
        JSON,
        JSON,
    )
    | st.binary(max_size=10)
    | st.text(max_size=20),
    max_size=8,
)


async def search(
    strategy: st.SearchStrategy[Any], attack: Callable[[Any], Coroutine[Any, Any, None]]
) -> None:
    """Try what hypothesis draws, in a thread: it calls from inside the test's running loop.

    The thread is waited for whatever happens, so the search as a whole has a limit.
    """
    until = time.monotonic() + SEARCH_S

    async def limited(drawn: Any) -> None:
        async with asyncio.timeout(max(until - time.monotonic(), 0)):
            await attack(drawn)

    @FUZZ
    @given(strategy)
    def example(drawn: Any) -> None:
        asyncio.run(limited(drawn))

    await asyncio.to_thread(example)


async def send_all(url: str, frames: list[str | bytes], first: list[str]) -> None:
    async with aiohttp.ClientSession() as http, http.ws_connect(url) as ws:
        try:
            for frame in [*first, *frames]:
                data = frame.encode("utf-8", "surrogatepass") if isinstance(frame, str) else frame
                kind = (
                    aiohttp.WSMsgType.TEXT if isinstance(frame, str) else aiohttp.WSMsgType.BINARY
                )
                await ws.send_frame(data, kind)
        except (ConnectionError, aiohttp.ClientError):
            return  # it was closed for the frames before


async def fuzz(peer: Peer, path: str, frames: st.SearchStrategy[Any], first: list[str]) -> None:
    url = str(peer.server.make_url(path))

    async def attack(drawn: list[str | bytes]) -> None:
        await send_all(url, drawn, first)

    await search(frames, attack)


async def test_engineio_frames(peer: Peer) -> None:
    await fuzz(peer, f"{ENGINE}?EIO=4&transport=websocket", FRAMES, [])
    assert await peer.open()


async def test_socketio_frames(peer: Peer) -> None:
    await fuzz(peer, f"{SOCKET}?EIO=4&transport=websocket", FRAMES, ["40"])
    await peer.socketio()


async def test_chat_frames(serve: Serve) -> None:
    peer = await serve(practice_app())
    await fuzz(peer, f"{SOCKET}?EIO=4&transport=websocket", FRAMES, ['40{"token":"alice"}'])
    assert await peer.open(SOCKET)


async def test_plain_frames(serve: Serve) -> None:
    peer = await serve(practice_app())
    await fuzz(peer, "/ws", PLAIN, ['{"event":"auth","data":{"token":"alice"}}'])
    await fuzz(peer, "/ws", PLAIN, [])


async def test_polling_bodies(peer: Peer) -> None:
    url = str(peer.server.make_url(SOCKET))

    async def push(bodies: list[bytes]) -> None:
        async with aiohttp.ClientSession() as http:
            query = {"EIO": "4", "transport": "polling"}
            async with http.get(url, params=query) as response:
                query["sid"] = (await response.json(content_type=None, loads=_opened))["sid"]
            for body in (b"40", *bodies):
                async with http.post(url, params=query, data=body) as response:
                    assert response.status in (200, 400)

    def joined(packets: list[str | bytes]) -> bytes:
        parts = (p.encode("utf-8", "surrogatepass") if isinstance(p, str) else p for p in packets)
        return b"\x1e".join(parts)

    await search(st.lists(FRAMES.map(joined) | st.binary(max_size=20), max_size=3), push)
    assert await peer.open(SOCKET)


def _opened(body: str) -> Any:

    return json.loads(body[1:])
