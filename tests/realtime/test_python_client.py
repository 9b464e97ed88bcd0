"""python-socketio's client as a second witness."""

import asyncio
import logging
from typing import Any

import pytest
import socketio

from tests.realtime.conftest import Serve
from tests.realtime.peers import Peer
from tests.realtime.practice_app import HUB, create_app


def client() -> Any:
    quiet = logging.getLogger("witness")
    return socketio.AsyncClient(reconnection=False, logger=quiet, engineio_logger=quiet)


TRANSPORTS = pytest.mark.parametrize(
    "transports", [["polling"], ["websocket"], ["polling", "websocket"]], ids="+".join
)


@TRANSPORTS
async def test_echo(peer: Peer, transports: list[str]) -> None:
    witness = client()
    backs: asyncio.Queue[tuple[Any, ...]] = asyncio.Queue()
    witness.on("message-back", lambda *args: backs.put_nowait(args))
    await witness.connect(
        str(peer.server.make_url("")), auth={"token": "1"}, transports=transports, wait=True
    )
    await witness.emit("message", ("a", {"b": b"\1\2"}))
    assert await asyncio.wait_for(backs.get(), 5) == ("a", {"b": b"\1\2"})
    assert await witness.call("message-with-ack", (1, [b"\3"]), timeout=5) == (1, [b"\3"])
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
    await alice.connect(url, auth={"token": "alice"}, transports=transports)
    await bob.connect(url, auth={"token": "bob:b1"}, transports=transports)
    ack = await alice.call("send_message", {"content": "Hello"}, timeout=5)
    assert ack == {"ok": True, "message": {"senderId": "alice", "content": "Hello"}}
    assert await asyncio.wait_for(messages.get(), 5) == ack["message"]
    app[HUB].close_session("b1")
    await asyncio.wait_for(gone.wait(), 5)
    await alice.disconnect()


async def test_refused(serve: Serve) -> None:
    url = str((await serve(create_app())).server.make_url(""))
    witness = client()
    refusals: list[Any] = []
    witness.on("connect_error", refusals.append)
    with pytest.raises(socketio.exceptions.ConnectionError):
        await witness.connect(url, auth={"token": "forged"}, transports=["websocket"])
    assert refusals[0]["data"]["status"] == 401
