"""Reads what a request carries into typed values, and never lets a malformed one become a 500."""

import asyncio
import re
from collections.abc import Iterable
from typing import Any

import orjson
import pydantic
from aiohttp import HttpVersion11, hdrs, web

from wellio.errors import (
    BadRequest,
    BodyTimeout,
    FieldError,
    Invalid,
    PayloadTooLarge,
    UnsupportedMediaType,
)
from wellio.field_errors import invalid_from_pydantic
from wellio.strict.misfits import has_long_number, misfits, read_exactly
from wellio.strict.texts import json_of
from wellio.wire import read_json

MAX_DEPTH = 64
"""Levels of arrays and objects in a body; a response could not nest as deep as orjson reads."""
MAX_CONTAINERS = 20_000
"""Arrays and objects in a body: an empty one takes two bytes there and a hundred here."""
EXPECTED = "100-continue"

# aiohttp's own reader of this header gives it to a parser of mails, whose time and depth grow with
# what it is sent.
_JSON = re.compile(
    r"""application/json\s*(?:;\s*charset=(?:utf-?8|"utf-?8")\s*)?;?""", re.ASCII | re.IGNORECASE
)
_STRINGS = re.compile(rb'"(?:[^"\\]++|\\.)*+"')
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
        if not _JSON.fullmatch(request.headers.get(hdrs.CONTENT_TYPE, "")):
            raise UnsupportedMediaType("The body must be application/json, in UTF-8.")
        if hdrs.CONTENT_ENCODING in request.headers:
            raise UnsupportedMediaType("The body must not be compressed.")
        return await self._bytes(request)

    def parse(self, content: bytes) -> Any:
        """Return what a body holds.

        Raises:
            Problem: 400, or 422 with every wrong field.
        """
        parse_json(content)
        return _read(self._adapter, content)

    async def _bytes(self, request: web.Request) -> bytes:
        if (request.content_length or 0) > self._max_bytes:
            raise self._too_large()
        if request.content.is_eof():  # most come with their head, and need no deadline
            whole = request.content.read_nowait()
            self._check(whole)
            return whole
        if hdrs.EXPECT in request.headers:
            await ask_for_body(request)
        body = bytearray()
        try:
            async with asyncio.timeout(self._timeout_s):
                while chunk := await request.content.readany():
                    body += chunk
                    self._check(body)
        except TimeoutError:
            raise BodyTimeout from None
        return bytes(body)

    def _check(self, body: bytes | bytearray) -> None:
        if len(body) > self._max_bytes:
            raise self._too_large()

    def _too_large(self) -> PayloadTooLarge:
        return PayloadTooLarge(f"The body may have {self._max_bytes} bytes.")


class QueryReader:
    """Reads queries of one model."""

    def __init__(self, model: Any) -> None:
        self._adapter = pydantic.TypeAdapter[Any](model)
        self._fields = self._adapter.json_schema(by_alias=True).get("properties", {})
        types = {name: _types(it) for name, it in self._fields.items()}
        self._lists = frozenset(name for name, it in types.items() if "array" in it)
        self._types = {
            name: _types(_items(self._fields[name])) if name in self._lists else it
            for name, it in types.items()
        }

    def read(self, request: web.Request) -> Any:
        """Return a request's query.

        Raises:
            BadRequest: It is no UTF-8.
            Invalid: It names every wrong field, and every one that is there twice.
        """
        data: dict[str, Any] = {}
        errors: dict[str, FieldError] = {}
        for name, text in _pairs(request):
            value = json_of(text, self._types.get(name, frozenset()))
            if name in self._lists:
                data.setdefault(name, []).append(value)
                continue
            if name in data and name in self._fields:
                errors[name] = FieldError(f"/{name}", "duplicate", "must be there once")
            data[name] = value
        wrong = list(errors.values())
        content = orjson.dumps(data)
        try:
            query = _read(self._adapter, content)
            if has_long_number(content):
                wrong += misfits(_read_exactly(content))
        except Invalid as problem:
            wrong += problem.errors
        if wrong:
            raise Invalid("Some fields are wrong.", errors=wrong)
        return query


def parse_json(body: bytes) -> Any:
    """Parse JSON as strictly as anybody does, so that no two readers see two different things.

    Raises:
        BadRequest: It is malformed, too deep, of too many parts, or an object in it names a member
            twice.
        Invalid: It holds what JSON can say and nothing here can hold; each is named.
    """
    if _containers(body) > MAX_CONTAINERS and _containers(_STRINGS.sub(b"", body)) > MAX_CONTAINERS:
        raise BadRequest(f"The body has more than {MAX_CONTAINERS} arrays and objects.")
    try:
        data = orjson.loads(body)
        is_odd = has_long_number(body)  # it may have been rounded
    except orjson.JSONDecodeError:
        data = _read_exactly(body)
        is_odd = True
    names = _count_names(data, MAX_DEPTH)
    # Every name has a colon, so where there are no more colons than names there is no second one
    # of a name; where there are more, they stand inside texts, and the exact count decides.
    if body.count(b":") != names and sum(map(bool, _NAMES.findall(body))) != names:
        raise BadRequest("An object in the body names a member twice.")
    if is_odd and (wrong := list(misfits(_read_exactly(body)))):
        raise Invalid("Some fields are wrong.", errors=wrong)
    return data


def _read_exactly(body: bytes) -> Any:
    try:
        return read_exactly(body.decode())
    except (ValueError, RecursionError) as error:
        raise BadRequest("The body is no JSON.") from error


async def ask_for_body(request: web.Request) -> None:
    """Ask a client for its body that waits to be asked (`Expect: 100-continue`)."""
    if (
        request.headers.get(hdrs.EXPECT, "").lower() == EXPECTED
        and request.version >= HttpVersion11
    ):
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # no part of the answer


def _containers(body: bytes) -> int:
    return body.count(b"[") + body.count(b"{")


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


def _read(adapter: pydantic.TypeAdapter[Any], content: bytes) -> Any:
    try:
        return read_json(adapter, content)
    except pydantic.ValidationError as error:
        raise invalid_from_pydantic(error) from error


def _types(schema: dict[str, Any]) -> frozenset[str]:
    """Return the types of JSON that a field of a query may have."""
    return frozenset(it.get("type", "") for it in (schema, *schema.get("anyOf", ())))


def _items(schema: dict[str, Any]) -> dict[str, Any]:
    lists = (it for it in (schema, *schema.get("anyOf", ())) if it.get("type") == "array")
    items: dict[str, Any] = next(lists).get("items", {})
    return items
