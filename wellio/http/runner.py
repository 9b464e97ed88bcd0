"""The server's outermost layer: answers what is no request yet in the form of everything else.

aiohttp answers what its parser refuses before any application sees it: in plain text that quotes
the input, with a traceback in the log each time. No setting changes that, so this specialises the
class that does it. What a connection may take in time and size is said here too.
"""

from collections.abc import Coroutine
from typing import Any, cast

from aiohttp import web
from aiohttp.web_request import BaseRequest

from wellio.config import ServerConfig
from wellio.errors import BadRequest, InternalError, Problem
from wellio.log import REQUEST_ID, get_logger

from .headers import HEADERS, ResponseHeaders
from .problems import problem_of, problem_response
from .request_id import request_id_of

_log = get_logger(__name__)
_MAX_HEADERS = 64
_MAX_LINE_BYTES = 8190
_LINGERING_S = 1.0


class Runner(web.AppRunner):
    """Runs an app as aiohttp's own runner does, except for the answers to what is no request."""

    def __init__(self, app: web.Application, settings: ServerConfig) -> None:
        """Run an app that `Http` made.

        Args:
            app: The app.
            settings: The times that a connection may take.
        """
        super().__init__(
            app,
            access_log=None,
            auto_decompress=False,  # nobody takes compressed bodies, so no bomb goes off
            keepalive_timeout=settings.head_timeout_s,  # counts until a whole head is there
            lingering_time=_LINGERING_S,  # for the rest of a body that was refused
            max_field_size=_MAX_LINE_BYTES,
            max_headers=_MAX_HEADERS,
            max_line_size=_MAX_LINE_BYTES,
            shutdown_timeout=settings.shutdown_timeout_s,
        )

    async def _make_server(self) -> web.Server:
        server = await super()._make_server()
        server.__class__ = _Server
        cast(_Server, server).headers = self.app[HEADERS]
        return server


class _Server(web.Server):
    headers: ResponseHeaders

    def __call__(self) -> web.RequestHandler:
        return _Protocol(self, self.headers, loop=self._loop, **self._kwargs)


class _Protocol(web.RequestHandler):
    __slots__ = ("_headers",)

    def __init__(self, server: _Server, headers: ResponseHeaders, **options: Any) -> None:
        super().__init__(server, **options)
        self._headers = headers

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
        return self._finished(request, problem)

    def finish_response(  # no coroutine of its own: it is on the path of every request
        self, request: BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> Coroutine[Any, Any, tuple[web.StreamResponse, bool]]:
        """Send a response; one that aiohttp itself made of an error takes our form."""
        if resp.status >= 400 and isinstance(resp, web.HTTPException):
            resp = self._finished(request, problem_of(resp))
        return super().finish_response(request, resp, start_time)

    def log_exception(self, *args: Any, **options: Any) -> None:
        """Log what nobody caught, unless it is a body that broke off after it was refused."""
        if not isinstance(options.get("exc_info"), web.RequestPayloadError):
            super().log_exception(*args, **options)

    def _finished(self, request: BaseRequest, problem: Problem) -> web.Response:
        REQUEST_ID.set(request_id_of(request))
        response = problem_response(problem)
        self._headers.complete(request, response)
        response.force_close()
        return response
