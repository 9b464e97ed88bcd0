"""Who sends a request, by its access token.

A token is proven once: its signature, and then in the database that its session lives and its
account is active. After that it is known, until it expires or its session or account is forgotten
here, in the same instant in which the change commits. So a change takes effect at once, a restart
starts from what the database says, and a request costs one look into a dict. The role is the
account's present one, not the token's.
"""

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass

from aiohttp import web

from wellio import Actor, Wellio

from . import store
from .tokens import Claims, KeyRing, TokenError, UnknownKeyError

KNOWN_TOKENS = 10_000


@dataclass(frozen=True, slots=True)
class _Known:
    actor: Actor
    expires_at: int


class BearerAuthenticator:
    """Understands `Authorization: Bearer` and the token of a socket's handshake."""

    def __init__(self, app: Wellio) -> None:
        self._app = app
        self._ring = app.service(KeyRing)
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._changes = 0

    async def from_request(self, request: web.Request) -> Actor | None:
        """Return who sent a request; None when it carries no bearer token.

        Raises:
            TokenError: The token does not work.
        """
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return await self.from_token(token) if scheme.lower() == "bearer" else None

    async def from_token(self, token: str) -> Actor:
        """Return whose token it is.

        Raises:
            TokenError: It does not work.
        """
        known = self._known.get(token)
        if known is None:
            return await self._prove(token)
        if known.expires_at <= self._app.clock.now_ms():
            raise TokenError("token_expired")
        self._known.move_to_end(token)
        return known.actor

    def forget(self, *, session_ids: Collection[str | None] = (), user_id: str = "") -> None:
        """Have every token of some sessions or of an account proven anew."""
        self._changes += 1
        gone = [
            token
            for token, known in self._known.items()
            if known.actor.session_id in session_ids or known.actor.user_id == user_id
        ]
        for token in gone:
            del self._known[token]

    async def _prove(self, token: str) -> Actor:
        changes = self._changes
        claims = await self._verify(token)
        now = self._app.clock.now_ms()
        user = await store.user_of_session(self._app.db, claims.sid, claims.sub, now)
        if user is None:
            raise TokenError("session_revoked")
        permissions = self._app.permissions.get(user.role, frozenset())
        actor = Actor(user.id, user.role, claims.sid, permissions)
        if changes != self._changes:
            # It may be from before the change, and a socket would keep it.
            return await self._prove(token)
        self._remember(token, _Known(actor, claims.exp * 1000))
        return actor

    async def _verify(self, token: str) -> Claims:
        try:
            return self._ring.verify(token)
        except UnknownKeyError:
            if not await self._ring.read_again():
                raise
            return self._ring.verify(token)

    def _remember(self, token: str, known: _Known) -> None:
        self._known[token] = known
        if len(self._known) > KNOWN_TOKENS:
            self._known.popitem(last=False)
