"""REST for signing in, accounts, invitations and set-up."""

from typing import Any

from aiohttp import web

from wellio import (
    ACTOR,
    IF_MATCH,
    REMOTE,
    Conflict,
    Forbidden,
    Gone,
    NotFound,
    Page,
    PageQuery,
    Reply,
    TooManyRequests,
    Unauthorized,
    created,
    endpoint,
    no_content,
)

from .accounts import Accounts
from .invitations import Invitations
from .models import (
    InvitationOut,
    Login,
    LoginOut,
    MeChange,
    MeOut,
    NewInvitation,
    Origin,
    PasswordChange,
    Redemption,
    Refresh,
    SessionOut,
    SetupRequest,
    UserChange,
    UserOut,
    UserQuery,
    me_out,
    user_out,
)
from .permissions import CREATE_INVITATIONS, MANAGE_USERS, READ_USERS
from .sessions import Sessions
from .setup import Setup

USER_AGENT_CHARS = 256
_ME = "/api/v1/me"  # where an account is that was just made, for who has its token


def origin_of(request: web.Request) -> Origin:
    """Return where a request comes from, for the list of sessions."""
    agent = request.headers.get("User-Agent", "")[:USER_AGENT_CHARS]
    printable = "".join(char for char in agent if char.isprintable())
    return Origin(request[REMOTE], printable)


class AuthApi:
    """Signing in and out, and one's own sessions."""

    def __init__(self, sessions: Sessions, accounts: Accounts) -> None:
        self._sessions = sessions
        self._accounts = accounts

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

    @endpoint(
        "POST",
        "/auth/password",
        body=PasswordChange,
        status=204,
        errors=(TooManyRequests,),
    )
    async def change_password(self, request: web.Request, body: PasswordChange) -> Reply:
        """Change one's password; one's other sessions end."""
        await self._accounts.change_password(request[ACTOR], body)
        return no_content()


class UsersApi:
    """One's own account, and everybody's for the owner."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    @endpoint("GET", "/me", returns=MeOut, scope="*")
    async def me(self, request: web.Request) -> dict[str, Any]:
        """Read one's own account, and what one may do."""
        actor = request[ACTOR]
        return me_out(await self._accounts.get(actor.user_id), actor)

    @endpoint("PATCH", "/me", body=MeChange, returns=MeOut)
    async def change_me(self, request: web.Request, body: MeChange) -> dict[str, Any]:
        """Change one's own account."""
        actor = request[ACTOR]
        return me_out(await self._accounts.rename(actor, body, request[IF_MATCH]), actor)

    @endpoint("GET", "/users", query=UserQuery, returns=Page[UserOut], permission=READ_USERS)
    async def list(self, request: web.Request, query: UserQuery) -> dict[str, Any]:
        """List accounts by name."""
        return await self._accounts.list(query)

    @endpoint("GET", "/users/{id}", returns=UserOut, permission=READ_USERS, errors=(NotFound,))
    async def read(self, request: web.Request) -> dict[str, Any]:
        """Read an account."""
        return user_out(await self._accounts.get(request.match_info["id"]))

    @endpoint(
        "PATCH",
        "/users/{id}",
        body=UserChange,
        returns=UserOut,
        permission=MANAGE_USERS,
        errors=(NotFound, Conflict),
    )
    async def change(self, request: web.Request, body: UserChange) -> dict[str, Any]:
        """Change an account's name, role or status.

        It takes effect at once: the sessions and sockets of a disabled person end.
        """
        user = await self._accounts.change(
            request[ACTOR], request.match_info["id"], body, request[IF_MATCH]
        )
        return user_out(user)


class InvitationsApi:
    """Invitations and set-up: how accounts come about."""

    def __init__(self, invitations: Invitations, setup: Setup) -> None:
        self._invitations = invitations
        self._setup = setup

    @endpoint(
        "POST",
        "/invitations",
        body=NewInvitation,
        returns=InvitationOut,
        status=201,
        secret=True,
        permission=CREATE_INVITATIONS,
        errors=(Forbidden, Conflict),
    )
    async def create(self, request: web.Request, body: NewInvitation) -> Reply:
        """Invite somebody by mail: the owner anybody, a coach clients of their own.

        The answer holds the link too, and no later one does.
        """
        made = await self._invitations.create(request[ACTOR], body)
        return created(made, f"/api/v1/invitations/{made['id']}")

    @endpoint(
        "GET",
        "/invitations",
        query=PageQuery,
        returns=Page[InvitationOut],
        permission=CREATE_INVITATIONS,
    )
    async def list(self, request: web.Request, query: PageQuery) -> dict[str, Any]:
        """List one's invitations, the owner everybody's, the newest first."""
        return await self._invitations.list(request[ACTOR], query)

    @endpoint(
        "GET",
        "/invitations/{id}",
        returns=InvitationOut,
        permission=CREATE_INVITATIONS,
        errors=(NotFound,),
    )
    async def read(self, request: web.Request) -> dict[str, Any]:
        """Read an invitation."""
        return await self._invitations.get(request[ACTOR], request.match_info["id"])

    @endpoint(
        "DELETE",
        "/invitations/{id}",
        status=204,
        permission=CREATE_INVITATIONS,
        errors=(NotFound,),
    )
    async def revoke(self, request: web.Request) -> Reply:
        """Take back an invitation that was not used."""
        await self._invitations.revoke(request[ACTOR], request.match_info["id"])
        return no_content()

    @endpoint(
        "POST",
        "/invitations/redeem",
        body=Redemption,
        returns=LoginOut,
        status=201,
        secret=True,
        public=True,
        errors=(Gone, Conflict, TooManyRequests),
    )
    async def redeem(self, request: web.Request, body: Redemption) -> Reply:
        """Make the account that an invitation is for, and sign in."""
        return created(await self._invitations.redeem(body, origin_of(request)), _ME)

    @endpoint(
        "POST",
        "/setup",
        body=SetupRequest,
        returns=LoginOut,
        status=201,
        secret=True,
        public=True,
        errors=(Forbidden, Conflict, TooManyRequests),
    )
    async def set_up(self, request: web.Request, body: SetupRequest) -> Reply:
        """Make the practice and its owner, once, by the link that `wellio serve` prints."""
        return created(await self._setup.set_up(body, origin_of(request)), _ME)
