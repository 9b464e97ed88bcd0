"""A client of the REST API that holds every answer against the API's own description."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import aiohttp
import orjson


class HasToken(Protocol):
    """Somebody whom a request can come from."""

    @property
    def token(self) -> str:
        """Return their access token."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer.

    Attributes:
        status: The status code.
        headers: The headers, by any case of their names.
        data: The parsed JSON, or None where there is none.
        content: The body as it came.
    """

    status: int
    headers: Mapping[str, str]
    data: Any
    content: bytes

    @property
    def code(self) -> str | None:
        """Return a problem's code; None when this is no problem."""
        return self.data["code"] if self.status >= 400 and self.data else None


class Conforms(Protocol):
    """Holds an answer against the API's description."""

    def __call__(
        self, method: str, path: str, reply: Reply, /, *, is_documented: bool = False
    ) -> None:
        """Fail unless the answer is as described; `is_documented` refuses paths that are not."""


@dataclass(frozen=True, slots=True)
class Api:
    """Sends requests as one person, or as nobody.

    Attributes:
        session: Knows the server's address.
        conforms: Checks each answer.
        token: The access token that requests carry.
    """

    session: aiohttp.ClientSession
    conforms: Conforms
    token: str | None = None

    def as_(self, user: HasToken | None) -> "Api":
        """Return a client for another person; None is nobody."""
        return replace(self, token=user.token if user else None)

    async def request(
        self,
        method: str,
        path: str,
        json: Any = None,
        *,
        status: int | None = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Reply:
        """Send a request and check that the answer is as described.

        Args:
            method: The HTTP method.
            path: Relative to `/api/v1`; from the root when it begins with `//`.
            json: The body.
            status: The status that is asserted; None asserts none. A 404 of a path that is no
                route's fails: it would hold for every misspelt one.
            query: The query's parameters.
            headers: More headers; they win over the client's own.
            content: A body that is no JSON.
        """
        path = path[1:] if path.startswith("//") else f"/api/v1{path}"
        own = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if json is not None:
            own["Content-Type"], content = "application/json", orjson.dumps(json)
        async with self.session.request(
            method, path, params=query, headers={**own, **(headers or {})}, data=content
        ) as response:
            body = await response.read()
            data = orjson.loads(body) if response.content_type.endswith("json") and body else None
            reply = Reply(response.status, response.headers, data, body)
        assert status in {None, reply.status}, f"{method} {path}: {reply.status} {body.decode()}"
        # A 404 that a test asserts is a route's word, not a misspelt path.
        self.conforms(method, path, reply, is_documented=status == 404)
        return reply

    async def get(self, path: str, **options: Any) -> Reply:
        """Send a GET."""
        return await self.request("GET", path, **options)

    async def post(self, path: str, json: Any = None, **options: Any) -> Reply:
        """Send a POST."""
        return await self.request("POST", path, json, **options)

    async def put(self, path: str, json: Any = None, **options: Any) -> Reply:
        """Send a PUT."""
        return await self.request("PUT", path, json, **options)

    async def patch(self, path: str, json: Any = None, **options: Any) -> Reply:
        """Send a PATCH."""
        return await self.request("PATCH", path, json, **options)

    async def delete(self, path: str, **options: Any) -> Reply:
        """Send a DELETE."""
        return await self.request("DELETE", path, **options)
