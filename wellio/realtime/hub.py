"""Who is connected, and how an event reaches all devices of a user.

The hub knows neither protocol nor feature: a `Client` is somebody's open socket, whatever it
speaks. Delivery is a direct write to each transport; there is no task or queue per recipient.
"""

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import Field

from wellio.wire import Wire

from .backplane import Backplane, Envelope, Kind, LocalBackplane
from .emits import emits
from .message import Message

if TYPE_CHECKING:  # the hub needs only the shape of it
    from wellio.access.actor import Actor

_log = logging.getLogger("wellio.realtime")

# How many closed login sessions are remembered, for a handshake that is still under way elsewhere.
_REMEMBERED_SESSIONS = 4096

PresenceListener = Callable[[str, bool], None]


class Client(ABC):
    """One connected device of a user.

    Attributes:
        id: The connection's id.
        actor: Who it is and what they may do now; replaced when their role changes.
    """

    __slots__ = ("actor", "id")

    def __init__(self, client_id: str, actor: "Actor") -> None:
        self.id = client_id
        self.actor = actor

    @abstractmethod
    def deliver(self, message: Message) -> None:
        """Send an event that may be on its way to others too."""

    @abstractmethod
    async def call(self, event: str, data: Any, *, timeout_s: float = 10.0) -> Any:
        """Send an event and wait for the device's acknowledgement.

        Raises:
            TimeoutError: None came in time.
            Disconnected: The device left first.
        """

    @abstractmethod
    def close(self, reason: str) -> None:
        """End the connection for good: the device must sign in again."""

    @abstractmethod
    def drop(self, reason: str) -> None:
        """End the connection; the device comes back by itself."""

    @abstractmethod
    async def answers(self, timeout_s: float) -> bool:
        """Ask the device whether it is still there, and tell whether it says so in time."""

    def emit(self, event: str, data: Any) -> None:
        """Send an event to this device alone."""
        self.deliver(Message.of(event, data))


class SessionRevoked(Wire):
    """This connection is closed right after: for good, or to come back with other rights."""

    reason: str = Field(
        description="Why; after `role_changed` the client comes back by itself.",
        examples=["logout", "revoked", "password_changed", "expired", "disabled", "role_changed"],
    )


@emits("session_revoked", SessionRevoked)
class Hub:
    """The connected clients of this process, by user."""

    def __init__(
        self,
        backplane: Backplane | None = None,
        *,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """Listen to a backplane.

        Args:
            backplane: Joins the hubs of several processes; this process alone by default.
            now_ms: The time in milliseconds, for `last_seen`.
        """
        self._backplane = backplane if backplane is not None else LocalBackplane()
        self._backplane.subscribe(self._receive)
        self._now_ms = now_ms
        # Tuples: a broadcast goes on over the clients it began with when one of them leaves.
        self._clients: dict[str, tuple[Client, ...]] = {}
        self._last_seen: dict[str, int] = {}
        self._closed_sessions: dict[str, str] = {}  # why, by id
        self._handshakes: list[set[str]] = []
        self._presence: list[PresenceListener] = []

    # -- for services ---------------------------------------------------------------------------

    def emit(
        self,
        user_ids: Iterable[str],
        event: str,
        data: Any,
        *,
        exclude: Client | None = None,
        permission: str | None = None,
    ) -> None:
        """Send an event to every device of these users.

        Args:
            user_ids: Whom; a user who is named twice gets it once.
            event: Its name.
            data: What orjson takes; `orjson.Fragment` for what is encoded already.
            exclude: A device that gets nothing, such as the one that caused it.
            permission: What a device's actor must hold now to get it; an API key gets nothing
                that names none.
        """
        targets = tuple(dict.fromkeys(user_ids))
        excluded = exclude.id if exclude is not None else None
        self._backplane.publish(
            Envelope(Kind.EMIT, targets, event, orjson.dumps(data), excluded, permission)
        )

    def close_session(self, session_id: str, reason: str = "session_revoked") -> None:
        """Tell every device of a login session, or of an API key, why, and close it."""
        self._backplane.publish(Envelope(Kind.CLOSE_SESSION, (session_id,), reason))

    def close_user(self, user_id: str, reason: str = "session_revoked") -> None:
        """Tell every device of a user why, and close it."""
        self._backplane.publish(Envelope(Kind.CLOSE_USER, (user_id,), reason))

    def reconnect_user(self, user_id: str, reason: str) -> None:
        """Tell every device of a user why, and have it come back, with the rights of now."""
        self._backplane.publish(Envelope(Kind.RECONNECT_USER, (user_id,), reason))

    def clients(self, user_id: str) -> tuple[Client, ...]:
        """Return the devices of a user that are connected to this process."""
        return self._clients.get(user_id, ())

    def is_online(self, user_id: str) -> bool:
        """Tell whether a user has a device connected to this process; a program is not them."""
        return _has_person(self.clients(user_id))

    def last_seen(self, user_id: str) -> int | None:
        """Return when the last device of a user left (milliseconds UTC), if it was here."""
        return self._last_seen.get(user_id)

    def count(self) -> int:
        """Return how many devices are connected to this process."""
        return sum(map(len, self._clients.values()))

    def on_presence(self, listener: PresenceListener) -> None:
        """Call `listener(user_id, online)` when a user's first device comes or the last leaves."""
        self._presence.append(listener)

    # -- for the protocols ----------------------------------------------------------------------

    @contextmanager
    def handshake(self) -> Iterator[set[str]]:
        """Learn what ends while somebody proves who they are: their proof may be from before it.

        Yields:
            The ids of the sessions, keys and users that are closed until the end of the block; who
            awaits nothing from there to `add` misses none.
        """
        ended: set[str] = set()
        self._handshakes.append(ended)
        try:
            yield ended
        finally:
            self._handshakes = [other for other in self._handshakes if other is not ended]

    def add(self, client: Client) -> None:
        """Take in a client that is ready to receive."""
        user_id = client.actor.user_id
        reason = self._closed_sessions.get(client.actor.credential_id or "")
        if reason is not None:
            self.dismiss(client, reason)
            return
        others = self._clients.get(user_id, ())
        self._clients[user_id] = (*others, client)
        if _has_person((client,)) and not _has_person(others):
            self._tell(user_id, online=True)

    def remove(self, client: Client) -> None:
        """Forget a client that has left; one that was never taken in is ignored."""
        user_id = client.actor.user_id
        clients = self._clients.get(user_id, ())
        if client not in clients:
            return
        others = tuple(other for other in clients if other is not client)
        if others:
            self._clients[user_id] = others
        else:
            del self._clients[user_id]
        if _has_person((client,)) and not _has_person(others):
            self._last_seen[user_id] = self._now_ms()
            self._tell(user_id, online=False)

    def dismiss(self, client: Client, reason: str, *, for_good: bool = True) -> None:
        """Tell a client why, and end its connection: for good, or so that it comes back."""
        client.emit("session_revoked", {"reason": reason})
        (client.close if for_good else client.drop)(reason)
        self.remove(client)  # from now on it is told nothing, and takes nobody's place

    # -------------------------------------------------------------------------------------------

    def _receive(self, envelope: Envelope) -> None:
        if envelope.kind is Kind.EMIT:
            self._deliver(envelope)
            return
        for ended in self._handshakes:
            ended.update(envelope.targets)
        if envelope.kind is Kind.CLOSE_SESSION:
            self._end_session(envelope.targets[0], envelope.event)
            return
        for client in self.clients(envelope.targets[0]):
            self.dismiss(client, envelope.event, for_good=envelope.kind is Kind.CLOSE_USER)

    def _deliver(self, envelope: Envelope) -> None:
        if clients := self._recipients(envelope):
            message = Message(envelope.event, envelope.data)
            for client in clients:
                client.deliver(message)

    def _recipients(self, envelope: Envelope) -> list[Client]:
        """Return the clients that get an event now.

        Whether somebody may is asked once for all who come after them with the same rights: a
        role's permissions are one object, and rooms are full of clients.
        """
        exclude, permission, all_clients = envelope.exclude, envelope.permission, self._clients
        recipients: list[Client] = []
        asked: Actor | None = None
        may_get = False
        for user_id in envelope.targets:
            for client in all_clients.get(user_id, ()):
                actor = client.actor
                if (
                    asked is None
                    or actor.permissions is not asked.permissions
                    or actor.key_id != asked.key_id
                ):
                    asked, may_get = actor, actor.can(permission)
                if may_get and client.id != exclude:
                    recipients.append(client)
        return recipients

    def _end_session(self, session_id: str, reason: str) -> None:
        self._closed_sessions[session_id] = reason
        if len(self._closed_sessions) > _REMEMBERED_SESSIONS:
            del self._closed_sessions[next(iter(self._closed_sessions))]
        for clients in list(self._clients.values()):
            for client in clients:
                if client.actor.credential_id == session_id:
                    self.dismiss(client, reason)

    def _tell(self, user_id: str, *, online: bool) -> None:
        for listener in self._presence:
            try:
                listener(user_id, online)
            except Exception:  # noqa: BLE001 - whose presence it is must not suffer from it
                _log.exception("A presence listener failed")


def _has_person(clients: Iterable[Client]) -> bool:
    """Tell whether one of some clients is more than a program with an API key."""
    return any(client.actor.key_id is None for client in clients)
