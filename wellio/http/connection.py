"""One connection: what it may take in bytes and time, and its answers to what is no request.

aiohttp answers what its parser refuses before any application sees it: in plain text that quotes
the input, with a traceback in the log each time. It puts no bound on a head as a whole, and none on
the time that a client leaves an answer unread. No setting changes that, so this specialises the
class that does it.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from aiohttp import hdrs, web
from aiohttp.http import RawRequestMessage
from aiohttp.web_request import BaseRequest
from multidict import CIMultiDict, CIMultiDictProxy

from wellio.errors import BadRequest, InternalError, Problem
from wellio.observe.log import REQUEST_ID, get_logger

from .headers import ResponseHeaders
from .parsing import EXPECTED
from .problems import problem_of, problem_response
from .request_id import request_id_of

MAX_HEAD_BYTES = 32 * 1024
"""So much of a head is kept while the rest of it is on its way."""

_SWITCHED = 101
_log = get_logger(__name__)
RequestFactory = Callable[..., BaseRequest]


class Connection(web.RequestHandler):
    """A connection of aiohttp's server, held to bounds."""

    __slots__ = ("_head_bytes", "_headers", "_too_late", "_unread_timeout_s")

    def __init__(
        self,
        server: web.Server,
        headers: ResponseHeaders,
        unread_timeout_s: float,
        **options: Any,
    ) -> None:
        """Begin.

        Args:
            server: aiohttp's server.
            headers: Completes the answers that are made here.
            unread_timeout_s: How long an answer may lie unread.
            options: aiohttp's own.
        """
        super().__init__(server, **options)
        self._headers = headers
        self._unread_timeout_s = unread_timeout_s
        self._too_late: asyncio.TimerHandle | None = None
        self._head_bytes = 0

    def data_received(self, data: bytes) -> None:
        """Take what came, and cut off a head that grows beyond measure."""
        super().data_received(data)
        if self._waiter is None or self._waiter.done():  # a request is under way
            self._head_bytes = 0
            return
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES:
            self.force_close()

    def pause_writing(self) -> None:
        """Note that the client does not read; a socket's own rules say what it may miss."""
        super().pause_writing()
        if not self._upgraded:
            self._too_late = self._loop.call_later(self._unread_timeout_s, self._give_up)

    def resume_writing(self) -> None:
        """Note that it reads again."""
        super().resume_writing()
        self._forget_deadline()

    def connection_lost(self, exc: BaseException | None) -> None:
        """End."""
        super().connection_lost(exc)
        self._forget_deadline()

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
        elif resp.status != _SWITCHED and _may_be_misread(request.headers):
            resp.force_close()
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

    def _forget_deadline(self) -> None:
        if self._too_late is not None:
            self._too_late.cancel()
            self._too_late = None

    def _give_up(self) -> None:
        if self.transport is not None:
            self.transport.abort()


def _may_be_misread(headers: Mapping[str, str]) -> bool:
    """Tell whether another reader may see something else in what follows a request.

    After an upgrade that is declined, it may be of the other protocol; after a coding of the body
    that only the gateway refuses, a proxy may have found the body's end elsewhere.
    """
    return hdrs.UPGRADE in headers or has_odd_coding(headers)


def has_odd_coding(headers: Mapping[str, str]) -> bool:
    """Tell whether a body is coded in another way than in chunks."""
    coding = headers.get(hdrs.TRANSFER_ENCODING)
    return coding is not None and coding.lower() != "chunked"


def without_traps(make: RequestFactory) -> RequestFactory:
    """Have requests made without two parts that nothing here asks for and aiohttp stumbles over.

    One is the authority that a target may name: `http://any/path`. It is decoded, and where it is
    no host the error would end the connection's task and leave the connection open for ever. The
    other is an `Expect` of anything but `100-continue`: it is quoted in an answer, before the
    gateway, and where it is no UTF-8 that fails. A server may do without either (RFC 9110).
    """

    def made(message: RawRequestMessage, *args: Any) -> BaseRequest:
        if message.url.absolute:
            message = message._replace(url=message.url.relative())
        if message.headers.get(hdrs.EXPECT, EXPECTED).lower() != EXPECTED:
            headers = CIMultiDict(message.headers)
            del headers[hdrs.EXPECT]
            message = message._replace(headers=CIMultiDictProxy(headers))
        return make(message, *args)

    return made
