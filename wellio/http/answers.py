"""Makes the answer of what a handler returned: a row, a slice of rows, or JSON already."""

from collections.abc import Callable
from typing import Any

import orjson
from aiohttp import hdrs, web

from wellio.errors import PluginError
from wellio.wire import Page

from .endpoint import Answer, Endpoint, Reply

NO_CONTENT = 204
CREATED = 201


def is_page(returns: Any) -> bool:
    """Tell whether an endpoint that returns this answers with a page of a list."""
    return isinstance(returns, type) and issubclass(returns, Page)


def response_of(declared: Endpoint, request: web.Request, result: Any) -> web.StreamResponse:
    """Make the response to a request of what its handler returned.

    Raises:
        PluginError: The answer has no member that its location needs.
    """
    if declared.reply is not None:
        return respond(declared.reply(result), declared.status)
    if declared.status == NO_CONTENT:
        return web.Response(status=NO_CONTENT)
    answer = _json_of(declared, result)
    response = respond(answer, declared.status)
    if declared.location is not None:
        response.headers[hdrs.LOCATION] = _location(declared.location, request, result, answer)
    return response


def _json_of(declared: Endpoint, result: Any) -> Any:
    if (wire := declared.wire) is None:
        return result
    if is_page(declared.returns):
        return {"items": [wire(row) for row in result.rows], "nextCursor": result.next_cursor}
    return wire(result)


def _location(
    location: str | Callable[[Any], str], request: web.Request, result: Any, answer: Any
) -> str:
    if not isinstance(location, str):
        return location(result)
    try:
        place = location.format_map(answer)
    except (KeyError, TypeError) as error:
        raise PluginError(f"the answer of {request.path} has nothing for {location!r}") from error
    return place if place.startswith("/") else f"{request.rel_url.raw_path}/{place}"


def told(answer: Any, names: tuple[str, ...]) -> Any:
    """Return what is left of an answer for who may not read all of it."""
    if not isinstance(answer, dict):
        return answer
    return {name: answer[name] for name in names if name in answer}


def respond(answer: Answer, status: int) -> web.StreamResponse:
    """Turn what a handler returned into a response.

    Args:
        answer: A dict, JSON already, a `Reply`, or a response already.
        status: The status of a dict, or of a reply that says none.
    """
    # The usual case first: the look at aiohttp's class is a slow one.
    if type(answer) is dict or type(answer) is orjson.Fragment:
        return _json(answer, status)
    if isinstance(answer, web.StreamResponse):
        return answer
    if not isinstance(answer, Reply):
        return _json(answer, status)
    status = answer.status or status
    if answer.data is None:
        return web.Response(status=status, headers=answer.headers)
    response = _json(answer.data, status)
    response.headers.update(answer.headers)
    return response


def _json(data: Any, status: int) -> web.Response:
    return web.Response(body=orjson.dumps(data), status=status, content_type="application/json")
