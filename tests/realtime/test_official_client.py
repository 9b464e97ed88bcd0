"""The official JavaScript client, on polling alone, WebSocket alone and with the upgrade."""

import pytest

from tests.realtime.conftest import Serve
from tests.realtime.node_client import run_node
from tests.realtime.peers import Peer
from tests.realtime.practice_app import create_app

TRANSPORTS = pytest.mark.parametrize(
    "transports", [["polling"], ["websocket"], ["polling", "websocket"]], ids="+".join
)


def address(peer: Peer) -> str:
    return str(peer.server.make_url("")).rstrip("/")


@TRANSPORTS
async def test_everything_that_a_client_can_send(peer: Peer, transports: list[str]) -> None:
    output = await run_node("echo_client.mjs", address(peer), *transports)
    assert output == f"ok {transports[-1]}\n"


@TRANSPORTS
async def test_chat(serve: Serve, transports: list[str]) -> None:
    peer = await serve(create_app())
    assert await run_node("chat_client.mjs", address(peer), *transports) == "ok\n"
