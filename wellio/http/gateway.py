"""The gateway: the one middleware, around every route, unknown ones too.

It gives the request its id, holds it against the limits, turns errors into problems, counts and
logs. One middleware, since each costs about a microsecond on every request. Who may do what is the
route's business (`route.py`).
"""

import re
import time

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from wellio.audit import ADDRESS
from wellio.errors import BadRequest, Problem
from wellio.observe.log import REQUEST_ID, get_logger
from wellio.observe.metrics import Traffic

from .connection import has_odd_coding
from .gateway_rules import GatewayRules
from .problems import allowed, problem_of, problem_response
from .remote import REMOTE, network_of
from .request_id import request_id_of
from .route import Route

_SWITCHED = 101
_HOST = re.compile(r"[\w.-]*(:\d*)?|\[[\da-fA-F:.]+\](:\d*)?", re.ASCII)
_access = get_logger("wellio.access")


class Gateway:
    """What every request goes through."""

    def __init__(self, rules: GatewayRules, traffic: Traffic, *, access_log: bool = False) -> None:
        """Set up the gateway.

        Args:
            rules: What is held against every request.
            traffic: Where requests are counted.
            access_log: Whether each request is a line of the log.
        """
        self._proxies, self._origins, self._addresses = (
            rules.proxies,
            rules.origins,
            rules.addresses,
        )
        self._traffic = traffic
        self._access_log = access_log

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a request, whatever its handler does."""
        started = time.perf_counter()
        REQUEST_ID.set(request_id_of(request))
        try:
            response = self._admit(request) or await handler(request)
        except Exception as error:  # noqa: BLE001 - whatever it is, the client gets an answer
            response = _answer(request, error)
        seconds = time.perf_counter() - started
        route = _route(request)
        if response.status != _SWITCHED:  # a socket's life is no latency
            self._traffic.count(request.method, route, response.status, seconds)
        if self._access_log:
            ms = round(seconds * 1000, 2)
            _access.info(
                "request", method=request.method, route=route, status=response.status, ms=ms
            )
        return response

    def _admit(self, request: web.Request) -> web.StreamResponse | None:
        """Refuse a request, or answer it here if it only asks what a page may do."""
        remote = request[REMOTE] = self._proxies.client_of(request)
        ADDRESS.set(remote)
        self._addresses.spend(network_of(remote))
        if not _HOST.fullmatch(request.headers.get(hdrs.HOST, "")):
            raise BadRequest("The Host is none.")
        if has_odd_coding(request.headers):
            raise BadRequest("The only Transfer-Encoding is chunked.")
        return self._origins.preflight(request)


def _route(request: web.Request) -> str:
    """Return the template of the route, which is all that may be known of a path."""
    resource = request.match_info.route.resource
    return "unknown" if resource is None else resource.canonical


def _answer(request: web.Request, error: Exception) -> web.StreamResponse:
    """Return what a failed request is answered; aiohttp deals with what is raised instead."""
    if isinstance(error, web.HTTPMethodNotAllowed) and request.method == hdrs.METH_OPTIONS:
        return web.Response(status=204, headers={"Allow": allowed(error)})
    is_answer = isinstance(error, web.HTTPException) and error.status < 400
    if is_answer or (isinstance(error, ConnectionError) and _is_gone(request)):
        raise error
    problem = problem_of(error)
    if problem.status >= 500:
        _report(request, error, problem)
    if request.writer.output_size:
        # Half an answer is out; only an end of the connection tells the client that it is one.
        raise ConnectionResetError("the answer broke off") from error
    return problem_response(problem)


def _is_gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


def _report(request: web.Request, error: Exception, problem: Problem) -> None:
    """Write the line that an operator looks for, in the name of the handler's plugin."""
    handler = request.match_info.handler
    route = getattr(handler, "__self__", None)
    log = get_logger((route.handler if isinstance(route, Route) else handler).__module__)
    where = {"method": request.method, "route": _route(request), "status": problem.status}
    if isinstance(error, Problem):
        log.warning("request refused", code=problem.code, **where)
    else:
        log.error("request failed", error=type(error).__qualname__, exc_info=error, **where)
