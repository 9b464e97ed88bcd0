"""Who sends a request, by its access token."""

from functools import partial
from typing import ClassVar

from aiohttp import web

from wellio import Actor, Problem, Wellio
from wellio_auth.accounts import store as account_store
from wellio_auth.credentials.judge import Judge
from wellio_auth.credentials.service import Credentials, Proven, bearer_token
from wellio_auth.signing_keys.models import Claims
from wellio_auth.signing_keys.service import KeyRing, TokenError, UnknownKeyError


class BearerAuthenticator:
    """Understands `Authorization: Bearer` and the token of a socket's handshake."""

    problems: ClassVar[tuple[type[Problem], ...]] = (TokenError,)

    def __init__(self, app: Wellio) -> None:
        self._app, self._clock = app, app.service(Judge)
        self._ring = app.service(KeyRing)
        self._credentials = app.service(Credentials)

    async def from_request(self, request: web.Request) -> Actor | None:
        """Return who sent a request; None when it carries no bearer token.

        Raises:
            TokenError: The token does not work.
        """
        token = bearer_token(request)
        return None if token is None else await self.from_token(token)

    async def from_token(self, token: str) -> Actor:
        """Return whose token it is.

        Raises:
            TokenError: It does not work.
        """
        known = self._credentials.known(token)
        return known or await self._credentials.prove(token, partial(self._prove, token))

    async def _prove(self, token: str) -> Proven:
        claims = await self._verify(token)
        now = self._clock.now_ms()
        user = await account_store.user_of_session(self._app.db, claims.sid, claims.sub, now)
        if user is None:
            raise TokenError("session_revoked")
        permissions = self._app.policies.permissions_of(user["role"])
        return Proven(Actor(user["id"], user["role"], claims.sid, permissions), claims.exp * 1000)

    async def _verify(self, token: str) -> Claims:
        try:
            return self._ring.verify(token)
        except UnknownKeyError:
            if not await self._ring.read_again():
                raise
            return self._ring.verify(token)
