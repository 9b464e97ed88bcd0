"""python-socketio's client as a second witness."""

import asyncio
import logging
from typing import Any

import pytest
import socketio

from tests.realtime.conftest import Serve
from tests.realtime.peers import Peer
from tests.realtime.practice_app import HUB, create_app
from wellio.testing import DEADLINE_S


def client() -> Any:
    quiet = logging.getLogger("witness")
    return socketio.AsyncClient(reconnection=False, logger=quiet, engineio_logger=quiet)


async def connect(witness: Any, url: str, token: str, transports: list[str]) -> None:
    await witness.connect(
        url, auth={"token": token}, transports=transports, wait_timeout=DEADLINE_S
    )


TRANSPORTS = pytest.mark.parametrize(
    "transports", [["polling"], ["websocket"], ["polling", "websocket"]], ids="+".join
)


@TRANSPORTS
async def test_echo(peer: Peer, transports: list[str]) -> None:
    witness = client()
    backs: asyncio.Queue[tuple[Any, ...]] = asyncio.Queue()
    witness.on("message-back", lambda *args: backs.put_nowait(args))
    await connect(witness, str(peer.server.make_url("")), "1", transports)
    await witness.emit("message", ("a", {"b": b"\1\2"}))
    assert await asyncio.wait_for(backs.get(), DEADLINE_S) == ("a", {"b": b"\1\2"})
    assert await witness.call("message-with-ack", (1, [b"\3"]), timeout=DEADLINE_S) == (1, [b"\3"])
    await witness.disconnect()


@TRANSPORTS
async def test_chat(serve: Serve, transports: list[str]) -> None:
    app = create_app()
    url = str((await serve(app)).server.make_url(""))
    alice, bob = client(), client()
    messages: asyncio.Queue[Any] = asyncio.Queue()
    gone = asyncio.Event()
    bob.on("new_message", messages.put_nowait)
    bob.on("disconnect", lambda *_: gone.set())
    await connect(alice, url, "alice", transports)
    await connect(bob, url, "bob:b1", transports)
    ack = await alice.call("send_message", {"content": "Hello"}, timeout=DEADLINE_S)
    assert ack == {"ok": True, "message": {"senderId": "alice", "content": "Hello"}}
    assert await asyncio.wait_for(messages.get(), DEADLINE_S) == ack["message"]
    app[HUB].close_session("b1")
    await asyncio.wait_for(gone.wait(), DEADLINE_S)
    await alice.disconnect()


async def test_refused(serve: Serve) -> None:
    url = str((await serve(create_app())).server.make_url(""))
    witness = client()
    refusals: list[Any] = []
    witness.on("connect_error", refusals.append)
    with pytest.raises(socketio.exceptions.ConnectionError):
        await connect(witness, url, "forged", ["websocket"])
    assert refusals[0]["data"]["status"] == 401
