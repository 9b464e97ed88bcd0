"""Engine.IO v4 as its document and the public suite ask for it, against the reference server."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from tests.realtime.conftest import Serve
from tests.realtime.peers import ENGINE, SOCKET, Peer, WebSocket
from tests.realtime.reference_server import SETTINGS, create_app
from wellio.testing import DEADLINE_S

BOTH = pytest.mark.parametrize("path", [ENGINE, SOCKET])
# Pings as quick as the public suite's, with time to answer them on a busy machine.
LIVELY = replace(SETTINGS, ping_timeout_ms=60_000, connect_timeout_s=60.0)
HANDSHAKE = {
    "pingInterval": SETTINGS.ping_interval_ms,
    "pingTimeout": SETTINGS.ping_timeout_ms,
    "maxPayload": SETTINGS.max_payload,
}
REFUSED: list[tuple[str, dict[str, Any], int, str]] = [
    ("GET", {"transport": "polling"}, 5, "Unsupported protocol version"),
    ("GET", {"transport": "polling", "EIO": "abc"}, 5, "Unsupported protocol version"),
    ("GET", {"transport": "polling", "EIO": "3"}, 5, "Unsupported protocol version"),
    ("GET", {"EIO": "4"}, 0, "Transport unknown"),
    ("GET", {"EIO": "4", "transport": "abc"}, 0, "Transport unknown"),
    ("GET", {"EIO": "4", "transport": "constructor"}, 0, "Transport unknown"),
    ("POST", {"EIO": "4", "transport": "polling"}, 2, "Bad handshake method"),
    ("PUT", {"EIO": "4", "transport": "polling"}, 2, "Bad handshake method"),
    ("GET", {"EIO": "4", "transport": "polling", "sid": "none"}, 1, "Session ID unknown"),
    ("POST", {"EIO": "4", "transport": "polling", "sid": "none"}, 1, "Session ID unknown"),
    ("GET", {"EIO": "4", "transport": "websocket"}, 3, "Bad request"),
]


class TestHandshake:
    @BOTH
    async def test_polling(self, hasty_peer: Peer, path: str) -> None:
        reply = await hasty_peer.request("GET", path, EIO="4", transport="polling")
        value = json.loads(reply.text[1:])
        assert reply.status == 200
        assert reply.text[0] == "0"
        assert reply.headers["Content-Type"] == "text/plain; charset=UTF-8"
        assert reply.headers["Cache-Control"] == "no-store"
        assert value.pop("sid").startswith(f"{SETTINGS.node}-")
        assert value == {**HANDSHAKE, "upgrades": ["websocket"]}

    @BOTH
    async def test_websocket(self, hasty_peer: Peer, path: str) -> None:
        ws = await hasty_peer.dial(path, EIO="4", transport="websocket")
        text = await ws.receive()
        value = json.loads(text[1:])
        assert text[0] == "0"
        assert value.pop("sid").startswith(f"{SETTINGS.node}-")
        assert value == {**HANDSHAKE, "upgrades": []}

    @BOTH
    @pytest.mark.parametrize("case", REFUSED)
    async def test_refused(
        self, peer: Peer, path: str, case: tuple[str, dict[str, Any], int, str]
    ) -> None:
        method, query, code, message = case
        reply = await peer.request(method, path, **query)
        assert reply.status == 400
        assert json.loads(reply.text) == {"code": code, "message": message}

    @BOTH
    @pytest.mark.parametrize(
        "query",
        [
            {"transport": "websocket"},
            {"transport": "websocket", "EIO": "abc"},
            {"EIO": "4"},
            {"EIO": "4", "transport": "abc"},
            {"EIO": "4", "transport": "polling"},
            {"EIO": "4", "transport": "websocket", "sid": "none"},
        ],
    )
    async def test_websocket_refused(self, peer: Peer, path: str, query: dict[str, str]) -> None:
        with pytest.raises(aiohttp.WSServerHandshakeError) as error:
            await peer.dial(path, **query)
        assert error.value.status == 400

    async def test_any_origin(self, peer: Peer) -> None:
        origin = {"Origin": "https://somewhere.example"}
        reply = await peer.request("GET", ENGINE, headers=origin, EIO="4", transport="polling")
        assert reply.status == 200


class TestMessages:
    @pytest.mark.parametrize(
        "payload",
        ["4hello", "4test1\x1e4test2\x1e4test3", "4hello\x1ebAQIDBA==", "4", "4é€😀", "b"],
    )
    async def test_polling(self, peer: Peer, payload: str) -> None:
        sid = await peer.open()
        pushed = await peer.push(sid, payload)
        polled = await peer.poll(sid)
        assert (pushed.status, pushed.text) == (200, "ok")
        assert (polled.status, polled.text) == (200, payload)

    @pytest.mark.parametrize(
        "data", ["4hello", "4", "4é€😀", "4" + "x" * 999, "4" + "x" * 70_000, b"\1\2\3\4", b""]
    )
    async def test_websocket(self, peer: Peer, data: str | bytes) -> None:
        ws = await peer.websocket()
        await ws.send(data)
        assert await ws.packet() == data

    @pytest.mark.parametrize(
        "body", ["abc", "", "4ok\x1exx", "b*", "2", "0", "3probe", "1x", b"4\xff"]
    )
    async def test_invalid_packet_on_polling(self, peer: Peer, body: str | bytes) -> None:
        sid = await peer.open()
        assert (await peer.push(sid, body)).status == 400
        assert (await peer.poll(sid)).status == 400

    @pytest.mark.parametrize("data", ["abc", "", "2", "0", "bAQID"])
    async def test_invalid_packet_on_websocket(self, peer: Peer, data: str) -> None:
        ws = await peer.websocket()
        await ws.send(data)
        await ws.closed()

    async def test_late_upgrade_and_noop_are_ignored(self, peer: Peer) -> None:
        ws = await peer.websocket()
        await ws.send("5", "6", "4still here")
        assert await ws.packet() == "4still here"

    async def test_overlapping_polls_close(self, peer: Peer) -> None:
        sid = await peer.open()
        first = await peer.pending_poll(sid)
        assert (await peer.poll(sid)).status == 400
        reply = await first
        assert (reply.status, reply.text) == (200, "1")
        assert (await peer.poll(sid)).status == 400

    async def test_abandoned_poll_closes(self, peer: Peer) -> None:
        sid = await peer.open()
        poll = await peer.pending_poll(sid)
        poll.cancel()
        await asyncio.wait((poll,))
        assert (await peer.poll(sid)).status == 400

    async def test_overlapping_posts_close(self, peer: Peer) -> None:
        sid = await peer.open()
        url = peer.server.make_url(f"{ENGINE}?EIO=4&transport=polling&sid={sid}")
        reader, writer = await asyncio.open_connection(url.host, url.port)
        head = f"POST {url.path_qs} HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n4he"
        writer.write(head.encode())
        await writer.drain()
        statuses = {(await peer.push(sid, "4a")).status for _ in range(20)}
        assert 400 in statuses
        assert (await peer.poll(sid)).status == 400
        writer.write(b"llo")
        assert b" 400 " in await asyncio.wait_for(reader.readline(), DEADLINE_S)
        writer.close()

    async def test_body_over_the_limit(self, peer: Peer) -> None:
        sid = await peer.open()
        reply = await peer.push(sid, "4" + "x" * SETTINGS.max_payload)
        assert reply.status == 413
        assert (await peer.poll(sid)).status == 400

    async def test_largest_frame(self, peer: Peer) -> None:
        ws = await peer.websocket()
        data = "4" + "x" * (SETTINGS.max_payload - 1)
        await ws.send(data)
        assert await ws.packet() == data

    async def test_pings_of_the_websocket_are_answered(self, peer: Peer) -> None:
        url = peer.server.make_url(f"{ENGINE}?EIO=4&transport=websocket")
        ws = WebSocket(await peer.http.ws_connect(url, autoping=False))
        await ws.ws.ping(b"here")
        await ws.ws.pong(b"unasked")
        messages = [await ws.ws.receive() for _ in range(2)]
        assert messages[1][:2] == (aiohttp.WSMsgType.PONG, b"here")
        await ws.send("4hello")
        assert await ws.packet() == "4hello"

    async def test_frame_over_the_limit(self, peer: Peer) -> None:
        ws = await peer.websocket()
        await ws.send("4" + "x" * SETTINGS.max_payload)
        assert await ws.closed() == 1009

    async def test_largest_payload(self, peer: Peer) -> None:
        sid = await peer.open()
        body = "4" + "x" * (SETTINGS.max_payload - 1)
        assert (await peer.push(sid, body)).status == 200
        assert (await peer.poll(sid)).text == body

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
    async def test_other_methods(self, peer: Peer, method: str) -> None:
        sid = await peer.open()
        reply = await peer.request(method, ENGINE, EIO="4", transport="polling", sid=sid)
        assert reply.status == 400


class TestHeartbeat:
    @BOTH
    async def test_polling(self, serve: Serve, path: str) -> None:
        peer = await serve(create_app(LIVELY))
        sid = await peer.open(path)
        for _ in range(3):
            reply = await peer.poll(sid, path)
            assert (reply.status, reply.text) == (200, "2")
            assert (await peer.push(sid, "3", path)).status == 200

    @BOTH
    async def test_websocket(self, serve: Serve, path: str) -> None:
        ws = await (await serve(create_app(LIVELY))).websocket(path)
        for _ in range(3):
            assert await ws.receive() == "2"
            await ws.send("3")

    async def test_a_long_timeout_does_not_slow_it_down(self, serve: Serve) -> None:
        patient = replace(LIVELY, ping_interval_ms=20)
        ws = await (await serve(create_app(patient))).websocket()
        for _ in range(5):
            assert await ws.receive() == "2"
            await ws.send("3")

    @BOTH
    async def test_polling_timeout(self, hasty_peer: Peer, path: str) -> None:
        sid = await hasty_peer.open(path)
        silent_ms = SETTINGS.ping_interval_ms + SETTINGS.ping_timeout_ms
        await asyncio.sleep(silent_ms / 1000)  # the case itself: a peer that is silent so long
        # A machine that stalled has sent the ping late, and waits so much longer.
        texts = []
        while (reply := await hasty_peer.poll(sid, path)).status == 200:
            texts.append(reply.text)
        assert reply.status == 400
        assert "\x1e".join(texts) in {"", "2\x1e1"}  # in one answer, or in one each

    async def test_polling_timeout_ends_a_pending_poll(self, hasty_peer: Peer) -> None:
        sid = await hasty_peer.open()
        texts = []
        while (reply := await hasty_peer.poll(sid)).status == 200:
            texts.append(reply.text)
        assert reply.status == 400
        assert "\x1e".join(texts) == "2\x1e1"

    @BOTH
    async def test_websocket_timeout(self, hasty_peer: Peer, path: str) -> None:
        ws = await hasty_peer.websocket(path)
        assert await ws.receive() == "2"
        await ws.closed()


class TestClose:
    @BOTH
    async def test_polling(self, peer: Peer, path: str) -> None:
        sid = await peer.open(path)
        poll = await peer.pending_poll(sid, path)
        assert (await peer.push(sid, "1", path)).status == 200
        reply = await poll
        assert (reply.status, reply.text) == (200, "6")
        assert (await peer.poll(sid, path)).status == 400

    @BOTH
    async def test_websocket(self, peer: Peer, path: str) -> None:
        ws = await peer.websocket(path)
        await ws.send("1")
        await ws.closed()

    async def test_what_comes_after_it_is_dropped(self, peer: Peer) -> None:
        sid = await peer.open()
        await peer.push(sid, "4before\x1e1\x1e4after")
        assert (await peer.push(sid, "4later")).status == 400
        assert (await peer.poll(sid)).text == "4before"
        assert (await peer.poll(sid)).text == "6"
        assert (await peer.poll(sid)).status == 400
        ws = await peer.websocket()
        await ws.send("4before", "1", "4after")
        assert await ws.packet() == "4before"
        assert await ws.packet() is None


class TestUpgrade:
    async def test_upgrade(self, peer: Peer) -> None:
        sid = await peer.open()
        ws = await peer.probe(sid)
        poll = await peer.poll(sid)
        assert (poll.status, poll.text) == (200, "6")
        await ws.send("5", "4hello")
        assert await ws.packet() == "4hello"

    async def test_pending_poll_ends_with_a_noop(self, peer: Peer) -> None:
        sid = await peer.open()
        poll = await peer.pending_poll(sid)
        await peer.probe(sid)
        assert (await poll).text == "6"

    async def test_what_waited_follows(self, peer: Peer) -> None:
        sid = await peer.open()
        ws = await peer.probe(sid)
        await peer.push(sid, "4a\x1ebAQID")
        await ws.send("5", "4b")
        assert [await ws.packet() for _ in range(3)] == ["4a", b"\1\2\3", "4b"]

    async def test_the_last_message_waits_on_both_ways_while_it_ends(self, peer: Peer) -> None:
        """Nobody knows whether the client still polls or listens here already."""
        sid = await peer.open()
        ws = await peer.probe(sid)
        await peer.push(sid, "4last\x1e1")
        assert await ws.packet() == "4last"
        await ws.closed()
        assert (await peer.poll(sid)).text == "4last"

    @BOTH
    async def test_polling_is_over_afterwards(self, serve: Serve, path: str) -> None:
        peer = await serve(create_app(LIVELY))
        sid = await peer.open(path)
        ws = await peer.probe(sid, path)
        await ws.send("5")
        async with asyncio.timeout(DEADLINE_S):
            while (await peer.poll(sid, path)).status != 400:
                pass
        assert (await peer.push(sid, "4hello", path)).status == 400
        assert await ws.receive() == "2"

    @BOTH
    async def test_only_one_websocket(self, serve: Serve, path: str) -> None:
        peer = await serve(create_app(LIVELY))
        sid = await peer.open(path)
        ws = await peer.probe(sid, path)
        early = await peer.dial(path, EIO="4", transport="websocket", sid=sid)
        await early.closed()
        await ws.send("5")
        late = await peer.dial(path, EIO="4", transport="websocket", sid=sid)
        await late.closed()
        assert await ws.receive() == "2"

    @pytest.mark.parametrize("sent", [(), ("2probe",)], ids=["silent", "probed"])
    async def test_one_that_never_completes_leaves_polling(
        self, serve: Serve, sent: tuple[str, ...]
    ) -> None:
        hasty = replace(LIVELY, upgrade_timeout_s=0.05, ping_interval_ms=30_000)
        peer = await serve(create_app(hasty))
        sid = await peer.open()
        ws = await peer.dial(EIO="4", transport="websocket", sid=sid)
        await ws.send(*sent)
        await ws.ws.ping()  # is no answer to the probe
        while await ws.receive() is not None:
            pass
        poll = await peer.pending_poll(sid)
        await peer.push(sid, "4hello")
        assert (await poll).text == "4hello"
        again = await peer.probe(sid)
        await again.send("5", "4there")
        assert await again.packet() == "4there"

    async def test_one_that_the_session_does_not_live_to_see(self, peer: Peer) -> None:
        sid = await peer.open()
        ws = await peer.probe(sid)
        await peer.push(sid, "1")
        await ws.closed()
        assert (await peer.poll(sid)).text == "6"
        assert (await peer.poll(sid)).status == 400

    async def test_failed_probe_leaves_polling(self, peer: Peer) -> None:
        sid = await peer.open()
        ws = await peer.dial(ENGINE, EIO="4", transport="websocket", sid=sid)
        await ws.send("2other")
        await ws.closed()
        await peer.push(sid, "4hello")
        assert (await peer.poll(sid)).text == "4hello"

    async def test_abandoned_probe_leaves_polling(self, peer: Peer) -> None:
        sid = await peer.open()
        ws = await peer.probe(sid)
        await ws.ws.close()
        await peer.push(sid, "4hello")
        assert (await peer.poll(sid)).text == "4hello"
        again = await peer.probe(sid)
        await again.send("5", "4there")
        assert await again.packet() == "4there"


async def test_a_poll_that_nobody_hears_ends_at_the_next_packet() -> None:
    """Without handler_cancellation, as most servers run, the ping notices that the peer left."""
    runner = aiohttp.web.AppRunner(create_app())
    await runner.setup()
    site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    url = f"http://{host}:{port}{ENGINE}?EIO=4&transport=polling"
    async with aiohttp.ClientSession() as http:
        async with http.get(url) as response:
            sid = json.loads((await response.text())[1:])["sid"]
        _, writer = await asyncio.open_connection(host, port)
        writer.write(
            f"GET {ENGINE}?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        )
        writer.close()
        async with http.post(f"{url}&sid={sid}", data="4lost") as response:
            assert response.status == 200
        async with http.get(f"{url}&sid={sid}") as response:
            assert response.status == 400
    await runner.cleanup()
