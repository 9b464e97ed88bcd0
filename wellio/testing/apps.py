"""Apps for tests: started on a free port, with settings of their own, and restarted at will."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from wellio.boot.answered import unanswered
from wellio.boot.app import WELLIO, Wellio
from wellio.boot.assembly import create_app
from wellio.boot.plugin import BrokenPluginError
from wellio.boot.server import bind, serving
from wellio.cli.operations import operations_of
from wellio.clock import Clock
from wellio.config.settings import Config, load_config
from wellio.http import Http
from wellio.mail.mailbox import FiledMail

from .client import Api, HasToken
from .conformance import Conformance
from .deadline import DEADLINE_S, patient_writes
from .recorder import Recorder

#: Tests do not depend on the settings of whoever runs them.
NO_FILE = Path(os.devnull)
#: Settings of every app under test; a test's own win over them.
DEFAULTS: Mapping[str, Any] = {
    "server.port": 0,
    "server.shutdown_timeout_s": 5,
    "secrets.master_key": "8f14e45fceea167a5a36dedd4bea2543c9f0f895fb98ab9159f51fd0297e236d",
    "limits.enabled": False,
}


class TestApp:
    """One Wellio on one database.

    Attributes:
        config: Its settings.
        app: The app itself, as plugins get it; another object after a restart.
        url: Where it listens.
        api: A client that is nobody.
        bus: The events that were published since the start.
    """

    __test__ = False  # pytest takes it for tests by its name

    app: Wellio
    api: Api
    bus: Recorder

    def __init__(
        self,
        settings: Mapping[str, Any],
        plugins: Sequence[object] | None = None,
        clock: Clock | None = None,
        *,
        workers: bool = True,
    ) -> None:
        """Describe an app; `start` starts it.

        Args:
            settings: By dotted name, such as `{"plugins.auth.max_sessions": 3}`.
            plugins: Exactly these; None takes all that are installed.
            clock: What tells the time there.
            workers: Whether events and jobs are worked on, beside `app.bus.settled()`.
        """
        self.config: Config = load_config(NO_FILE, env={}, overrides={**DEFAULTS, **settings})
        self._plugins = plugins
        self._clock = clock
        self._workers = workers
        self._open: AsyncExitStack | None = None

    @property
    def openapi(self) -> dict[str, Any]:
        """Return the app's description of its API, as `/openapi.json` serves it."""
        return self.app.service(Http).openapi

    @property
    def url(self) -> str:
        """Return the address, without a slash at its end."""
        return self.config.server.url

    async def start(self) -> None:
        """Start it; the port stays the same from one start to the next."""
        async with AsyncExitStack() as stack:
            listener, self.config = bind(self.config)
            stack.callback(listener.close)
            serves = serving(self._create, self.config, listener)
            self.app = await stack.enter_async_context(serves)
            # Shorter than the server keeps an idle one, so that none ends under a request.
            connector = aiohttp.TCPConnector(keepalive_timeout=5)
            session = await stack.enter_async_context(
                aiohttp.ClientSession(self.url, connector=connector)
            )
            self.api = Api(session, Conformance(self.openapi))
            self._open = stack.pop_all()

    async def _create(self, broken: Sequence[BrokenPluginError]) -> web.Application:
        with patient_writes():
            application = await create_app(
                self.config,
                plugins=self._plugins,
                clock=self._clock,
                workers=self._workers,
                broken=broken,
            )
        self.bus = Recorder(application[WELLIO].bus)
        return application

    async def stop(self) -> None:
        """Stop it as SIGTERM would; its data stays.

        Raises:
            AssertionError: A subscriber has failed, which the test did not expect.
        """
        if self._open:
            async with asyncio.timeout(DEADLINE_S):
                await self._open.aclose()
            self._open = None
            self.bus.raise_failures()

    async def restart(self) -> None:
        """Stop it and start it again on the same data and port."""
        await self.stop()
        await self.start()

    async def settled(self) -> None:
        """Wait until every durable subscriber has caught up and every due job has run.

        Raises:
            AssertionError: A subscriber has failed, which `app.bus.expect_failures()` expects.
        """
        await self.app.bus.settled()
        self.bus.raise_failures()

    async def mails(self, to: str | None = None) -> list[FiledMail]:
        """Return the mails that were sent, the newest first: all, or those to an address."""
        return await self.app.mail.mailbox.read(to=to, last=100)

    async def client_id(self, client: HasToken) -> str:
        """Return the id of a client's own record, which is another than that of their account."""
        (record,) = (await self.api.as_(client).get("/clients", status=200)).data["items"]
        return str(record["id"])

    async def export(self, user_id: str) -> dict[str, list[dict[str, Any]]]:
        """Return what all plugins hand out about a person: rows by table."""
        found: dict[str, list[dict[str, Any]]] = {}
        for item in self.app.hooks.of("register_personal_data"):
            found |= await item.export(user_id)
        return found

    async def erase(self, user_id: str) -> None:
        """Have all plugins erase a person, in the order in which an erasure asks them."""
        for item in reversed(self.app.hooks.of("register_personal_data")):
            await self.app.db.write(item.erase, user_id)

    async def unanswered(self) -> set[str]:
        """Return the tables about people that no plugin exports and erases; there must be none.

        Such a table has a foreign key to an account or a client's record, or a column that is named
        as if it had one, such as `user_id` or `author_id`.
        """
        return {*await unanswered(self.app)}

    async def command(self, name: str, /, **arguments: Any) -> Mapping[str, Any]:
        """Run an operation of the command line, such as `user create`, and return its result."""
        operation = operations_of(self.app.hooks.plugins)[name]
        return await operation.run(self.app, operation.check(arguments))
