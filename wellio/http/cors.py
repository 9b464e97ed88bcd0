"""Which web pages may talk to us: browsers let a page read only what its origin may read.

One rule for REST, polling and WebSockets: a page is ours by what the owner configured, and another
one's by the list. An origin is compared as a whole and never echoed unless it is on the list; no
answer allows credentials, since tokens travel in a header of their own. Programs other than
browsers send no Origin and are not held up.
"""

from collections.abc import Iterable, Mapping

from aiohttp import hdrs, web

from wellio.config.origins import ANY, page_of, site_of, without_port

_VARY = "Origin"
_OWN_SCHEMES = frozenset({"http", "https"})
_EXPOSED = {
    "Access-Control-Expose-Headers": "ETag, Idempotent-Replayed, Location, RateLimit,"
    " RateLimit-Policy, Retry-After, X-Request-Id",
}
_PREFLIGHT = {
    # The last five are what browsers and their monitoring add to requests by themselves.
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, If-Match,"
    " If-None-Match, Range, X-Request-Id,"
    " Cache-Control, traceparent, tracestate, sentry-trace, baggage",
    "Access-Control-Allow-Methods": "DELETE, GET, HEAD, PATCH, POST, PUT",
    "Access-Control-Max-Age": "600",
}


class Origins:
    """The web sites whose pages may use the API and open sockets, beside our own.

    Attributes:
        are_named: Whether there are any.
    """

    def __init__(self, allowed: Iterable[str] = (), public_url: str | None = None) -> None:
        """Name them.

        Args:
            allowed: Such as `https://app.example`; `*` is every site.
            public_url: Where we are ourselves; None: wherever a request's Host says.
        """
        self._allowed = frozenset(allowed)
        self._is_open = ANY in self._allowed
        self.are_named = bool(self._allowed)
        self._public_site = None if public_url is None else site_of(public_url)

    def headers(self, request: web.BaseRequest) -> Mapping[str, str]:
        """Return what lets a page read the answer to a request, and keeps caches from mixing."""
        if self._is_open:
            return {"Access-Control-Allow-Origin": ANY, **_EXPOSED}
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is None or not self._allows(origin):
            return {"Vary": _VARY}
        return {"Access-Control-Allow-Origin": origin, "Vary": _VARY, **_EXPOSED}

    def preflight(self, request: web.BaseRequest) -> web.Response | None:
        """Answer a browser that asks whether a page may send a request; None: nobody asks that.

        The permission itself is in the `headers`, or is not.
        """
        asks = (hdrs.ORIGIN, hdrs.ACCESS_CONTROL_REQUEST_METHOD)
        if request.method != hdrs.METH_OPTIONS or not all(map(request.headers.__contains__, asks)):
            return None
        headers = _PREFLIGHT if self._allows(request.headers[hdrs.ORIGIN]) else None
        return web.Response(status=204, headers=headers)

    def may_connect(self, request: web.BaseRequest) -> bool:
        """Tell whether a request for a socket comes from no page, one of ours or an allowed one."""
        origin = request.headers.get(hdrs.ORIGIN)
        host = request.headers.get(hdrs.HOST, "")
        return origin is None or self._allows(origin) or self._is_own(origin, host)

    def _allows(self, origin: str) -> bool:
        return self._is_open or site_of(origin) in self._allowed

    def _is_own(self, origin: str, host: str) -> bool:
        """Compare a page with where we are; a proxy may have changed the Host on the way."""
        page = page_of(origin)
        if self._public_site is not None:
            return page == self._public_site
        scheme, _, authority = page.partition("://")
        return scheme in _OWN_SCHEMES and authority == without_port(host.lower(), scheme)
