"""The limits and times of the realtime server, with Socket.IO's own defaults where it has some."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RealtimeSettings:
    """How long peers may take and how much they may hold.

    Attributes:
        node: This process's name; it begins every session id, so that a proxy can route by it.
        ping_interval_ms: Time between two pings of the server.
        ping_timeout_ms: Time that a peer has to answer one.
        max_payload: Largest packet or polling body that is taken, in bytes.
        connect_timeout_s: Time that a new peer has to authenticate (Socket.IO: to CONNECT).
        upgrade_timeout_s: Time that the change from polling to WebSocket may take.
        body_timeout_s: Time that a polling body may take to arrive.
        close_timeout_s: Time that a closed socket has to send what is still in its buffer.
        max_waiting_frames: Frames that may wait for one slow peer before it is closed.
        max_waiting_bytes: Bytes that may wait for one slow peer before it is closed.
        max_in_flight: Events of one connection that are handled at once; reading stops above it.
        max_attachments: Binary attachments of one packet.
        max_refusals: Refused attempts to CONNECT after which Socket.IO hangs up.
        max_clients: Connections of one user; None is any number.
        answer_timeout_s: Who has that many and does not answer within it gives way to a new one.
    """

    node: str = "0"
    ping_interval_ms: int = 25_000
    ping_timeout_ms: int = 20_000
    max_payload: int = 131_072
    connect_timeout_s: float = 5.0
    upgrade_timeout_s: float = 10.0
    body_timeout_s: float = 15.0
    close_timeout_s: float = 5.0
    max_waiting_frames: int = 256
    max_waiting_bytes: int = 1 << 20
    max_in_flight: int = 64
    max_attachments: int = 10
    max_refusals: int = 3
    max_clients: int | None = None
    answer_timeout_s: float = 2.0
