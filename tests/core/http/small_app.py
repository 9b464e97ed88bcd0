"""A small app over the real stack, without plugins or a database, and raw ways of talking to it."""

import asyncio
import io
import json
import logging
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
import structlog
from aiohttp import web
from multidict import CIMultiDict

from tests.core.http.wire import wire
from wellio.access.actor import Actor
from wellio.access.policy import Access, Fragment, Policies
from wellio.config.settings import ServerConfig
from wellio.errors import Unauthorized
from wellio.http import GatewayRules, Http, MetricsApi, Runner
from wellio.observe.log import configure_logging
from wellio.observe.metrics import Metrics
from wellio.testing import DEADLINE_S
from wellio.testing.conformance import Conformance

ID = "0190a000-0000-7000-8000-000000000001"
HIDDEN = "0190a000-0000-7000-8000-000000000002"
VISIBLE = "0190a000-0000-7000-8000-000000000003"
PERMISSIONS = frozenset({"things.read", "things.write"})
COACH = Actor("0190a000-0000-7000-8000-0000000000aa", "coach", None, PERMISSIONS)
CLIENT = Actor("0190a000-0000-7000-8000-0000000000bb", "client", None, frozenset())
READ = frozenset({"things.read"})
READING_KEY = Actor(COACH.user_id, "coach", None, READ, "0190a000-0000-7000-8000-0000000000cc")


class Tokens:
    """Knows two people by their bearer tokens, and a key of one of them that may only read."""

    actors: Mapping[str, Actor] = {"coach": COACH, "client": CLIENT, "key": READING_KEY}

    async def from_request(self, request: web.Request) -> Actor | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return await self.from_token(token) if scheme == "Bearer" else None

    async def from_token(self, token: str) -> Actor | None:
        if token not in self.actors:
            raise Unauthorized("The token is not good.")
        return self.actors[token]


class ThingPolicy:
    """Two things are not everybody's."""

    kind = "thing"

    async def may(self, actor: Actor, action: str, object_id: str) -> Access:
        return {HIDDEN: Access.HIDDEN, VISIBLE: Access.VISIBLE}.get(object_id, Access.ALLOWED)

    def visible_sql(self, actor: Actor, column: str) -> Fragment:
        return Fragment("TRUE", {})


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def data(self) -> Any:
        return orjson.loads(self.content)


class SmallApp:
    """A running app; `request` checks every answer against the app's own description."""

    def __init__(self, http: Http, runner: Runner, session: aiohttp.ClientSession) -> None:
        self.http = http
        self.runner = runner
        self.port = runner.addresses[0][1]
        self._session = session
        self._conforms = Conformance(http.openapi)

    async def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        token: str | None = "coach",
        headers: Mapping[str, str] | None = None,
        documented: bool = True,
    ) -> Answer:
        """Send a request; JSON where there is a body."""
        sent = {"Content-Type": "application/json"} if body is not None else {}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        async with self._session.request(
            method, path, data=body, headers={**sent, **(headers or {})}
        ) as response:
            answer = Answer(response.status, response.headers, await response.read())
        if documented:
            self._conforms(method, path, answer)
        return answer

    async def raw(self, data: bytes) -> Answer:
        """Send bytes that are a request or not, and read one answer."""
        async with asyncio.timeout(DEADLINE_S), wire(self.port) as connection:
            await connection.send(data)
            reader = connection.reader
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            fields = (line.partition(": ") for line in head[1:] if line)
            headers = CIMultiDict((name, value) for name, _, value in fields)
            size = 0 if data.startswith(b"HEAD ") else int(headers.get("Content-Length", 0))
            content = await reader.readexactly(size)
        return Answer(int(head[0].split()[1]), headers, content)


@asynccontextmanager
async def running(
    *apis: object,
    access_log: bool = False,
    routes: Sequence[web.RouteDef] = (),
    metrics: Metrics | None = None,
    rules: GatewayRules | None = None,
    server: Mapping[str, Any] | None = None,
) -> AsyncIterator[SmallApp]:
    """Serve some endpoints, and `/metrics`; `server` holds settings of `[server]`."""
    metrics, policies = metrics or Metrics(), Policies()
    policies.add(ThingPolicy())
    http = Http(
        [*apis, MetricsApi(metrics)],
        metrics=metrics,
        policies=policies,
        authenticators=[Tokens()],
        permissions=PERMISSIONS | {"things.own"},
        scopes=PERMISSIONS,
        version="1.2.3",
        rules=rules,
        access_log=access_log,
    )
    http.application.add_routes(routes)
    settings = ServerConfig.model_validate({"shutdown_timeout_s": 1, **(server or {})})
    runner = Runner(http.application, settings)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            yield SmallApp(http, runner, session)
    finally:
        await runner.cleanup()


class Lines:
    """The log's lines so far."""

    def __init__(self, stream: io.StringIO) -> None:
        self._stream = stream

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    def all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


@contextmanager
def logged(level: str = "info") -> Iterator[Lines]:
    """Collect the log as a container would, and put logging back as it was."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, before = root.handlers[:], root.level
    configure_logging(level, "json", stream)
    try:
        yield Lines(stream)
    finally:
        root.handlers[:] = handlers
        root.setLevel(before)
        structlog.reset_defaults()
