"""Puts an app's HTTP together: every endpoint on one router, behind one gateway."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, partial
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
        apis: Iterable[object],
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
        """Join what the core and the plugins bring.

        Args:
            apis: Objects with `@endpoint` methods; all of them are documented, in this order.
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
        docs = DocsApi(lambda: self.openapi)
        routes = [route for api in (*apis, docs) for route in self._routes(api)]
        _refuse_twins(routes)
        find_readers(routes)
        problems = self.authentication.problems
        self._describe = partial(describe, routes, version, sockets, problems, tags or {})
        gateway = Gateway(rules, metrics.traffic, access_log=access_log)
        self.application = web.Application(middlewares=[gateway.middleware])
        self.application[HEADERS] = headers = ResponseHeaders(rules)
        self.application.on_response_prepare.append(headers.add)
        for route in routes:
            methods = [route.endpoint.method]
            if route.endpoint.method == hdrs.METH_GET:
                methods.append(hdrs.METH_HEAD)
            for method in methods:
                self.application.router.add_route(
                    method, route.path, route.handle, expect_handler=leave_to_route
                )

    @cached_property
    def openapi(self) -> dict[str, Any]:
        """The description, as `/openapi.json` serves it: made when somebody asks, for it is slow.

        Raises:
            PluginError: Two endpoints have one name.
        """
        return self._describe()

    def _routes(self, api: object) -> list[Route]:
        routes = [
            Route(
                declared,
                handler,
                self.authentication,
                self._policies,
                self._rules.body_timeout_s,
                self._idempotency,
                self._scopes,
            )
            for declared, handler in endpoints_of(api)
        ]
        for route in routes:
            route.check(self._permissions)
        return routes


def _refuse_twins(routes: Sequence[Route]) -> None:
    seen: dict[tuple[str, str], Route] = {}
    for route in routes:
        key = (route.endpoint.method, re.sub(r"\{[^}]*\}", "{}", route.path))
        other = seen.setdefault(key, route)
        if other is not route:
            raise PluginError(f"{route} and {other} answer the same requests")
