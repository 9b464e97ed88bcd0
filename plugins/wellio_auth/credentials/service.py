"""Credentials that were proven: an access token or an API key costs one look into a dict.

Each is proven once: by its signature or its hash, and then in the database that its session or key
lives and its account is active. After that it is known, until it expires or its session, key or
account is forgotten here, in the same instant in which the change commits. So a change takes
effect at once, and a restart starts from what the database says. The role is the account's present
one, not the one it had when the credential was made.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from aiohttp import web

from wellio import Actor, Wellio

from .judge import Judge

KNOWN = 10_000


@dataclass(frozen=True, slots=True)
class Proven:
    """Who came with a credential, and until when that need not be proven again (ms UTC)."""

    actor: Actor
    until: int


class Credentials:
    """What is known of credentials, of all kinds."""

    def __init__(self, app: Wellio) -> None:
        self._clock = app.service(Judge)
        self._known: OrderedDict[str, Proven] = OrderedDict()
        self._changes = 0

    def known(self, name: str) -> Actor | None:
        """Return who comes with a credential; None: it must be proven.

        Args:
            name: The credential, or a hash of one that lives long.
        """
        proven = self._known.get(name)
        if proven is None:
            return None
        if proven.until <= self._clock.now_ms():
            del self._known[name]
            return None
        self._known.move_to_end(name)
        return proven.actor

    async def prove(self, name: str, proof: Callable[[], Awaitable[Proven]]) -> Actor:
        """Prove a credential, and know it from now on.

        Args:
            name: As in `known`.
            proof: Proves it, or raises.
        """
        while True:
            changes = self._changes
            proven = await proof()
            if changes == self._changes:
                break
            # It may be from before the change, and a socket would keep it.
        self._known[name] = proven
        if len(self._known) > KNOWN:
            self._known.popitem(last=False)
        return proven.actor

    def forget(self, *, ids: Collection[str | None] = (), user_id: str = "") -> None:
        """Have all that belongs to some sessions or keys, or to an account, proven anew."""
        self._changes += 1
        gone = [
            name
            for name, proven in self._known.items()
            if proven.actor.credential_id in ids or proven.actor.user_id == user_id
        ]
        for name in gone:
            del self._known[name]


def bearer_token(request: web.Request) -> str | None:
    """Return what a request carries as `Authorization: Bearer`."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else None
