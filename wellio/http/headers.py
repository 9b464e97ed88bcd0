"""Headers that every response carries, whoever made it: an endpoint, aiohttp, a WebSocket."""

from aiohttp import web
from multidict import CIMultiDict

from wellio.observe.log import REQUEST_ID

from .endpoint import ACTOR
from .gateway_rules import GatewayRules
from .remote import REMOTE, network_of
from .request_id import HEADER

# Answers hold private data and are never pages; what differs sets its own and keeps it.
_DEFAULTS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_HTTPS = {"Strict-Transport-Security": "max-age=31536000"}


class ResponseHeaders:
    """Completes the responses of one app."""

    def __init__(self, rules: GatewayRules) -> None:
        self._defaults = CIMultiDict({**_DEFAULTS, **(_HTTPS if rules.is_https else {})})
        self._origins = rules.origins
        self._addresses, self._accounts = rules.addresses, rules.accounts

    async def add(self, request: web.Request, response: web.StreamResponse) -> None:
        """Complete a response just before it is sent: a signal of aiohttp."""
        self.complete(request, response)

    def complete(self, request: web.BaseRequest, response: web.StreamResponse) -> None:
        """Add the headers that the response has not set itself."""
        headers = response.headers
        headers.merge(self._defaults)
        headers["Server"] = "wellio"  # aiohttp's own names Python, aiohttp and both versions
        headers[HEADER] = REQUEST_ID.get() or ""
        if self._origins.are_named:
            headers.extend(self._origins.headers(request))
        if self._addresses.is_enabled and "RateLimit" not in headers:
            self._add_limits(request, headers)

    def _add_limits(self, request: web.BaseRequest, headers: "CIMultiDict[str]") -> None:
        """Say what is left of the budget that the request was a use of."""
        actor, remote = request.get(ACTOR), request.get(REMOTE)
        if actor is not None:
            budget, key = self._accounts, actor.user_id
        elif remote is not None:
            budget, key = self._addresses, network_of(remote)
        else:  # it was no request
            return
        headers["RateLimit-Policy"] = budget.policy
        headers["RateLimit"] = budget.left(key)


HEADERS = web.AppKey("headers", ResponseHeaders)
