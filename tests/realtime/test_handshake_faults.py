"""A handshake that ends before its time gives back what it took, wherever it ends."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, NoReturn

import aiohttp
import pytest
from aiohttp import web

from tests.realtime.conftest import PATIENT, Serve
from tests.realtime.peers import SOCKET, Peer
from tests.realtime.practice_app import HUB, REALTIME, create_app
from tests.realtime.test_plain_websocket import enter
from wellio.access.actor import Actor
from wellio.realtime import Admission, Hub, engineio, session, socketio, websocket
from wellio.realtime.gate import CountedWebSocket
from wellio.realtime.socket_writer import SocketWriter
from wellio.testing import DEADLINE_S

KINDS = ("websocket", "polling", "plain")
SETTINGS = replace(PATIENT, max_clients=1, close_timeout_s=1.0)
AUTH = '{"token":"alice"}'
#: Every step that can fail, and where it stands.
STEPS: dict[str, tuple[Any, str]] = {
    "the throttle": (Admission, "throttle"),
    "the answer": (SocketWriter, "open"),
    "the session": (engineio, "Session"),
    "its first packet": (session.Session, "send_packet"),
    "its heartbeat": (session, "Heartbeat"),
    "what stands on it": (socketio, "Connection"),
    "the first read": (CountedWebSocket, "receive"),
    "the room": (Hub, "clients"),
    "the proof": (Hub, "handshake"),
    "the acceptance": (session.Session, "send_text"),
    "the acceptance on /ws": (SocketWriter, "write"),
    "the heartbeat on /ws": (websocket, "Heartbeat"),
    "the hub": (Hub, "add"),
}


class Fault(Exception):
    """What went wrong."""


def fail(*_: Any, **__: Any) -> NoReturn:
    raise Fault


async def shake_hands(peer: Peer, kind: str) -> None:
    """Sign in, and leave, or fail on the way."""
    if kind == "polling":
        sid = await peer.open(SOCKET)
        for body in ("40" + AUTH, "1"):
            await peer.push(sid, body, SOCKET)
        for _ in ("what waits", "the end"):
            await peer.poll(sid, SOCKET)
        return
    path, query = ("/ws", {}) if kind == "plain" else (SOCKET, {"EIO": "4", "transport": kind})
    ws = await peer.dial(path, **query)
    try:
        if kind == "plain":
            await ws.send(json.dumps({"event": "auth", "data": json.loads(AUTH)}))
        else:
            await ws.send("40" + AUTH)
        while (text := await ws.receive()) is not None and "ack" not in text and text[:2] != "40":
            pass
    finally:
        await ws.ws.close()


def held(app: web.Application, admission: Admission) -> dict[str, int]:
    """Return what is taken, by what it is."""
    realtime = app[REALTIME]
    kept: dict[str, Any] = {
        "guests": admission._guests,  # noqa: SLF001 - nobody else asks for it
        "sessions": realtime._socketio.engine._sessions,  # noqa: SLF001 - nor for this
        "sockets of /ws": realtime._plain._writers,  # noqa: SLF001 - nor for this
        "handlers": realtime._handlers.tasks,  # noqa: SLF001 - nor for this
        "proofs": app[HUB]._handshakes,  # noqa: SLF001 - nor for this
        "clients": app[HUB]._clients,  # noqa: SLF001 - nor for this
    }
    return {name: len(things) for name, things in kept.items() if things}


async def until_nothing_is_held(app: web.Application, admission: Admission) -> None:
    try:
        async with asyncio.timeout(DEADLINE_S / 5):
            while held(app, admission):  # noqa: ASYNC110 - counts have no event
                await asyncio.sleep(0.001)
    except TimeoutError:
        assert held(app, admission) == {}


@contextmanager
def fault(step: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(*STEPS[step], fail)
        yield


@pytest.mark.parametrize("kind", KINDS)
async def test_a_fault_at_any_step(
    serve: Serve, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    admission = Admission(max_guests=1)
    app = create_app(SETTINGS, admission=admission)
    peer = await serve(app)
    for step in STEPS:
        with fault(step), suppress(aiohttp.ClientError, AssertionError):
            await shake_hands(peer, kind)
        await until_nothing_is_held(app, admission)
        await shake_hands(peer, kind)  # there is room
        await until_nothing_is_held(app, admission)
    caplog.clear()


@pytest.mark.parametrize("kind", KINDS)
async def test_who_leaves_while_they_are_proven(serve: Serve, kind: str) -> None:
    proving, may_go_on = asyncio.Event(), asyncio.Event()

    async def prove(_: str) -> Actor:
        proving.set()
        await may_go_on.wait()
        return Actor("alice", "client", "s", frozenset())

    admission = Admission(max_guests=1)
    app = create_app(SETTINGS, admission=admission, authenticate=prove)
    told: list[str] = []
    app[HUB].on_presence(lambda user_id, _: told.append(user_id))
    peer = await serve(app)
    coming = asyncio.create_task(shake_hands(peer, kind))
    async with asyncio.timeout(DEADLINE_S):
        await proving.wait()
    if kind != "polling":
        coming.cancel()
        await asyncio.wait((coming,))
    else:
        await coming
    may_go_on.set()
    await until_nothing_is_held(app, admission)
    assert told in ([], ["alice", "alice"])


async def test_who_leaves_while_they_change_to_a_websocket(serve: Serve) -> None:
    admission = Admission(max_guests=1)
    app = create_app(SETTINGS, admission=admission)
    peer = await serve(app)
    for sent in ((), ("2probe",), ("2probe", "nonsense"), ("nonsense",)):
        sid = await peer.open(SOCKET)
        ws = await peer.dial(SOCKET, EIO="4", transport="websocket", sid=sid)
        await ws.send(*sent)
        await ws.ws.close()
        ws = await peer.probe(sid, SOCKET)  # the place of the other WebSocket is free again
        await ws.send("5", "40" + AUTH)
        assert (await ws.packet()).startswith("40{")
        await ws.ws.close()
        await until_nothing_is_held(app, admission)


async def test_whoever_proves_them_proves_them_again_after_a_change(serve: Serve) -> None:
    """An authenticator of a plugin may await what it likes between its proof and its answer."""
    rights = [frozenset({"chat.send"}), frozenset({"chat.send"}), frozenset[str]()]
    changes: list[Callable[[Hub], None]] = [
        lambda hub: hub.reconnect_user("alice", "role_changed"),
        lambda hub: hub.close_session("k", "api_key_revoked"),
        lambda hub: hub.close_session("another", "logout"),
    ]

    async def prove(_: str) -> Actor:
        actor = Actor("alice", "client", None, rights.pop(0), key_id="k" if rights else "new")
        changes.pop(0)(app[HUB])
        await asyncio.sleep(0)
        return actor

    app = create_app(SETTINGS, authenticate=prove)
    ws = await enter(await serve(app), "alice")
    (client,) = app[HUB].clients("alice")
    assert (client.actor.permissions, changes) == (frozenset(), [])
    assert not ws.ws.closed
