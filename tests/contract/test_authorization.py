"""Every endpoint and socket event refuses nobody, the wrong role, and somebody else's object.

The tables are in `rules/`; what they leave out fails here. `Matrix` says what each cell asserts.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
import socketio

from tests.contract.rules import TABLES
from wellio.testing import DEADLINE_S, Matrix, Socket, Sockets, World
from wellio.testing.world import REFUSED, session_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROTOCOLS = ("plain", "io")
#: Who is in a conversation that something is sent to, and may read it.
HEARING = {"carl", "dana", "mia", "noah", "carl's key", "carl's chatting key"}


@pytest.fixture(scope="module")
def matrix(world: World) -> Matrix:
    return Matrix(world)


async def test_every_endpoint_and_event_is_in_the_tables(matrix: Matrix) -> None:
    assert matrix.gaps() == []


async def test_what_a_key_may_hold_is_written_down(world: World) -> None:
    assert world.app.app.policies.scopes == {
        *("chat.manage_groups", "chat.read", "chat.send", "clients.manage", "clients.read"),
        *("practice.manage", "users.read"),
    }


async def test_every_plugin_has_its_table(world: World) -> None:
    served = {
        tag
        for methods in world.app.openapi["paths"].values()
        for operation in methods.values()
        for tag in operation["tags"]
    }
    assert served == {table.plugin for table in TABLES}


@pytest.mark.sqlite("it counts")
async def test_it_is_a_large_table(matrix: Matrix) -> None:
    """Security test A7 asks for 3,000 cells; each is tried on both engines."""
    assert matrix.size(len(PROTOCOLS)) >= 3_000


@pytest.mark.slow("thousands of cells")
async def test_every_cell_of_the_table(matrix: Matrix) -> None:
    assert await matrix.requests() == []


async def test_public_endpoints_look_at_no_credential(matrix: Matrix) -> None:
    assert await matrix.public() == []


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_every_socket_event_of_everybody(
    matrix: Matrix, shared_sockets: Sockets, protocol: str
) -> None:
    opened = await matrix.connected(shared_sockets, protocol)
    assert await matrix.events(opened) == []
    for caller in HEARING:
        await opened[caller].receive("new_message")
    told: list[str] = []
    for caller, socket in opened.items():
        if protocol == "plain":  # what was sent to it before the answer is here by then
            await socket.call("nothing", None)
        leaked = matrix.world.leaked(str(socket.received), caller)
        told += [f"{caller} is told {secret}" for secret in leaked]
    assert told == []
    for caller in opened.keys() - HEARING:
        events_heard = {event for event, _ in opened[caller].received}
        assert events_heard <= {"presence"}, caller


BAD_TOKENS: tuple[Any, ...] = ({}, {"token": 7}, {"token": ""}, {"token": "forged"})


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_bad_credentials_open_no_socket(world: World, protocol: str) -> None:
    refuse = _refused_plain if protocol == "plain" else _refused_io
    bad = [{"token": it.token} for name in REFUSED if (it := world.people[name]) is not None]
    for auth in (*bad, *BAD_TOKENS):
        problem = await refuse(world.app.url, auth)
        assert problem["status"] == 401, auth
        assert set(problem) == {"type", "title", "status", "detail", "code", "requestId"}
        assert "forged" not in str(problem)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_what_ends_a_session_ends_its_socket(
    world: World, shared_sockets: Sockets, protocol: str
) -> None:
    connect: Callable[..., Awaitable[Socket]] = getattr(shared_sockets, protocol)
    nora = f"/users/{world.ids['nora']}"
    for end, reason in (
        ("logout", "logout"),
        ("revoke", "revoked"),
        ("disable", "disabled"),
    ):
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
            assert await socket.receive("session_revoked") == {"reason": reason}
            await socket.closed.wait()
        await world.api("other device").get("/me", status=401)
    await world.api("owner").patch(nora, {"status": "active"}, status=200)
    await world.api("nora").get("/me", status=401)
    await world.sign_in("nora")


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
