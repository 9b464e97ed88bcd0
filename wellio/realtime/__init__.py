"""Realtime: our own Engine.IO v4 / Socket.IO v5 server and `/ws`, on one hub.

From the wire up: `frame`, `payload` and `packet` are the formats; `link` is the sending side of a
WebSocket, `heartbeat` its pings; `session`, `polling` and `engineio` are Engine.IO; `socketio` is
Socket.IO; `websocket` is `/ws`; `entrance` stands before both and `pace` slows floods. `hub` knows
who is connected, `backplane` joins the hubs of several processes, `events` is what plugins write,
`server` puts it together. Only `events` and `server` know more of the rest than its errors.
"""

from wellio.realtime.backplane import Backplane, Envelope, LocalBackplane
from wellio.realtime.entrance import Entrance
from wellio.realtime.events import EventObserver, EventRouter, SocketEvent, socket_event
from wellio.realtime.faults import Disconnected, Refused
from wellio.realtime.hub import Client, Hub
from wellio.realtime.message import Message
from wellio.realtime.server import Realtime
from wellio.realtime.settings import RealtimeSettings

__all__ = [
    "Backplane",
    "Client",
    "Disconnected",
    "Entrance",
    "Envelope",
    "EventObserver",
    "EventRouter",
    "Hub",
    "LocalBackplane",
    "Message",
    "Realtime",
    "RealtimeSettings",
    "Refused",
    "SocketEvent",
    "socket_event",
]
