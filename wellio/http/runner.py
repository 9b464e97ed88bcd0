"""The server's outermost layer: answers what is no request yet in the form of everything else.

aiohttp answers what its parser refuses before any application sees it: in plain text that quotes
the input, with a traceback in the log each time. No setting changes that, so this specialises the
class that does it.
"""

from collections.abc import Coroutine
from typing import Any

from aiohttp import web
from aiohttp.web_request import BaseRequest

from wellio.errors import BadRequest, InternalError, Problem
from wellio.log import REQUEST_ID, get_logger

from .headers import complete
from .problems import problem_of, problem_response
from .request_id import request_id_of

_log = get_logger(__name__)


class Runner(web.AppRunner):
    """Runs an app as aiohttp's own runner does, except for the answers to what is no request."""

    async def _make_server(self) -> web.Server:
        server = await super()._make_server()
        server.__class__ = _Server
        return server


class _Server(web.Server):
    def __call__(self) -> web.RequestHandler:
        return _Protocol(self, loop=self._loop, **self._kwargs)


class _Protocol(web.RequestHandler):
    __slots__ = ()

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what the parser refused, and what went wrong outside of the gateway."""
        if isinstance(exc, ConnectionError) or request.writer.output_size:
            raise ConnectionError from exc  # there is nobody left to answer
        problem: Problem = BadRequest("This is no HTTP request.")
        if status != problem.status:
            problem = InternalError()
            _log.error("request failed", error=type(exc).__qualname__, exc_info=exc)
        return _finished(request, problem)

    def finish_response(  # no coroutine of its own: it is on the path of every request
        self, request: BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> Coroutine[Any, Any, tuple[web.StreamResponse, bool]]:
        """Send a response; one that aiohttp itself made of an error takes our form."""
        if resp.status >= 400 and isinstance(resp, web.HTTPException):
            resp = _finished(request, problem_of(resp))
        return super().finish_response(request, resp, start_time)


def _finished(request: BaseRequest, problem: Problem) -> web.Response:
    REQUEST_ID.set(request_id_of(request))
    response = problem_response(problem)
    complete(response)
    response.force_close()
    return response
