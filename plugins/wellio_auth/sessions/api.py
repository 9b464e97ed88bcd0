"""REST for signing in and out, and one's own sessions."""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from wellio import (
    REMOTE,
    NotFound,
    Page,
    TooManyRequests,
    Wellio,
    call,
    endpoint,
)
from wellio_auth.accounts.models import UserBrief

from .models import Login, Origin, OwnSession, Refresh, Session, SignedIn, Tokens
from .service import BadCredentials, BadRefreshToken, RefreshInProgress, Sessions
from .store import SESSIONS

USER_AGENT_CHARS = 256
#: Where an account is that was just made, for who has its token.
MADE_ACCOUNT = "/api/v1/me"


def routes(app: Wellio) -> Sequence[object]:
    """Return the routes of `/auth`."""
    sessions = app.service(Sessions)
    return [
        SignInApi(sessions),
        call("POST", "/auth/logout", sessions.log_out, signed_in=True),
        call("POST", "/auth/logout-all", sessions.log_out_everywhere, signed_in=True),
        call(
            *("GET", "/auth/sessions", sessions.list),
            returns=Page[Session],
            wire=_session,
            signed_in=True,
        ),
        call(
            *("GET", "/auth/sessions/{id}", sessions.get),
            returns=Session,
            wire=_session,
            signed_in=True,
        ),
        call("DELETE", "/auth/sessions", sessions.revoke_others, signed_in=True),
        call("DELETE", "/auth/sessions/{id}", sessions.revoke, errors=(NotFound,), signed_in=True),
    ]


def origin_of(request: web.Request) -> Origin:
    """Return where a request comes from, for the list of sessions."""
    agent = request.headers.get("User-Agent", "")[:USER_AGENT_CHARS]
    printable = "".join(char for char in agent if char.isprintable())
    return Origin(request[REMOTE], printable)


def login(signed_in: SignedIn) -> dict[str, Any]:
    """Return a `Tokens`."""
    return {
        "accessToken": signed_in.access_token,
        "refreshToken": signed_in.refresh_token,
        "tokenType": "Bearer",
        "expiresIn": signed_in.expires_in_s,
        "user": {field: signed_in.user[field] for field in UserBrief.model_fields},
    }


class SignInApi:
    """Signing in, and staying so."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    @endpoint(
        "POST",
        "/auth/login",
        body=Login,
        returns=Tokens,
        wire=login,
        secret=True,
        public=True,
        errors=(BadCredentials, TooManyRequests),
    )
    async def log_in(self, request: web.Request, body: Login) -> SignedIn:
        """Begin a session by e-mail address and password.

        A wrong address, a wrong password and a disabled account get one answer.
        """
        return await self._sessions.log_in(body.email, body.password, origin_of(request))

    @endpoint(
        "POST",
        "/auth/refresh",
        body=Refresh,
        returns=Tokens,
        wire=login,
        secret=True,
        public=True,
        errors=(BadRefreshToken, RefreshInProgress),
    )
    async def refresh(self, request: web.Request, body: Refresh) -> SignedIn:
        """Exchange a refresh token for the next one.

        The same `requestId` again gets the same token; an old token ends the session.
        """
        return await self._sessions.refresh(body.refresh_token, body.request_id)


def _session(session: OwnSession) -> dict[str, Any]:
    return {**SESSIONS.wire(session.row), "current": session.is_current}
