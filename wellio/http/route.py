"""A route: keeps what an endpoint declares; `answers.py` makes JSON of what its handler returns."""

import inspect
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import orjson
from aiohttp import hdrs, web

from wellio.access.actor import Actor
from wellio.access.policy import Policies
from wellio.audit import API_KEY
from wellio.errors import EndedProcess, FieldError, Invalid, NotFound, PluginError
from wellio.ids import is_id
from wellio.observe.slow import Slow

from .answers import is_page, response_of, told
from .auth import Authentication
from .endpoint import (
    ACTOR,
    ANY_SCOPE,
    MAX_BODY_BYTES,
    MAX_PUBLIC_BODY_BYTES,
    Endpoint,
    Handler,
)
from .etag import IF_MATCH, if_match_of, tagged
from .idempotency import HEADER, Idempotency
from .parsing import BodyReader, QueryReader, ask_for_body


class Route:
    """One endpoint of one object.

    Attributes:
        endpoint: What was declared.
        handler: The object's method.
        path: As the router knows it.
        parameters: The names in it.
        scope: What an API key must hold, or `*`; None: no key may call it.
        readers: Of a write: the scopes of which one shows an API key its answer; None: whoever may
            call it is shown that.
        idempotency: What answers requests with a key; None where a key has no effect.
        is_patch: It may be told on which state of its object to insist.
        is_tagged: Its answer is one object, whose state has a tag.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        handler: Handler,
        authentication: Authentication,
        policies: Policies,
        body_timeout_s: float,
        idempotency: Idempotency | None = None,
        scopes: frozenset[str] = frozenset(),
        slow: Slow | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.handler = handler
        self.path = endpoint.full_path
        self.parameters = endpoint.parameters
        self.ids = tuple(name for name in self.parameters if name == "id" or name.endswith("_id"))
        self.scope = endpoint.permission if endpoint.permission in scopes else endpoint.scope
        self.readers: frozenset[str] | None = None
        takes_key = endpoint.method == hdrs.METH_POST and not (endpoint.public or endpoint.secret)
        self.idempotency = idempotency if takes_key else None
        self.is_patch = endpoint.method == hdrs.METH_PATCH
        self.is_tagged = self.is_patch or (
            endpoint.method == hdrs.METH_GET and not endpoint.public and _is_object(endpoint)
        )
        self._policies = policies
        self._slow = slow or Slow()
        self._authenticate = authentication.from_request
        self._query = QueryReader(endpoint.query) if endpoint.query is not None else None
        self._reads = endpoint.query is not None or endpoint.body is not None
        self._body = (
            BodyReader(endpoint.body, _max_body_bytes(endpoint), body_timeout_s)
            if endpoint.body is not None
            else None
        )

    def __str__(self) -> str:
        return f"{self.endpoint.method} {self.path} ({self.handler.__qualname__})"

    def check(self, permissions: frozenset[str]) -> None:
        """Refuse a declaration that cannot hold.

        Raises:
            PluginError: It does not fit its method, or names what nobody registered.
        """
        declared = self.endpoint
        takes = inspect.signature(self.handler).parameters.keys() - {"request"}
        gets = {name for name in ("query", "body") if getattr(declared, name) is not None}
        if takes != gets:
            raise PluginError(f"{self}: takes {sorted(takes)}, is given {sorted(gets)}")
        if declared.public and (declared.permission or declared.scope or declared.object):
            raise PluginError(f"{self}: is public and asks who is there")
        if declared.permission and declared.scope:
            raise PluginError(f"{self}: its permission is what an API key needs too")
        for name in (declared.permission, declared.scope):
            if name and name not in permissions | {ANY_SCOPE}:
                raise PluginError(f"{self}: nobody registered the permission {name}")
        if declared.object:
            kind, parameter = declared.object
            if kind not in self._policies:
                raise PluginError(f"{self}: nobody registered a policy of {kind}")
            if parameter not in self.parameters:
                raise PluginError(f"{self}: {parameter} is not in its path")
        if declared.signed_in and (declared.public or declared.permission):
            raise PluginError(f"{self}: is for whoever signed in, or it is not")
        if not (declared.permission or declared.signed_in or declared.public or declared.object):
            raise PluginError(
                f"{self}: who may call it? It needs a permission or an object, or says"
                " signed_in=True for whoever signed in, or public=True for everybody"
            )

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request.

        Raises:
            Problem: Whatever refuses it.
        """
        declared = self.endpoint
        if not declared.public:
            actor = request[ACTOR] = await self._authenticate(request)
            API_KEY.set(actor.key_id)
            self._require_permission(actor)
        if self.parameters:
            self._check_parameters(request)
        if declared.object is not None:
            kind, parameter = declared.object
            object_id = request.match_info[parameter]
            await self._policies.check(request[ACTOR], declared.action, kind, object_id)
        given, content = await self._read(request) if self._reads else ({}, b"")
        if self._body is None and hdrs.EXPECT in request.headers:
            await ask_for_body(request)
        if self.is_tagged:
            return await self._handle_tagged(request, given)
        if self.idempotency is None or HEADER not in request.headers:
            return self._render(request, await self._run(request, given))
        run = partial(self._run, request, given)
        render = partial(self._render, request)
        # A key is not its maker: what one of them is answered may be more than the other may see.
        caller = request[ACTOR].key_id or request[ACTOR].user_id
        return await self.idempotency.once(request, content, caller, run, render)

    async def _handle_tagged(
        self, request: web.Request, given: dict[str, Any]
    ) -> web.StreamResponse:
        """Answer with an object's state, or with what a PATCH made of it."""
        if not self.is_patch:
            return tagged(request, self._render(request, await self._run(request, given)))
        if_match = request[IF_MATCH] = if_match_of(request, self._wire_for(request))
        response = self._render(request, await self._run(request, given))
        if if_match.is_given and not if_match.is_checked:
            raise PluginError(f"{self}: does not check the If-Match")
        return tagged(request, response)

    async def _run(self, request: web.Request, given: dict[str, Any]) -> Any:
        """Run the handler, and report it if it is slow."""
        result = None
        started = time.perf_counter()
        try:
            result = await self.handler(request, **given)
        except SystemExit as error:
            raise EndedProcess from error
        finally:
            seconds = time.perf_counter() - started
            if seconds > self._slow.limit_s and not _is_sent(result):
                self._slow.report(
                    self.handler, seconds, method=self.endpoint.method, route=self.path
                )
        return result

    def _render(self, request: web.Request, result: Any) -> web.StreamResponse:
        """Make the response of what the handler returned, as far as the caller is shown it."""
        response = response_of(self.endpoint, request, result)
        if self._is_shown_to(request) or not isinstance(response, web.Response):
            return response
        if isinstance(response.body, bytes) and response.body:
            response.body = orjson.dumps(told(orjson.loads(response.body), self.endpoint.told))
        return response

    def _is_shown_to(self, request: web.Request) -> bool:
        """Tell whether the caller could read what this answers with."""
        if self.readers is None or self.endpoint.public:
            return True
        actor = request[ACTOR]
        held = actor.permissions | {ANY_SCOPE}
        return actor.key_id is None or not self.readers.isdisjoint(held)

    def _wire_for(self, request: web.Request) -> Callable[[Any], Any] | None:
        """Return what makes JSON of the object, as far as the caller is shown it."""
        wire, names = self.endpoint.wire, self.endpoint.told
        if wire is None or self._is_shown_to(request):
            return wire
        return lambda row: told(wire(row), names)

    def _require_permission(self, actor: Actor) -> None:
        if actor.key_id is None:
            if self.endpoint.permission is not None:
                actor.require(self.endpoint.permission)
        elif self.scope != ANY_SCOPE:
            actor.require(self.scope)

    def _check_parameters(self, request: web.Request) -> None:
        values = request.match_info
        for name in self.parameters:
            if name in self.ids:
                values[name] = values[name].lower()  # RFC 9562: read in any case
            if not (is_id(values[name]) if name in self.ids else values[name].isprintable()):
                raise NotFound

    async def _read(self, request: web.Request) -> tuple[dict[str, Any], bytes]:
        """Read query and body, the latter also as it came; name what is wrong in both at once."""
        given: dict[str, Any] = {}
        content = b""
        errors: list[FieldError] = []
        try:
            if self._query is not None:
                given["query"] = self._query.read(request)
        except Invalid as problem:
            errors += problem.errors
        try:
            if self._body is not None:
                content = await self._body.receive(request)
                given["body"] = self._body.parse(content)
        except Invalid as problem:
            errors += problem.errors
        if errors:
            raise Invalid("Some fields are wrong.", errors=errors)
        return given, content


async def leave_to_route(_request: web.Request) -> None:
    """Do nothing about an `Expect`: nobody is asked for a body that is going to be refused."""


def _is_sent(result: Any) -> bool:
    """Tell whether a handler sent its answer itself, which takes as long as its reader does."""
    return isinstance(result, web.StreamResponse) and result.prepared


def _max_body_bytes(endpoint: Endpoint) -> int:
    default = MAX_PUBLIC_BODY_BYTES if endpoint.public else MAX_BODY_BYTES
    return endpoint.max_body_bytes or default


def _is_object(declared: Endpoint) -> bool:
    """Tell whether an endpoint answers with one object in JSON, and not with a page of a list."""
    returns = declared.returns
    return (
        returns is not None and not is_page(returns) and declared.media_type == "application/json"
    )
