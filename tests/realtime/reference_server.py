"""What the public conformance suites of Engine.IO and Socket.IO expect of a server.

    python tests/realtime/reference_server.py --port 3000

At `/engine.io/` every datum is echoed. At `/socket.io/` the main namespace emits `auth` with the
handshake's auth, answers `message` with `message-back` and acknowledges `message-with-ack` with the
same arguments; the namespace `/custom` emits `auth`; all others are refused.
"""

import argparse
import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from wellio.realtime.admission import Admission
from wellio.realtime.engineio import EngineServer
from wellio.realtime.session import Session
from wellio.realtime.settings import RealtimeSettings
from wellio.realtime.socketio import Namespace, Socket, SocketServer

SETTINGS = RealtimeSettings(
    ping_interval_ms=300, ping_timeout_ms=200, max_payload=1_000_000, connect_timeout_s=1.0
)


class Echo:
    """Sends back whatever a session receives."""

    busy: asyncio.Future[None] | None = None

    def __init__(self, session: Session) -> None:
        self._session = session

    def on_text(self, data: str) -> None:
        self._session.send_text(data.encode())

    def on_binary(self, data: bytes) -> None:
        self._session.send_binary(data)

    def on_close(self, reason: str) -> None:
        """Nothing is kept for a session."""


# The Socket.IO suite listens for one event at a time, so it misses what arrives in the same read.
AUTH_DELAY_S = 0.025


class Custom:
    """Tells each socket which auth it came with."""

    async def connect(self, socket: Socket, auth: Mapping[str, Any]) -> None:
        socket.data = auth

    def connected(self, socket: Socket) -> None:
        asyncio.get_running_loop().call_later(AUTH_DELAY_S, socket.emit, "auth", socket.data)

    async def event(self, socket: Socket, name: str, args: list[Any]) -> Sequence[Any]:
        return ()

    def disconnected(self, socket: Socket, reason: str) -> None:
        """Nothing is kept for a socket."""


class Main(Custom):
    """Echoes messages, as an event or as an acknowledgement."""

    async def event(self, socket: Socket, name: str, args: list[Any]) -> Sequence[Any]:
        if name == "message":
            socket.emit("message-back", *args)
        return args if name == "message-with-ack" else ()


def create_app(settings: RealtimeSettings = SETTINGS) -> web.Application:
    """Return an application that serves both protocols to pages of any origin."""
    anywhere = Admission(may_connect=lambda _: True)
    namespaces: dict[str, Namespace] = {"/": Main(), "/custom": Custom()}
    app = web.Application()
    app.add_routes(EngineServer(Echo, settings, anywhere).routes("/engine.io/"))
    app.add_routes(SocketServer(namespaces, settings, admission=anywhere).routes())
    return app


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="localhost")
    parser.add_argument("--port", type=int, default=3000)
    options = parser.parse_args()
    # A client that gives up a poll ends its session at once.
    web.run_app(
        create_app(), host=options.host, port=options.port, handler_cancellation=True, print=None
    )
