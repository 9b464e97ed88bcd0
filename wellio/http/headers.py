"""Headers that every response carries, whoever made it: an endpoint, aiohttp, a WebSocket."""

from aiohttp import web
from multidict import CIMultiDict

from wellio.log import REQUEST_ID

from .request_id import HEADER

# Answers hold private data and are never pages; what differs sets its own and keeps it.
_DEFAULTS = CIMultiDict(
    {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
)


async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """Complete a response just before it is sent: a signal of aiohttp."""
    complete(response)


def complete(response: web.StreamResponse) -> None:
    """Add the headers that the response has not set itself."""
    headers = response.headers
    headers.merge(_DEFAULTS)
    headers["Server"] = "wellio"  # aiohttp's own names Python, aiohttp and both versions
    headers[HEADER] = REQUEST_ID.get() or ""
