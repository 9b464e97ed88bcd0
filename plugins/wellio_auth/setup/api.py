"""REST for the set-up."""

from collections.abc import Sequence

from aiohttp import web

from wellio import Conflict, TooManyRequests, Wellio, endpoint
from wellio_auth.sessions.api import MADE_ACCOUNT, login, origin_of
from wellio_auth.sessions.models import SignedIn, Tokens

from .models import SetupRequest
from .service import AlreadySetUp, BadSetupToken, Setup


def routes(app: Wellio) -> Sequence[object]:
    """Return the route of `/setup`."""
    return [SetupApi(app.service(Setup))]


class SetupApi:
    """`/setup`."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup

    @endpoint(
        "POST",
        "/setup",
        name="setUp",
        body=SetupRequest,
        returns=Tokens,
        wire=login,
        status=201,
        location=MADE_ACCOUNT,
        secret=True,
        public=True,
        errors=(BadSetupToken, AlreadySetUp, Conflict, TooManyRequests),
    )
    async def set_up(self, request: web.Request, body: SetupRequest) -> SignedIn:
        """Make the practice and its owner, once, by the link that `wellio serve` prints."""
        return await self._setup.set_up(body, origin_of(request))
