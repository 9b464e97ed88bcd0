"""Reads what a request carries into typed values, and never lets a malformed one become a 500."""

import asyncio
import re
from collections.abc import Iterable
from typing import Any

import orjson
import pydantic
from aiohttp import web

from wellio.errors import (
    BadRequest,
    FieldError,
    Invalid,
    PayloadTooLarge,
    UnsupportedMediaType,
    invalid_from_pydantic,
)

MAX_DEPTH = 64
"""Levels of arrays and objects in a body; a response could not nest as deep as orjson reads."""

# A string, and the colon that makes it a name.
_NAMES = re.compile(rb'"(?:[^"\\]++|\\.)*+"(?=\s*(:)?)')


class BodyReader:
    """Reads JSON bodies of one type."""

    def __init__(self, type_: Any, max_bytes: int, timeout_s: float) -> None:
        self._adapter = pydantic.TypeAdapter[Any](type_)
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s

    async def receive(self, request: web.Request) -> bytes:
        """Return a request's body as it comes.

        Raises:
            Problem: 413, 415.
        """
        if request.content_type != "application/json":
            raise UnsupportedMediaType("The body must be application/json.")
        if (request.charset or "utf-8").lower() != "utf-8":
            raise UnsupportedMediaType("The body must be UTF-8.")
        if "Content-Encoding" in request.headers:
            raise UnsupportedMediaType("The body must not be compressed.")
        return await self._bytes(request)

    def parse(self, content: bytes) -> Any:
        """Return what a body holds.

        Raises:
            Problem: 400, or 422 with every wrong field.
        """
        return _validate(self._adapter, parse_json(content))

    async def _bytes(self, request: web.Request) -> bytes:
        if (request.content_length or 0) > self._max_bytes:
            raise self._too_large()
        if request.content.is_eof():  # most come with their head, and need no deadline
            return self._checked(request.content.read_nowait())
        body = b""
        try:
            async with asyncio.timeout(self._timeout_s):
                while chunk := await request.content.readany():
                    body = self._checked(body + chunk)
        except TimeoutError:
            raise BadRequest("The body does not arrive in time.", code="body_timeout") from None
        return body

    def _checked(self, body: bytes) -> bytes:
        if len(body) > self._max_bytes:
            raise self._too_large()
        return body

    def _too_large(self) -> PayloadTooLarge:
        return PayloadTooLarge(f"The body may have {self._max_bytes} bytes.")


class QueryReader:
    """Reads queries of one model."""

    def __init__(self, model: Any) -> None:
        self._adapter = pydantic.TypeAdapter[Any](model)
        self._fields = self._adapter.json_schema(by_alias=True).get("properties", {})
        self._lists = frozenset(name for name, it in self._fields.items() if _is_list(it))

    def read(self, request: web.Request) -> Any:
        """Return a request's query.

        Raises:
            BadRequest: It is no UTF-8.
            Invalid: It names every wrong field, and every one that is there twice.
        """
        data: dict[str, Any] = {}
        errors = []
        for name, value in _pairs(request):
            if name in self._lists:
                data.setdefault(name, []).append(value)
                continue
            if name in data and name in self._fields:
                errors.append(FieldError(f"/{name}", "duplicate", "must be there once"))
            data[name] = value
        try:
            query = _validate(self._adapter, data)
        except Invalid as problem:
            errors += problem.errors
        if errors:
            raise Invalid("Some fields are wrong.", errors=errors)
        return query


def parse_json(body: bytes) -> Any:
    """Parse JSON as strictly as anybody does, so that no two readers see two different things.

    Raises:
        BadRequest: It is malformed, too deep, or an object in it names a member twice.
    """
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest("The body is no JSON.") from error
    names = _count_names(data, MAX_DEPTH)
    # Every name has a colon, so where there are no more colons than names there is no second one
    # of a name; where there are more, they stand inside texts, and the exact count decides.
    if body.count(b":") != names and sum(map(bool, _NAMES.findall(body))) != names:
        raise BadRequest("An object in the body names a member twice.")
    return data


def _count_names(data: Any, depth: int) -> int:
    names = 0
    values: Iterable[Any]
    if type(data) is dict:
        names, values = len(data), data.values()
    elif type(data) is list:
        values = data
    else:
        return 0
    if not depth:
        raise BadRequest(f"The body nests deeper than {MAX_DEPTH} levels.")
    for value in values:
        if type(value) is dict or type(value) is list:
            names += _count_names(value, depth - 1)
    return names


def _pairs(request: web.Request) -> Iterable[tuple[str, str]]:
    if not request.query_string:
        return ()
    try:
        request.query_string.encode()
    except UnicodeEncodeError as error:
        raise BadRequest("The query is no UTF-8.") from error
    return request.query.items()


def _validate(adapter: pydantic.TypeAdapter[Any], data: Any) -> Any:
    try:
        return adapter.validate_python(data, by_alias=True, by_name=False)
    except pydantic.ValidationError as error:
        raise invalid_from_pydantic(error) from error


def _is_list(schema: dict[str, Any]) -> bool:
    return any(it.get("type") == "array" for it in (schema, *schema.get("anyOf", ())))
