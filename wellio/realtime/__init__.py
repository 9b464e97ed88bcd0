"""Realtime: our own Engine.IO v4 / Socket.IO v5 server and `/ws`, on one hub.

From the wire up: `frame`, `payload` and `packet` are the formats; `socket_writer` is the sending
side of a WebSocket, `gate` the receiving one, `heartbeat` its pings; `patience` has the times that
peers may take; `session`, `polling` and `engineio` are Engine.IO; `socketio` is Socket.IO;
`websocket` is `/ws`; `admission` stands before both and `throttle` slows floods. `hub` knows who is
connected, `backplane` joins the hubs of several processes, `events` and `emits` are what plugins
write, `server` puts it together. Only `events` and `server` know more of the rest than its errors.
"""

from .admission import Admission
from .backplane import Backplane, Envelope, LocalBackplane
from .emits import ServerEvent, emits
from .events import Ack, EventObserver, EventRouter, SocketEvent, socket_event
from .faults import Disconnected, Refused
from .hub import Client, Hub
from .message import Message
from .server import Realtime
from .settings import RealtimeSettings

__all__ = [
    "Ack",
    "Admission",
    "Backplane",
    "Client",
    "Disconnected",
    "Envelope",
    "EventObserver",
    "EventRouter",
    "Hub",
    "LocalBackplane",
    "Message",
    "Realtime",
    "RealtimeSettings",
    "Refused",
    "ServerEvent",
    "SocketEvent",
    "emits",
    "socket_event",
]
