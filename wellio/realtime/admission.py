"""Who may open a connection at all, and how much of it: before anybody has said who they are."""

from collections import Counter
from collections.abc import Callable

from aiohttp import web

from wellio.errors import TooManyConnections

from .throttle import Allowance, Endless, Throttle


def _comes_from_no_page(request: web.Request) -> bool:
    return "Origin" not in request.headers


def _peer(request: web.Request) -> str:
    return request.remote or ""


class Guest:
    """A connection that has not said yet who it is."""

    __slots__ = ("_guests", "_is_counted", "_network")

    def __init__(self, guests: "Counter[str]", network: str) -> None:
        self._guests = guests
        self._network = network
        self._is_counted = False
        self.come_back()

    def leave(self) -> None:
        """Note that it has said so, or is gone; again is no mistake."""
        if self._is_counted:
            self._is_counted = False
            self._guests[self._network] -= 1
            if not self._guests[self._network]:
                del self._guests[self._network]

    def come_back(self) -> None:
        """Note that it is nobody again."""
        if not self._is_counted:
            self._is_counted = True
            self._guests[self._network] += 1


class Admission:
    """Stands before both protocols."""

    def __init__(
        self,
        *,
        may_connect: Callable[[web.Request], bool] = _comes_from_no_page,
        network_of: Callable[[web.Request], str] = _peer,
        max_guests: int | None = None,
        packets: Allowance | None = None,
    ) -> None:
        """Set the rules.

        Args:
            may_connect: Whether the page that a request comes from may open sockets.
            network_of: The network that a request comes from.
            max_guests: So many connections of one network may not have said who they are; None is
                any number.
            packets: What each connection may send, whatever it is; any number by default.
        """
        self.may_connect = may_connect
        self._network_of = network_of
        self._max_guests = max_guests
        self._packets = packets if packets is not None else Endless()
        self._guests: Counter[str] = Counter()

    def enter(self, request: web.Request) -> Guest:
        """Let a new connection in.

        Raises:
            TooManyRequests: Too many of its network have not said who they are.
        """
        network = self._network_of(request)
        if self._max_guests is not None and self._guests[network] >= self._max_guests:
            raise TooManyConnections("Too many connections have not signed in.", retry_after_s=1)
        return Guest(self._guests, network)

    def throttle(self, connection_id: str) -> Throttle:
        """Return how fast a new connection is heard."""
        return Throttle(self._packets, connection_id)
