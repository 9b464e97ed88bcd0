"""Authentication: asks the ways of signing in that plugins registered, in order.

Whoever is found uses their account's budget of requests, whichever address they come from.
"""

from collections.abc import Sequence

from aiohttp import hdrs, web

from wellio.access.actor import Actor, Authenticator
from wellio.access.limits import Budget
from wellio.errors import BadRequest, Problem, Unauthorized


class Authentication:
    """Every way of proving who one is, for requests and for sockets."""

    def __init__(self, authenticators: Sequence[Authenticator], accounts: Budget) -> None:
        self._authenticators = authenticators
        self._accounts = accounts

    @property
    def problems(self) -> Sequence[type[Problem]]:
        """What the ways of signing in raise, beside `Unauthorized`."""
        return [it for way in self._authenticators for it in getattr(way, "problems", ())]

    async def from_request(self, request: web.Request) -> Actor:
        """Return who sent a request.

        Raises:
            BadRequest: It has two: another reader of it may take the other one.
            Unauthorized: Nobody knows its credential, or it has none.
            TooManyRequests: The account's budget is used up.
        """
        if len(request.headers.getall(hdrs.AUTHORIZATION, ())) > 1:
            raise BadRequest("Authorization must be there once.")
        for authenticator in self._authenticators:
            actor = await authenticator.from_request(request)
            if actor is not None:
                self._accounts.spend(actor.user_id)
                return actor
        raise Unauthorized

    async def from_token(self, token: str) -> Actor | None:
        """Return whose token a socket's handshake carries; None when nobody knows it.

        Raises:
            Unauthorized: Somebody knows it, and it does not work.
            TooManyRequests: The account's budget is used up.
        """
        for authenticator in self._authenticators:
            actor = await authenticator.from_token(token)
            if actor is not None:
                self._accounts.spend(actor.user_id)
                return actor
        return None
