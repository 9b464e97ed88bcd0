"""Every endpoint and socket event refuses nobody, the wrong role, and somebody else's object.

The table is `access.py`; what it leaves out fails here.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import orjson
import pytest
import socketio

from tests.contract.access import EVENTS, PUBLIC, RULES
from tests.contract.world import REFUSED, SIGNED_IN, World, leaked, session_of
from wellio.realtime import EventRouter
from wellio.testing import DEADLINE_S, Reply, Socket, Sockets

pytestmark = pytest.mark.asyncio(loop_scope="module")

CALLERS = (*REFUSED, *SIGNED_IN)
TARGETS = ("carls", "danas", "random")
METHODS = {"get", "post", "put", "patch", "delete"}


async def test_every_endpoint_is_in_the_table(world: World) -> None:
    documented = {
        (f"{method.upper()} {path}", operation.get("security") == [])
        for path, operations in world.app.app.http.openapi["paths"].items()
        for method, operation in operations.items()
        if method in METHODS
    }
    listed = {(rule.call, False) for rule in RULES} | {(rule.call, True) for rule in PUBLIC}
    assert documented == listed


async def test_every_socket_event_is_in_the_table(world: World) -> None:
    asked = world.app.app.plugins.ask("register_socket_events", app=world.app.app)
    router = EventRouter([item for _, answer in asked for item in answer])
    assert [event.name for event in router.events] == sorted(rule.call for rule in EVENTS)


async def test_every_cell_of_the_table(world: World) -> None:
    wrong: list[str] = []
    missing: dict[str, set[bytes]] = defaultdict(set)
    for rule in RULES:
        method = rule.call.partition(" ")[0]
        for target in TARGETS if rule.about_a_thing else TARGETS[:1]:
            for caller in CALLERS:
                path = await world.fill(rule.path, target)
                body = await world.fill(rule.body, target)
                reply = await world.api(caller).request(method, path, body)
                expected = rule.expected(caller, target)
                if reply.status not in expected:
                    wrong.append(f"{caller}: {rule.call} of {target}: {reply.status}, {expected}")
                wrong += [
                    f"{caller} reads {secret} in {rule.call}"
                    for secret in leaked(reply.content.decode(), caller)
                ]
                if reply.status == 404:
                    missing[rule.call].add(_anonymous(reply))
                if reply.status < 300:
                    await world.replace(rule.uses_up, caller)
    assert wrong == []
    assert {call: bodies for call, bodies in missing.items() if len(bodies) > 1} == {}


async def test_public_endpoints_look_at_no_credential(world: World) -> None:
    wrong = []
    for rule in PUBLIC:
        method = rule.call.partition(" ")[0]
        for caller in CALLERS:
            reply = await world.api(caller).request(method, rule.path, rule.body)
            if reply.status != rule.status or leaked(reply.content.decode(), caller):
                wrong.append(f"{caller}: {rule.call}: {reply.status}")
    assert wrong == []


@pytest.mark.parametrize("protocol", ["plain", "io"])
async def test_every_socket_event_of_everybody(
    world: World, sockets: Sockets, protocol: str
) -> None:
    wrong: list[str] = []
    opened: dict[str, Socket] = {}
    connect: Callable[..., Awaitable[Socket]] = getattr(sockets, protocol)
    for caller in SIGNED_IN:
        opened[caller] = await connect(world.app.url, world.people[caller])
    for rule in EVENTS:
        for target in TARGETS if rule.about_a_thing else TARGETS[:1]:
            for caller, socket in opened.items():
                body = await world.fill(rule.body, target)
                if rule.call == "send_message":
                    body["content"] = f"chat-of-{target}"
                ack = await socket.call(rule.call, body)
                status = 200 if ack["ok"] else ack["error"]["status"]
                expected = rule.expected(caller, target)
                if status not in expected:
                    wrong.append(f"{caller}: {rule.call} of {target}: {status}, {expected}")
                if leaked(str(ack), caller):
                    wrong.append(f"{caller} reads too much in {rule.call} of {target}")
    for caller, socket in opened.items():
        if protocol == "plain":  # what was sent to it before the answer is here by then
            await socket.call("nothing", None)
        wrong += [f"{caller} is told {secret}" for secret in leaked(str(socket.received), caller)]
    assert wrong == []


BAD_TOKENS: tuple[Any, ...] = ({}, {"token": 7}, {"token": ""}, {"token": "forged"})


@pytest.mark.parametrize("protocol", ["plain", "io"])
async def test_bad_credentials_open_no_socket(world: World, protocol: str) -> None:
    refuse = _refused_plain if protocol == "plain" else _refused_io
    bad = [{"token": it.token} for name in REFUSED if (it := world.people[name]) is not None]
    for auth in (*bad, *BAD_TOKENS):
        problem = await refuse(world.app.url, auth)
        assert problem["status"] == 401, auth
        assert set(problem) == {"type", "title", "status", "detail", "code", "requestId"}
        assert "forged" not in str(problem)


@pytest.mark.parametrize("protocol", ["plain", "io"])
async def test_what_ends_a_session_ends_its_socket(
    world: World, sockets: Sockets, protocol: str
) -> None:
    connect: Callable[..., Awaitable[Socket]] = getattr(sockets, protocol)
    nora = f"/users/{world.ids['nora']}"
    for end in ("logout", "revoke", "disable"):
        await world.sign_in("nora", "other device")
        ending = world.people["other device"]
        assert ending is not None
        socket = await connect(world.app.url, ending)
        match end:
            case "logout":
                await world.api("other device").post("/auth/logout", status=204)
            case "revoke":
                path = f"/auth/sessions/{session_of(ending)}"
                await world.api("nora").delete(path, status=204)
            case "disable":
                await world.api("owner").patch(nora, {"status": "disabled"}, status=200)
        async with asyncio.timeout(DEADLINE_S):
            assert await socket.receive("session_revoked") == {"reason": "session_revoked"}
            await socket.closed.wait()
        await world.api("other device").get("/me", status=401)
    await world.api("owner").patch(nora, {"status": "active"}, status=200)
    await world.api("nora").get("/me", status=401)
    await world.sign_in("nora")


def _anonymous(reply: Reply) -> bytes:
    """Return a problem without what differs from request to request."""
    return orjson.dumps({**reply.data, "requestId": ""})


async def _refused_plain(url: str, auth: Any) -> dict[str, Any]:
    """Be refused by `/ws`, and return the problem."""
    async with (
        aiohttp.ClientSession(url) as session,
        session.ws_connect("/ws") as connection,
    ):
        await connection.send_json({"event": "auth", "data": auth, "id": 1})
        frame = await connection.receive_json(timeout=DEADLINE_S)
        assert (await connection.receive(timeout=DEADLINE_S)).type is aiohttp.WSMsgType.CLOSE
        assert connection.close_code == 4401
    assert (frame["event"], frame["data"]["ok"]) == ("ack", False)
    return dict(frame["data"]["error"])


async def _refused_io(url: str, auth: Any) -> dict[str, Any]:
    """Be refused by Socket.IO, and return the problem."""
    client = socketio.AsyncClient(reconnection=False)
    errors: list[Any] = []
    client.on("connect_error", errors.append)
    with pytest.raises(socketio.exceptions.ConnectionError):
        await client.connect(url, auth=auth, wait_timeout=DEADLINE_S)
    await client.disconnect()
    return dict(errors[0]["data"])
