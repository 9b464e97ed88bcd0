"""Who may open a connection at all: which pages, and how many that have not said who they are."""

from collections import Counter
from collections.abc import Callable

from aiohttp import web

from wellio.errors import TooManyRequests


def _comes_from_no_page(request: web.Request) -> bool:
    return "Origin" not in request.headers


def _peer(request: web.Request) -> str:
    return request.remote or ""


class Guest:
    """A connection that has not said yet who it is."""

    __slots__ = ("_guests", "_network")

    def __init__(self, guests: "Counter[str]", network: str) -> None:
        self._guests = guests
        self._network: str | None = network
        guests[network] += 1

    def leave(self) -> None:
        """Note that it has said so, or is gone; again is no mistake."""
        if self._network is None:
            return
        self._guests[self._network] -= 1
        if not self._guests[self._network]:
            del self._guests[self._network]
        self._network = None


class Entrance:
    """Stands before both protocols."""

    def __init__(
        self,
        *,
        may_connect: Callable[[web.Request], bool] = _comes_from_no_page,
        network_of: Callable[[web.Request], str] = _peer,
        max_guests: int | None = None,
    ) -> None:
        """Set the rules.

        Args:
            may_connect: Whether the page that a request comes from may open sockets.
            network_of: The network that a request comes from.
            max_guests: So many connections of one network may not have said who they are; None is
                any number.
        """
        self.may_connect = may_connect
        self._network_of = network_of
        self._max_guests = max_guests
        self._guests: Counter[str] = Counter()

    def enter(self, request: web.Request) -> Guest:
        """Let a new connection in.

        Raises:
            TooManyRequests: Too many of its network have not said who they are.
        """
        network = self._network_of(request)
        if self._max_guests is not None and self._guests[network] >= self._max_guests:
            raise TooManyRequests(
                "Too many connections have not signed in.",
                code="too_many_connections",
                retry_after_s=1,
            )
        return Guest(self._guests, network)
