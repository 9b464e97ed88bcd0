"""REST for signing in and out, and one's own sessions."""

from typing import Any

from aiohttp import web

from wellio import (
    ACTOR,
    REMOTE,
    Conflict,
    NotFound,
    Page,
    Reply,
    TooManyRequests,
    Unauthorized,
    endpoint,
    no_content,
)

from .models import Login, LoginOut, Origin, Refresh, SessionOut
from .service import Sessions

USER_AGENT_CHARS = 256
#: Where an account is that was just made, for who has its token.
MADE_ACCOUNT = "/api/v1/me"


def origin_of(request: web.Request) -> Origin:
    """Return where a request comes from, for the list of sessions."""
    agent = request.headers.get("User-Agent", "")[:USER_AGENT_CHARS]
    printable = "".join(char for char in agent if char.isprintable())
    return Origin(request[REMOTE], printable)


class SessionsApi:
    """Signing in and out, and one's own sessions."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    @endpoint(
        "POST",
        "/auth/login",
        body=Login,
        returns=LoginOut,
        secret=True,
        public=True,
        errors=(Unauthorized, TooManyRequests),
    )
    async def log_in(self, request: web.Request, body: Login) -> dict[str, Any]:
        """Begin a session by e-mail address and password.

        A wrong address, a wrong password and a disabled account get one answer.
        """
        return await self._sessions.log_in(body.email, body.password, origin_of(request))

    @endpoint(
        "POST",
        "/auth/refresh",
        body=Refresh,
        returns=LoginOut,
        secret=True,
        public=True,
        errors=(Unauthorized, Conflict),
    )
    async def refresh(self, request: web.Request, body: Refresh) -> dict[str, Any]:
        """Exchange a refresh token for the next one.

        The same `requestId` again gets the same token; an old token ends the session.
        """
        return await self._sessions.refresh(body.refresh_token, body.request_id)

    @endpoint("POST", "/auth/logout", status=204)
    async def log_out(self, request: web.Request) -> Reply:
        """End the session of this request, its sockets included."""
        actor = request[ACTOR]
        await self._sessions.log_out(actor.user_id, actor.session_id)
        return no_content()

    @endpoint("POST", "/auth/logout-all", status=204)
    async def log_out_everywhere(self, request: web.Request) -> Reply:
        """End all one's sessions, this one too."""
        await self._sessions.revoke_all(request[ACTOR].user_id, "logout")
        return no_content()

    @endpoint("GET", "/auth/sessions", returns=Page[SessionOut])
    async def list_sessions(self, request: web.Request) -> dict[str, Any]:
        """List one's sessions, all of them, the one used last first."""
        actor = request[ACTOR]
        items = await self._sessions.list(actor.user_id, actor.session_id)
        return {"items": items, "nextCursor": None}

    @endpoint("GET", "/auth/sessions/{id}", returns=SessionOut)
    async def read_session(self, request: web.Request) -> dict[str, Any]:
        """Read one of one's sessions."""
        actor = request[ACTOR]
        return await self._sessions.get(actor.user_id, request.match_info["id"], actor.session_id)

    @endpoint("DELETE", "/auth/sessions", status=204)
    async def end_other_sessions(self, request: web.Request) -> Reply:
        """End one's sessions but the one of this request."""
        actor = request[ACTOR]
        await self._sessions.revoke_all(actor.user_id, "revoked", but=actor.session_id or "")
        return no_content()

    @endpoint("DELETE", "/auth/sessions/{id}", status=204, errors=(NotFound,))
    async def end_session(self, request: web.Request) -> Reply:
        """End one of one's sessions."""
        await self._sessions.revoke(request[ACTOR].user_id, request.match_info["id"], "revoked")
        return no_content()
