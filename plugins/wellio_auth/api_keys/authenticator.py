"""Who sends a request, by an API key."""

import hmac
from collections import OrderedDict
from functools import partial
from typing import ClassVar

import orjson
from aiohttp import web

from wellio import Actor, Problem, Unavailable, Wellio, get_logger
from wellio_auth.credentials.judge import Judge
from wellio_auth.credentials.service import KNOWN, Credentials, Proven, bearer_token
from wellio_auth.permissions import CREATE_API_KEYS
from wellio_auth.signing_keys.service import TokenError

from . import store
from .token import PREFIX, KeyToken, read_token

#: So long a key is known without a look into the database; other processes end keys there.
KNOWN_MS = 60_000
USED_EVERY_MS = 60_000
_log = get_logger(__name__)


class ApiKeyAuthenticator:
    """Understands bearer tokens that begin with `wk_`.

    A key acts as its holder, with those of its scopes that are the holder's permissions now.
    """

    problems: ClassVar[tuple[type[Problem], ...]] = (TokenError,)

    def __init__(self, app: Wellio) -> None:
        self._app = app
        self._db, self._clock = app.db, app.service(Judge)
        self._credentials = app.service(Credentials)
        self._used: OrderedDict[str, int] = OrderedDict()  # when that was last written, by key

    async def from_request(self, request: web.Request) -> Actor | None:
        """Return who sent a request; None when it carries no API key.

        Raises:
            TokenError: The key does not work.
        """
        token = bearer_token(request)
        return None if token is None else await self.from_token(token)

    async def from_token(self, token: str) -> Actor | None:
        """Return whose key it is; None when it is a token of another kind.

        Raises:
            TokenError: It is forged, has expired or was revoked, or its holder may have none.
        """
        if not token.startswith(PREFIX):
            return None
        key = read_token(token)
        if key is None:
            raise TokenError
        actor = self._credentials.known(key.digest)
        if actor is None:
            actor = await self._credentials.prove(key.digest, partial(self._prove, key))
        await self._note_use(key.key_id)
        return actor

    async def _prove(self, key: KeyToken) -> Proven:
        now = self._clock.now_ms()
        row = await store.holder_of(self._db, key.key_id, now)
        if row is None or not hmac.compare_digest(row["token_hash"], key.digest):
            raise TokenError
        held = self._app.policies.permissions_of(row["role"])
        if CREATE_API_KEYS not in held:
            raise TokenError
        permissions = held & self._app.policies.scopes & set(orjson.loads(row["scopes"]))
        until = now + KNOWN_MS
        if row["expires_at"] is not None:
            until = min(until, row["expires_at"])
        self._used.setdefault(key.key_id, row["last_used_at"] or 0)
        return Proven(Actor(row["user_id"], row["role"], None, permissions, key.key_id), until)

    async def _note_use(self, key_id: str) -> None:
        """Write down that a key is used, once a minute; a database that is full stops nobody."""
        now = self._clock.now_ms()
        if now - self._used.get(key_id, 0) < USED_EVERY_MS:
            return
        self._used[key_id] = now
        if len(self._used) > KNOWN:
            self._used.popitem(last=False)
        try:
            await self._db.write(store.mark_used, key_id, now, now - USED_EVERY_MS)
        except Unavailable as error:
            _log.warning("use of an API key not noted", key_id=key_id, code=error.code)
