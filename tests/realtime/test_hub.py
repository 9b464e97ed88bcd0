"""The hub: who gets what, presence, revocation, and peers that are too slow."""

import asyncio
import itertools
import json
from typing import Any

import pytest
from aiohttp import web

from tests.realtime.conftest import Serve
from tests.realtime.peers import SOCKET, Peer, WebSocket
from tests.realtime.practice_app import HUB, REALTIME, SOCKETS, create_app
from tests.realtime.test_plain_websocket import enter
from wellio.access.actor import Actor
from wellio.realtime import Client, Envelope, Hub, LocalBackplane, Message, RealtimeSettings
from wellio.realtime.socket_writer import SocketWriter
from wellio.realtime.write_buffer import WriteBuffer
from wellio.testing import DEADLINE_S


class Device(Client):
    """A client that keeps what it is sent."""

    def __init__(
        self,
        user_id: str,
        session_id: str | None = None,
        device_id: str = "d",
        key_id: str | None = None,
    ) -> None:
        super().__init__(device_id, Actor(user_id, "client", session_id, frozenset(), key_id))
        self.received: list[tuple[str, Any]] = []
        self.closed: list[str] = []
        self.dropped: list[str] = []

    def deliver(self, message: Message) -> None:
        self.received.append((message.event, json.loads(message.data)))

    async def call(self, event: str, data: Any, *, timeout_s: float = 10.0) -> Any:
        raise NotImplementedError

    def close(self, reason: str) -> None:
        self.closed.append(reason)

    def drop(self, reason: str) -> None:
        self.dropped.append(reason)

    async def answers(self, timeout_s: float) -> bool:
        raise NotImplementedError


def devices(hub: Hub, *clients: Device) -> tuple[Device, ...]:
    for client in clients:
        hub.add(client)
    return clients


def test_every_device_of_the_named_users_once() -> None:
    hub = Hub()
    phone, laptop, other = devices(hub, Device("a", None, "1"), Device("a"), Device("b"))
    hub.emit(["a", "a", "nobody"], "x", {"n": 1})
    assert (phone.received, laptop.received) == ([("x", {"n": 1})], [("x", {"n": 1})])
    assert other.received == []
    hub.emit(["a", "b"], "y", None, exclude=phone)
    assert [len(d.received) for d in (phone, laptop, other)] == [1, 2, 1]


def test_only_devices_that_hold_the_permission() -> None:
    hub = Hub()
    reader, other = devices(hub, Device("a"), Device("b"))
    reader.actor = Actor("a", "client", None, frozenset({"chat.read"}))
    hub.emit(["a", "b"], "x", 1, permission="chat.read")
    assert (reader.received, other.received) == ([("x", 1)], [])


def test_everybody_is_judged_by_their_own_rights_whoever_came_before() -> None:
    reads, writes = frozenset({"chat.read"}), frozenset({"chat.send"})
    everybody = [
        Actor(str(n), "client", None, rights, key_id)
        for n, (rights, key_id) in enumerate(
            [(reads, None), (reads, None), (reads, "k"), (writes, None), (writes, "k")]
        )
    ]
    for actors, permission in itertools.product(
        itertools.permutations(everybody), ("chat.read", None)
    ):
        hub = Hub()
        room = [Device(actor.user_id) for actor in actors]
        for device, actor in zip(room, actors, strict=True):
            device.actor = actor
        devices(hub, *room)
        hub.emit([actor.user_id for actor in actors], "x", 1, permission=permission)
        told = [bool(device.received) for device in room]
        assert told == [actor.can(permission) for actor in actors]


def test_a_key_gets_only_what_names_a_permission_that_it_holds() -> None:
    hub = Hub()
    phone, program = devices(hub, Device("a", "s1"), Device("a", None, "2", key_id="k1"))
    hub.emit(["a"], "x", 1)
    assert (phone.received, program.received) == ([("x", 1)], [])
    program.actor = Actor("a", "client", None, frozenset({"chat.read"}), "k1")
    hub.emit(["a"], "y", 2, permission="chat.read")
    assert program.received == [("y", 2)]


def test_a_key_is_closed_like_a_session() -> None:
    hub = Hub()
    phone, program = devices(hub, Device("a", "s1"), Device("a", None, "2", key_id="k1"))
    hub.close_session("k1", "api_key_revoked")
    assert (phone.closed, program.closed) == ([], ["api_key_revoked"])
    (late,) = devices(hub, Device("a", None, "3", key_id="k1"))
    assert late.closed == ["api_key_revoked"]


def test_a_program_is_nobodys_presence() -> None:
    hub = Hub(now_ms=lambda: 42)
    told: list[bool] = []
    hub.on_presence(lambda _user_id, online: told.append(online))
    (program,) = devices(hub, Device("a", key_id="k1"))
    assert not hub.is_online("a")
    assert hub.clients("a") == (program,)
    (phone,) = devices(hub, Device("a", "s1"))
    hub.remove(program)
    assert hub.is_online("a")
    devices(hub, program)
    hub.remove(phone)
    assert (hub.is_online("a"), hub.last_seen("a")) == (False, 42)
    hub.remove(program)
    assert told == [True, False]
    assert hub.count() == 0


def test_presence_is_told_for_the_first_and_the_last_device() -> None:
    hub = Hub(now_ms=lambda: 42)
    told: list[tuple[str, bool]] = []
    hub.on_presence(lambda *seen: told.append(seen))
    phone, laptop = devices(hub, Device("a"), Device("a"))
    assert hub.is_online("a")
    hub.remove(phone)
    assert (told, hub.last_seen("a")) == ([("a", True)], None)
    hub.remove(laptop)
    hub.remove(laptop)
    assert told == [("a", True), ("a", False)]
    assert not hub.is_online("a")
    assert hub.last_seen("a") == 42


def test_a_listener_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    hub = Hub()
    told: list[str] = []

    def fail(user_id: str, online: bool) -> None:
        raise RuntimeError("a bug")

    hub.on_presence(fail)
    hub.on_presence(lambda user_id, _: told.append(user_id))
    devices(hub, Device("a"))
    assert told == ["a"]
    assert "presence listener" in caplog.text
    caplog.clear()


def test_closing_a_session_or_a_user() -> None:
    hub = Hub()
    first, second, other = devices(hub, Device("a", "s1"), Device("a", "s2"), Device("b", "s3"))
    hub.close_session("s1")
    assert first.closed == ["session_revoked"]
    assert first.received == [("session_revoked", {"reason": "session_revoked"})]
    assert not second.closed
    hub.close_user("a", "disabled")
    assert second.closed == ["disabled"]
    assert not other.closed
    hub.reconnect_user("b", "role_changed")
    assert (other.closed, other.dropped) == ([], ["role_changed"])
    assert other.received == [("session_revoked", {"reason": "role_changed"})]
    assert hub.count() == 0


def test_a_session_that_was_closed_during_its_handshake() -> None:
    hub = Hub()
    hub.close_session("s1")
    late, other = devices(hub, Device("a", "s1"), Device("b", "s2"))
    assert late.closed == ["session_revoked"]
    assert not hub.is_online("a")
    assert not other.closed


def test_hubs_hear_each_other_through_their_backplane() -> None:
    backplane = LocalBackplane()
    carried: list[Envelope] = []
    backplane.subscribe(carried.append)
    one, two = Hub(backplane), Hub(backplane)
    (here,), (there,) = devices(one, Device("a", "s1")), devices(two, Device("a", "s1"))
    one.emit(["a"], "x", [1])
    two.close_session("s1")
    assert [e.kind for e in carried] == ["emit", "close_session"]
    assert carried[0].data == b"[1]"
    assert here.received == there.received
    assert here.closed == there.closed == ["session_revoked"]


async def connect(peer: Peer, token: str) -> WebSocket:
    ws = await peer.websocket(SOCKET)
    await ws.send(json.dumps({"token": token}).join(("40", "")))
    assert (await ws.packet()).startswith("40{")
    return ws


async def online(hub: Hub, user_id: str, expected: bool) -> None:
    """Wait until a user is online, or is not."""
    changed = asyncio.Event()
    hub.on_presence(lambda *_: changed.set())
    async with asyncio.timeout(DEADLINE_S):
        while hub.is_online(user_id) is not expected:
            changed.clear()
            await changed.wait()


@pytest.mark.parametrize("protocol", ["plain", "socketio"])
async def test_a_slow_peer_is_closed_and_slows_nobody(serve: Serve, protocol: str) -> None:
    app = create_app(RealtimeSettings(close_timeout_s=DEADLINE_S))
    hub, peer = app[HUB], await serve(app)
    fast = await enter(peer, "alice")
    slow = await (enter if protocol == "plain" else connect)(peer, "bob")
    connection = slow.ws._response.connection  # noqa: SLF001 - a peer that stops reading
    assert connection is not None
    transport = connection.transport
    assert isinstance(transport, asyncio.Transport)
    transport.pause_reading()
    for n in range(5_000):
        hub.emit(["alice", "bob"], "x", {"n": n, "filler": "f" * 5_000})
        assert json.loads(await fast.receive())["data"]["n"] == n
        if not hub.is_online("bob"):
            break
    await online(hub, "bob", False)
    transport.resume_reading()
    assert await slow.closed() == 4008
    assert hub.is_online("alice")


class Clogged(asyncio.Transport):
    """A transport that holds back `size` bytes."""

    size = 0
    written = b""

    def get_write_buffer_size(self) -> int:
        return self.size

    def is_closing(self) -> bool:
        return False

    def write(self, data: Any) -> None:
        self.size += len(data)
        self.written += data


async def test_a_peer_that_lost_a_frame_is_closed_even_if_its_buffer_empties_at_once() -> None:
    transport, closed = Clogged(), asyncio.Event()
    writer = SocketWriter(
        web.WebSocketResponse(), transport, RealtimeSettings(max_waiting_bytes=10), WriteBuffer()
    )
    writer.on_overflow(closed.set)
    writer.write(b"eleven bytes")
    writer.write(b"lost")
    transport.size = 0
    writer.write(b"there")
    async with asyncio.timeout(DEADLINE_S):
        await closed.wait()
    writer.flush()
    assert transport.written == b"eleven bytes"


async def test_many_events_at_once_are_no_slow_peer(serve: Serve) -> None:
    app = create_app()
    hub, peer = app[HUB], await serve(app)
    ws = await enter(peer, "alice")
    for n in range(1_000):
        hub.emit(["alice"], "x", n)
    assert [json.loads(await ws.receive())["data"] for _ in range(1_000)] == list(range(1_000))


async def test_a_polling_peer_that_does_not_come_is_closed(serve: Serve) -> None:
    app = create_app()
    hub, peer = app[HUB], await serve(app)
    sid = await peer.open(SOCKET)
    await peer.push(sid, '40{"token":"bob"}', SOCKET)
    await online(hub, "bob", True)
    for n in range(300):
        hub.emit(["bob"], "x", n)
    await online(hub, "bob", False)
    assert (await peer.poll(sid, SOCKET)).text == "1"
    assert (await peer.poll(sid, SOCKET)).status == 400


async def test_a_polling_peer_gets_events(serve: Serve) -> None:
    app = create_app()
    hub, peer = app[HUB], await serve(app)
    sid = await peer.open(SOCKET)
    await peer.push(sid, '40{"token":"bob:b1"}', SOCKET)
    assert (await peer.poll(sid, SOCKET)).text.startswith("40{")
    hub.emit(["bob"], "x", {"a": "é"})
    hub.close_session("b1")
    assert (await peer.poll(sid, SOCKET)).text == (
        '42["x",{"a":"é"}]\x1e42["session_revoked",{"reason":"session_revoked"}]\x1e41'
    )
    assert (await peer.poll(sid, SOCKET)).text == "1"


async def test_a_dismissed_socket_is_not_heard_and_hung_up_on(serve: Serve) -> None:
    app = create_app()
    ws = await connect(await serve(app), "bob:b1")
    app[HUB].close_session("b1")
    assert await ws.packet() == '42["session_revoked",{"reason":"session_revoked"}]'
    assert await ws.packet() == "41"
    await ws.closed()
    assert app[SOCKETS].handled == []


@pytest.mark.parametrize("pending", [True, False])
async def test_shutdown_closes_polling_peers(serve: Serve, pending: bool) -> None:
    app = create_app()
    peer = await serve(app)
    sid = await peer.open(SOCKET)
    poll = await peer.pending_poll(sid, SOCKET) if pending else None
    await app[REALTIME].close(1)
    reply = await (poll or peer.poll(sid, SOCKET))
    assert (reply.status, reply.text) == (200, "1")
    assert (await peer.poll(sid, SOCKET)).status == 400
    refused = await peer.request("GET", SOCKET, EIO="4", transport="polling")
    assert refused.status == 503


async def test_nothing_is_taken_while_a_handshake_is_under_way(serve: Serve) -> None:
    peer = await serve(create_app(RealtimeSettings(connect_timeout_s=2 * DEADLINE_S)))
    for early in ('42["nothing"]', "41", '431["x"]', '40{"token":"bob"}'):
        ws = await peer.websocket(SOCKET)
        await ws.send('40{"token":"endless"}', early)
        async with asyncio.timeout(DEADLINE_S):  # not for the handshake's deadline
            await ws.closed()


async def test_shutdown_lets_handlers_end(serve: Serve) -> None:
    app = create_app()
    ws = await connect(await serve(app), "alice")
    await ws.send('421["wait"]')
    async with asyncio.timeout(DEADLINE_S):
        await app[SOCKETS].reached(1)
    closing = asyncio.create_task(app[REALTIME].close(5))
    await asyncio.sleep(0)
    app[SOCKETS].gate.set()
    assert await ws.packet() == '431[{"ok":true}]'
    assert await ws.closed() == 1012
    await closing


async def test_settings_reach_the_handshake(serve: Serve) -> None:
    settings = RealtimeSettings(node="n7", ping_interval_ms=1000)
    sid = await (await serve(create_app(settings))).open(SOCKET)
    assert sid.startswith("n7-")
