"""A small application on Wellio's realtime server: what plugins and clients see of it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pydantic
from aiohttp import web

from wellio.access.actor import Actor
from wellio.errors import Conflict, Unauthorized
from wellio.realtime import (
    Admission,
    Client,
    EventRouter,
    Hub,
    Realtime,
    RealtimeSettings,
    socket_event,
)
from wellio.testing import DEADLINE_S

MEMBERS = ("alice", "bob")
HUB = web.AppKey("hub", Hub)
REALTIME = web.AppKey("realtime", Realtime)


class SendMessage(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")
    content: str = pydantic.Field(max_length=100)


class Sockets:
    """Events as a plugin has them."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.handled: list[str] = []
        self.gate = asyncio.Event()
        self._arrived = asyncio.Event()
        self.waiting = 0

    @socket_event("send_message", body=SendMessage, permission="chat.send")
    async def send_message(self, client: Client, body: SendMessage) -> dict[str, Any]:
        message = {"senderId": client.actor.user_id, "content": body.content}
        self.handled.append(body.content)
        self.hub.emit(MEMBERS, "new_message", message, exclude=client)
        return {"message": message}

    @socket_event("refuse", signed_in=True)
    async def refuse(self, client: Client) -> None:
        raise Conflict("Not twice.", code="local_id_reused")

    @socket_event("break", signed_in=True)
    async def break_down(self, client: Client) -> None:
        raise RuntimeError("a bug")

    @socket_event("ask_back", signed_in=True)
    async def ask_back(self, client: Client) -> dict[str, Any]:
        return {"answer": await client.call("question", {"n": 1}, timeout_s=5)}

    @socket_event("revoke", signed_in=True)
    async def revoke(self, client: Client) -> None:
        self.hub.close_session("b1")

    @socket_event("wait", signed_in=True)
    async def wait(self, client: Client) -> dict[str, Any]:
        self.waiting += 1
        self._arrived.set()
        await self.gate.wait()
        return {}

    async def reached(self, count: int) -> None:
        """Return once so many handlers wait."""
        async with asyncio.timeout(DEADLINE_S):
            while self.waiting < count:
                self._arrived.clear()
                await self._arrived.wait()


SOCKETS = web.AppKey("sockets", Sockets)


async def authenticate(token: str) -> Actor | None:
    """A token is `<user>` or `<user>:<login session>`; `forged` is refused, others are unknown.

    `endless` is never found out about, and `boom` is a bug.
    """
    if token == "endless":
        await asyncio.Event().wait()
    if token == "forged":
        raise Unauthorized("This token was not made here.")
    if token == "boom":
        raise RuntimeError("a bug")
    user_id, _, session_id = token.partition(":")
    if not user_id.isalnum():
        return None
    permissions = frozenset() if user_id == "guest" else frozenset({"chat.send"})
    return Actor(user_id, "client", session_id or None, permissions)


def create_app(
    settings: RealtimeSettings | None = None,
    *,
    observe: Callable[[str, str, float], None] | None = None,
    admission: Admission | None = None,
    authenticate: Callable[[str], Awaitable[Actor | None]] = authenticate,
) -> web.Application:
    """Return the application with its parts under app keys."""
    app = web.Application()
    hub = Hub(now_ms=lambda: 1_750_000_000_000)
    sockets = Sockets(hub)
    realtime = Realtime(
        hub,
        authenticate=authenticate,
        events=EventRouter([sockets], observe=observe),
        settings=settings,
        admission=admission,
    )
    app.add_routes(realtime.routes())
    app[HUB], app[REALTIME], app[SOCKETS] = hub, realtime, sockets

    async def close(_: web.Application) -> None:
        await realtime.close(timeout_s=2)

    app.on_shutdown.append(close)
    return app
