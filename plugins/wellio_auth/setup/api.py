"""REST for the set-up."""

from aiohttp import web

from wellio import Conflict, Forbidden, Reply, TooManyRequests, created, endpoint
from wellio_auth.sessions.api import MADE_ACCOUNT, origin_of
from wellio_auth.sessions.models import LoginOut

from .models import SetupRequest
from .service import Setup


class SetupApi:
    """`/setup`."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup

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
        return created(await self._setup.set_up(body, origin_of(request)), MADE_ACCOUNT)
