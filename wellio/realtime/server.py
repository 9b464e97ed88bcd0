"""Wellio's realtime server: Socket.IO and `/ws` on one hub, behind one authentication."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiohttp import web

from wellio.access.actor import Actor
from wellio.errors import Forbidden, InternalError, Problem, TooManyConnections, Unauthorized
from wellio.ids import new_id

from .admission import Admission
from .events import EventRouter
from .faults import TRY_AGAIN, Refused
from .handlers import Handlers
from .hub import Client, Hub
from .message import Message
from .settings import RealtimeSettings
from .socket_writer import SocketWriter
from .socketio import Socket, SocketServer
from .websocket import Application, PlainServer

_log = logging.getLogger("wellio.realtime")

# How long a dismissed client has to hang up by itself.
_GOODBYE_S = 0.5

Authenticate = Callable[[str], Awaitable[Actor | None]]


class SocketClient(Client):
    """A device on Socket.IO."""

    __slots__ = ("_socket",)

    def __init__(self, socket: Socket, actor: Actor) -> None:
        super().__init__(socket.id, actor)
        self._socket = socket

    def deliver(self, message: Message) -> None:
        """Send an event that may be on its way to others too."""
        session = self._socket.session
        if session.writer is None:
            session.send_packet(message.packet)
        else:
            session.writer.write(message.packet_frame)

    async def call(self, event: str, data: Any, *, timeout_s: float = 10.0) -> Any:
        """Send an event and wait for the first argument of its acknowledgement."""
        answer = await self._socket.call(event, data, timeout_s=timeout_s)
        return answer[0] if answer else None

    def close(self, reason: str) -> None:
        """End the connection for good: the JavaScript client does not reconnect by itself.

        Nothing that it sends is heard from now on. It hangs up by itself; told to hang up in the
        same breath, it would take that for a lost connection.
        """
        self._socket.disconnect()
        asyncio.get_running_loop().call_later(_GOODBYE_S, self._socket.session.close, reason)

    def drop(self, reason: str) -> None:
        """End the connection as if it was lost: the JavaScript client reconnects by itself."""
        self._socket.session.close(reason, code=TRY_AGAIN)

    async def answers(self, timeout_s: float) -> bool:
        """Ask the device whether it is still there, and tell whether it says so in time."""
        return await self._socket.session.answers(timeout_s)


class _MainNamespace:
    """Joins the sockets of Socket.IO's main namespace to the hub and the application."""

    def __init__(self, hub: Hub, application: Application) -> None:
        self._hub = hub
        self._application = application

    async def connect(self, socket: Socket, auth: Mapping[str, Any]) -> None:
        socket.data = SocketClient(socket, await self._application.admit(auth))

    def connected(self, socket: Socket) -> None:
        self._hub.add(socket.data)

    async def event(self, socket: Socket, name: str, args: list[Any]) -> Sequence[Any]:
        data = args[0] if args else None
        return (await self._application.dispatch(socket.data, name, data),)

    def disconnected(self, socket: Socket, reason: str) -> None:
        self._hub.remove(socket.data)


class _Door:
    """The application behind both protocols: Wellio's authentication and event handlers."""

    def __init__(
        self, hub: Hub, authenticate: Authenticate, events: EventRouter, settings: RealtimeSettings
    ) -> None:
        self._hub = hub
        self._authenticate = authenticate
        self._settings = settings
        self.dispatch = events.dispatch

    async def admit(self, auth: Mapping[str, Any]) -> Actor:
        token = auth.get("token")
        try:
            return await self._prove(token if isinstance(token, str) else None)
        except Problem as problem:
            is_final = isinstance(problem, Unauthorized | Forbidden)
            refusal = problem.to_dict(new_id())
            raise Refused(problem.title, refusal, is_final=is_final) from None
        except Exception as error:
            refusal = InternalError().to_dict(new_id())
            _log.exception("A handshake failed", extra={"requestId": refusal["requestId"]})
            raise Refused(InternalError.title, refusal, is_final=False) from error

    async def _prove(self, token: str | None) -> Actor:
        """Return who somebody is now, and not who they were when an authenticator looked.

        Both protocols go from here to the hub without awaiting anything, so it holds there.
        """
        while True:
            with self._hub.handshake() as ended:
                actor = await self._authenticate(token) if token is not None else None
                if actor is None:
                    raise Unauthorized("The token is missing or not good any more.")
                if self._is_full(actor.user_id):
                    await self._make_room(actor.user_id)
            if ended.isdisjoint((actor.user_id, actor.credential_id)):
                break
        if self._is_full(actor.user_id):
            raise TooManyConnections
        return actor

    def _is_full(self, user_id: str) -> bool:
        limit = self._settings.max_clients
        return limit is not None and len(self._hub.clients(user_id)) >= limit

    async def _make_room(self, user_id: str) -> None:
        """Have the oldest of an account's devices that do not answer give way to a new one."""
        clients, timeout_s = self._hub.clients(user_id), self._settings.answer_timeout_s
        answers = await asyncio.gather(*(client.answers(timeout_s) for client in clients))
        for client, has_answered in zip(clients, answers, strict=True):
            if not self._is_full(user_id):
                break
            if not has_answered:
                _log.info("a silent socket gives way to a new one", extra={"client": client.id})
                client.drop("silent")
                self._hub.remove(client)


class Realtime:
    """The realtime server of one process."""

    def __init__(
        self,
        hub: Hub,
        *,
        authenticate: Authenticate,
        events: EventRouter,
        settings: RealtimeSettings | None = None,
        admission: Admission | None = None,
    ) -> None:
        """Set up the server; it takes connections once its routes are served.

        Args:
            hub: Where clients join.
            authenticate: Returns who owns a token, or None; it may raise a Problem.
            events: The handlers of what clients send.
            settings: Times and limits.
            admission: Says who may connect; by default whoever comes from no page.
        """
        settings = settings or RealtimeSettings()
        admission = admission or Admission()
        door = _Door(hub, authenticate, events, settings)
        self._handlers = Handlers()
        self._socketio = SocketServer(
            {"/": _MainNamespace(hub, door)},
            settings,
            admission=admission,
            handlers=self._handlers,
        )
        self._plain = PlainServer(hub, door, self._handlers, settings, admission)

    def routes(self, path: str = "/socket.io/", plain_path: str = "/ws") -> list[web.RouteDef]:
        """Return the routes of both protocols; they authenticate by themselves."""
        return [*self._socketio.routes(path), web.get(plain_path, self._plain.handle)]

    async def close(self, timeout_s: float = 10.0) -> None:
        """Let running handlers end, then close every connection so that its client comes back.

        Args:
            timeout_s: Longest wait for handlers and for the last bytes.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        await self._handlers.finish(timeout_s)
        self._socketio.engine.close()
        self._plain.close()
        await SocketWriter.all_closed(max(0.0, deadline - loop.time()))
