"""`/ws`: the events in plain JSON frames."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from tests.realtime.conftest import Serve
from tests.realtime.peers import Peer, WebSocket
from tests.realtime.practice_app import HUB, REALTIME, create_app
from wellio.http import Origins
from wellio.realtime import Admission, RealtimeSettings
from wellio.testing import DEADLINE_S

PINGS = RealtimeSettings(ping_interval_ms=50, ping_timeout_ms=60_000)


async def dial(peer: Peer, **options: Any) -> WebSocket:
    return WebSocket(await peer.http.ws_connect(peer.server.make_url("/ws"), **options))


async def enter(peer: Peer, token: str) -> WebSocket:
    ws = await dial(peer)
    await ws.send(json.dumps({"event": "auth", "data": {"token": token}}))
    assert json.loads(await ws.receive()) == {"event": "ack", "id": None, "data": {"ok": True}}
    return ws


async def ask(ws: WebSocket, event: str, data: Any = None) -> Any:
    await ws.send(json.dumps({"event": event, "data": data, "id": 7}))
    answer = json.loads(await ws.receive())
    assert (answer["event"], answer["id"]) == ("ack", 7)
    return answer["data"]


async def test_a_message_reaches_the_other(serve: Serve) -> None:
    peer = await serve(create_app())
    alice, bob = await enter(peer, "alice"), await enter(peer, "bob")
    message = {"senderId": "alice", "content": "Hello é😀"}
    assert await ask(alice, "send_message", {"content": "Hello é😀"}) == {
        "ok": True,
        "message": message,
    }
    assert json.loads(await bob.receive()) == {"event": "new_message", "data": message}


async def test_without_an_id_there_is_no_answer(serve: Serve) -> None:
    peer = await serve(create_app())
    alice, bob = await enter(peer, "alice"), await enter(peer, "bob")
    await alice.send('{"event":"send_message","data":{"content":"quiet"}}')
    assert json.loads(await bob.receive())["event"] == "new_message"
    assert (await ask(alice, "nothing"))["error"]["code"] == "unknown_event"


async def test_the_server_asks_back(serve: Serve) -> None:
    alice = await enter(await serve(create_app()), "alice")
    await alice.send('{"event":"ask_back","id":"x"}')
    assert json.loads(await alice.receive()) == {"event": "question", "data": {"n": 1}, "id": 0}
    await alice.send('{"event":"ack","id":0,"data":{"twice":2}}', '{"event":"ack","id":0}')
    answer = json.loads(await alice.receive())
    assert answer == {"event": "ack", "id": "x", "data": {"ok": True, "answer": {"twice": 2}}}


@pytest.mark.parametrize("token", ["forged", "not one", "", None, 7, ["alice"]])
async def test_a_bad_token(serve: Serve, token: Any) -> None:
    ws = await dial(await serve(create_app()))
    await ws.send(json.dumps({"event": "auth", "id": 1, "data": {"token": token}}))
    answer = json.loads(await ws.receive())
    assert (answer["id"], answer["data"]["ok"]) == (1, False)
    assert answer["data"]["error"]["status"] == 401
    assert answer["data"]["error"]["code"] == "unauthorized"
    assert await ws.closed() == 4401


@pytest.mark.parametrize(
    "first, code",
    [
        ('{"event":"send_message","data":{"content":"x"}}', 4401),
        ('{"event":"auth"}', 4401),
        ('{"event":"auth","data":[]}', 4401),
        ("[]", 4400),
        ("{}", 4400),
        ("x", 4400),
        (b"{}", 4400),
        ("[" * 200_000, 1009),
    ],
)
async def test_a_bad_first_frame(serve: Serve, first: str | bytes, code: int) -> None:
    ws = await dial(await serve(create_app()))
    await ws.send(first)
    assert await ws.closed() == code


@pytest.mark.parametrize(
    "later", ["", "{}", "[]", '{"event":7}', '{"event":"x","id":[]}', '{"event":"x","id":1.5}', b""]
)
async def test_a_malformed_frame(serve: Serve, later: str | bytes) -> None:
    ws = await enter(await serve(create_app()), "alice")
    await ws.send(later)
    assert await ws.closed() == 4400


async def test_nobody_says_who_they_are(serve: Serve) -> None:
    ws = await dial(await serve(create_app(RealtimeSettings(connect_timeout_s=0.05))))
    assert await ws.closed() == 4408


async def test_who_answers_pings_stays(serve: Serve) -> None:
    app = create_app(PINGS)
    ws = await dial(await serve(app), autoping=False)
    await ws.send('{"event":"auth","data":{"token":"alice"}}')
    await ws.receive()
    for _ in range(3):
        assert (await ws.ws.receive(timeout=DEADLINE_S)).type is aiohttp.WSMsgType.PING
        await ws.ws.pong()
    assert app[HUB].is_online("alice")


async def test_who_answers_no_ping_is_gone(serve: Serve) -> None:
    app = create_app(replace(PINGS, ping_timeout_ms=50))
    ws = await dial(await serve(app), autoping=False)
    await ws.send('{"event":"auth","data":{"token":"bob"}}')
    await ws.receive()
    assert (await ws.ws.receive(timeout=DEADLINE_S)).type is aiohttp.WSMsgType.PING
    await ws.closed()
    assert not app[HUB].is_online("bob")


async def test_pings_of_the_client_are_answered(serve: Serve) -> None:
    peer = await serve(create_app())
    ws = await dial(peer, autoping=False)
    await ws.ws.ping(b"here")
    message = await ws.ws.receive()
    assert (message.type, message.data) == (aiohttp.WSMsgType.PONG, b"here")


async def test_a_revoked_session(serve: Serve) -> None:
    app = create_app()
    ws = await enter(await serve(app), "bob:b1")
    app[HUB].close_session("b1")
    assert json.loads(await ws.receive())["event"] == "session_revoked"
    assert await ws.closed() == 4401


async def test_shutdown(serve: Serve) -> None:
    app = create_app()
    peer = await serve(app)
    ws = await enter(peer, "bob")
    closing = asyncio.create_task(app[REALTIME].close(5))
    assert await ws.closed() == 1012
    await closing
    with pytest.raises(aiohttp.WSServerHandshakeError) as error:
        await dial(peer)
    assert error.value.status == 503


async def test_pages_of_other_origins(serve: Serve) -> None:
    origins = Origins(["https://app.example"])
    peer = await serve(create_app(admission=Admission(may_connect=origins.may_connect)))
    own = str(peer.server.make_url("")).rstrip("/")
    for origin in (own, "https://app.example"):
        await (await dial(peer, origin=origin)).ws.close()
    for origin in ("https://evil.example", "null", "http://[", "file://"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as error:
            await dial(peer, origin=origin)
        assert error.value.status == 403
        refused = await peer.request("GET", "/socket.io/", headers={"Origin": origin})
        assert refused.status == 403
        assert "Access-Control-Allow-Origin" not in refused.headers
