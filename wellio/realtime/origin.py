"""Which web pages may connect: browsers send cookies and tokens along to any server they are told.

Programs other than browsers send no Origin and are not held up here.
"""

from collections.abc import Callable

from aiohttp import web
from yarl import URL

AllowOrigin = Callable[[str], bool]


def is_allowed(request: web.Request, allow_origin: AllowOrigin | None) -> bool:
    """Tell whether a request comes from no page, from a page of ours or from an allowed one."""
    origin = request.headers.get("Origin")
    if origin is None or _is_own(request, origin):
        return True
    return allow_origin is not None and allow_origin(origin)


def _is_own(request: web.Request, origin: str) -> bool:
    try:
        return URL(origin).authority == request.host
    except ValueError:
        return False


def cors_headers(request: web.Request) -> dict[str, str]:
    """Return what lets the page of an allowed origin read the response."""
    origin = request.headers.get("Origin")
    if origin is None:
        return {}
    headers = {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
    if request.method == "OPTIONS":
        headers["Access-Control-Allow-Methods"] = "GET, POST"
        asked = request.headers.get("Access-Control-Request-Headers")
        headers["Access-Control-Allow-Headers"] = asked or "Content-Type"
        headers["Access-Control-Max-Age"] = "600"
    return headers
