"""Errors become answers here, once: every exception that leaves a handler, as problem+json."""

from typing import Final

import orjson
from aiohttp import web

from wellio.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    Gone,
    InternalError,
    Invalid,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    PreconditionFailed,
    Problem,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    UnsupportedMediaType,
)
from wellio.observe.log import REQUEST_ID

MEDIA_TYPE: Final = "application/problem+json"
BY_STATUS: Final[dict[int, type[Problem]]] = {
    problem.status: problem
    for problem in (
        BadRequest,
        Unauthorized,
        Forbidden,
        NotFound,
        MethodNotAllowed,
        Conflict,
        Gone,
        PreconditionFailed,
        PayloadTooLarge,
        UnsupportedMediaType,
        Invalid,
        TooManyRequests,
        InternalError,
        Unavailable,
    )
}


def problem_of(error: Exception) -> Problem:
    """Return the problem that an exception means; one that nobody planned is a 500."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, web.HTTPMethodNotAllowed):
        return MethodNotAllowed(headers={"Allow": allowed(error)})
    if isinstance(error, web.HTTPException):
        # aiohttp's texts are left out: they quote the request.
        return BY_STATUS.get(error.status, BadRequest if error.status < 500 else InternalError)()
    if isinstance(error, web.RequestPayloadError):
        return BadRequest("The body does not arrive as its headers announce.")
    return InternalError()


def allowed(error: web.HTTPMethodNotAllowed) -> str:
    """Return the methods that a resource has, for `Allow`."""
    return ", ".join(sorted({*error.allowed_methods, "OPTIONS"}))


def problem_response(problem: Problem) -> web.Response:
    """Return the answer that carries a problem."""
    headers = {"Content-Type": MEDIA_TYPE, **problem.headers}
    if problem.status == Unauthorized.status:
        headers.setdefault("WWW-Authenticate", "Bearer")
    body = orjson.dumps(problem.to_dict(REQUEST_ID.get()))
    return web.Response(body=body, status=problem.status, headers=headers)
