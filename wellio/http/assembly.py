"""Puts an app's HTTP together: every endpoint on one router, behind one gateway."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from aiohttp import hdrs, web

from wellio.access.actor import Authenticator
from wellio.access.policy import Policies
from wellio.errors import PluginError
from wellio.observe.metrics import Metrics
from wellio.realtime import EventRouter

from .auth import Authentication
from .docs import DocsApi
from .endpoint import endpoints_of
from .gateway import Gateway
from .gateway_rules import GatewayRules
from .headers import HEADERS, ResponseHeaders
from .idempotency import Idempotency
from .openapi import describe
from .readers import find_readers
from .route import Route, leave_to_route


class Http:
    """The HTTP of one app.

    Attributes:
        application: What a `Runner` runs; other routes can join until it does.
        authentication: The ways of signing in; sockets use them too.
    """

    def __init__(
        self,
        apis: Iterable[object] = (),
        *,
        metrics: Metrics,
        policies: Policies,
        authenticators: Sequence[Authenticator],
        permissions: Iterable[str],
        scopes: Iterable[str] = (),
        version: str,
        idempotency: Idempotency | None = None,
        rules: GatewayRules | None = None,
        access_log: bool = False,
        sockets: EventRouter | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Make it, with what describes it.

        Args:
            apis: As for `add`.
            metrics: Where requests are counted.
            policies: Who may do what with which object.
            authenticators: The ways of signing in, in the order in which they are asked.
            permissions: Every permission that an endpoint may ask for.
            scopes: Those of them that API keys may hold.
            version: Wellio's.
            idempotency: What answers POSTs with an `Idempotency-Key`; None: nobody looks at it.
            rules: What stands before the endpoints; None: nothing does.
            access_log: Whether each request is a line of the log.
            sockets: What knows the socket events, for the description.
            tags: What the endpoints of each plugin are for, by its name, for the description.

        Raises:
            PluginError: A declaration cannot hold, or two endpoints are in each other's way.
        """
        self._rules = rules = rules or GatewayRules()
        self.authentication = Authentication(authenticators, rules.accounts)
        self._policies = policies
        self._idempotency = idempotency
        self._permissions = frozenset(permissions)
        self._scopes = frozenset(scopes)
        self._version, self._sockets, self._tags = version, sockets, tags or {}
        self._taken: dict[tuple[str, str], Route] = {}
        self._routes: list[Route] = []
        gateway = Gateway(rules, metrics.traffic, access_log=access_log)
        self.application = web.Application(middlewares=[gateway.middleware])
        self.application[HEADERS] = headers = ResponseHeaders(rules)
        self.application.on_response_prepare.append(headers.add)
        self._docs = self._join(DocsApi(lambda: self.openapi))
        self.add(*apis)

    def add(self, *apis: object) -> None:
        """Take in what the core or a plugin brings.

        Args:
            apis: `call`s, and objects with `@endpoint` methods; documented in this order.

        Raises:
            PluginError: One has no endpoint, a declaration cannot hold, or two endpoints are in
                each other's way.
        """
        for api in apis:
            routes = self._join(api)
            if not routes:
                raise PluginError(f"{type(api).__name__} has no method with @endpoint")
            self._routes += routes
        find_readers(self._routes)

    @cached_property
    def openapi(self) -> dict[str, Any]:
        """The description, as `/openapi.json` serves it: made when somebody asks, for it is slow.

        Raises:
            PluginError: Two endpoints have one name.
        """
        routes, problems = [*self._routes, *self._docs], self.authentication.problems
        return describe(routes, self._version, self._sockets, problems, self._tags)

    @property
    def routes(self) -> Sequence[Route]:
        """Return what the core and the plugins brought."""
        return self._routes

    def _join(self, api: object) -> list[Route]:
        routes = [
            Route(
                declared,
                handler,
                self.authentication,
                self._policies,
                self._rules.body_timeout_s,
                self._idempotency,
                self._scopes,
                self._rules.slow,
            )
            for declared, handler in endpoints_of(api)
        ]
        for route in routes:
            route.check(self._permissions)
            key = (route.endpoint.method, re.sub(r"\{[^}]*\}", "{}", route.path))
            other = self._taken.setdefault(key, route)
            if other is not route:
                raise PluginError(f"{route} and {other} answer the same requests")
            methods = [route.endpoint.method]
            if route.endpoint.method == hdrs.METH_GET:
                methods.append(hdrs.METH_HEAD)
            for method in methods:
                self.application.router.add_route(
                    method, route.path, route.handle, expect_handler=leave_to_route
                )
        return routes
