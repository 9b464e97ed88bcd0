"""The official JavaScript client, on polling alone, WebSocket alone and with the upgrade."""

from dataclasses import replace

import pytest

from tests.realtime import reference_server
from tests.realtime.conftest import Serve
from tests.realtime.node_client import run_node
from tests.realtime.peers import Peer
from tests.realtime.practice_app import create_app
from tests.realtime.reference_server import SETTINGS

TRANSPORTS = pytest.mark.parametrize(
    "transports", [["polling"], ["websocket"], ["polling", "websocket"]], ids="+".join
)


def address(peer: Peer) -> str:
    return str(peer.server.make_url("")).rstrip("/")


@TRANSPORTS
async def test_everything_that_a_client_can_send(serve: Serve, transports: list[str]) -> None:
    # Pings as quick as the public suite's, with time to answer them on a busy machine.
    patient = replace(SETTINGS, ping_timeout_ms=60_000, connect_timeout_s=60.0)
    peer = await serve(reference_server.create_app(patient))
    output = await run_node("echo_client.mjs", address(peer), *transports)
    assert output == f"ok {transports[-1]}\n"


@TRANSPORTS
async def test_chat(serve: Serve, transports: list[str]) -> None:
    peer = await serve(create_app())
    assert await run_node("chat_client.mjs", address(peer), *transports) == "ok\n"


async def test_a_listener_of_one_event_at_a_time(serve: Serve) -> None:
    """The public suite hears only the first packet of a read: `auth` must come in another.

    A busy machine may read both at once all the same, so that a few may miss it.
    """
    peer = await serve(reference_server.create_app())
    heard = await run_node("one_at_a_time.mjs", address(peer), "20")
    assert int(heard) > 10
