"""The application: what hooks are given, and how an app is put together from its plugins.

There is no global state: two apps in one process share nothing.
"""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

from aiohttp import web

from .actor import Actor, permissions_by_role
from .clock import Clock, SystemClock
from .config import Config, SectionModel
from .crypto import Crypto, load_master_key, write_secret
from .db import connect
from .db.base import Engine
from .db.migrate import Source, migrate
from .errors import PluginError
from .events import EventBus
from .hookspecs import AccountStep
from .jobs import Jobs
from .metrics import Metrics
from .plugins import Plugins, load_plugins
from .policy import Policies
from .realtime import EventRouter, Hub, Realtime, RealtimeSettings

T = TypeVar("T")
SectionT = TypeVar("SectionT", bound=SectionModel)
Notice = Callable[[], Awaitable[str | None]]


class Wellio:
    """One running Wellio, as hooks and services see it.

    Attributes:
        config: All settings.
        plugins: The plugins, in order.
        db: The database.
        clock: What tells the time.
        crypto: Keys for every purpose.
        bus: Events.
        jobs: Background work.
        hub: Who is connected, and how to reach them.
        policies: Who may do what with which object.
        permissions: What each role may do, by role.
        account_steps: What follows when an account is made.
        notices: Called when the server listens; what they return is shown to who started it.
        metrics: Counters and gauges for `/metrics`.
        leftover: Removed plugins whose tables are still there.
    """

    def __init__(
        self, config: Config, plugins: Plugins, db: Engine, clock: Clock, crypto: Crypto, node: str
    ) -> None:
        self.config = config
        self.plugins = plugins
        self.db = db
        self.clock = clock
        self.crypto = crypto
        self.jobs = Jobs(db, clock, node=node)
        self.bus = EventBus(db, clock, self.jobs, node=node)
        self.hub = Hub(now_ms=clock.now_ms)
        self.policies = Policies()
        self.permissions: Mapping[str, frozenset[str]] = {}
        self.account_steps: Sequence[AccountStep] = ()
        self.notices: list[Notice] = []
        self.metrics = Metrics()
        self.leftover: tuple[str, ...] = ()
        self._services: dict[type, Any] = {}

    def service(self, cls: type[T]) -> T:
        """Return the one instance of a class in this app, made as `cls(app)` at first use."""
        if cls not in self._services:
            self._services[cls] = cast(Callable[[Wellio], T], cls)(self)
        return cast(T, self._services[cls])

    def settings(self, model: type[SectionT]) -> SectionT:
        """Return the validated section of `config.toml` whose model this is."""
        return self.plugins.settings(model)


WELLIO = web.AppKey("wellio", Wellio)


async def create_app(
    config: Config,
    *,
    plugins: Sequence[object] | None = None,
    clock: Clock | None = None,
    workers: bool = True,
) -> web.Application:
    """Open the database, bring its schema up to date, and put an app together.

    Args:
        config: The settings.
        plugins: Exactly these plugins; None takes all that are installed.
        clock: What tells the time; the machine's clock by default.
        workers: Whether this app works on events and jobs, or leaves that to another.

    Returns:
        An aiohttp application, ready for a runner; its `cleanup` closes the database, also when
        it was never started.

    Raises:
        ConfigError: A setting is wrong.
        PluginError: A plugin is.
        DatabaseError: The database is not as this program needs it.
    """
    loaded = load_plugins(config, plugins)
    clock = clock or SystemClock()
    master_key = config.secrets.master_key
    crypto = Crypto(
        load_master_key(config.data_dir, master_key.get_secret_value() if master_key else None)
    )
    url = config.database.url
    db = await connect(url.get_secret_value() if url else None, data_dir=config.data_dir)
    try:
        app = Wellio(config, loaded, db, clock, crypto, _node(config))
        report = await migrate(
            db,
            _migrations(loaded),
            backups=config.data_dir / "backups",
            now_ms=clock.now_ms(),
        )
        app.leftover = report.leftover
        return _assemble(app, workers=workers)
    except BaseException:
        await db.close()
        raise


def _node(config: Config) -> str:
    """Return this process's lasting name: whoever has the data folder is the node."""
    path = config.data_dir / "secrets" / "node"
    if not path.exists():
        write_secret(path, secrets.token_hex(4))
    return path.read_text().strip()


def _migrations(plugins: Plugins) -> list[Source]:
    return [
        Source.of_package("wellio", "wellio"),
        *(
            Source.of_package(entry.name, package)
            for entry in plugins.loaded
            for package in entry.plugin.migrations
        ),
    ]


def _assemble(app: Wellio, *, workers: bool) -> web.Application:
    """Ask every hook, and join what the plugins bring."""
    try:
        app.permissions = permissions_by_role(_all(app.plugins, "register_permissions"))
    except ValueError as error:
        raise PluginError(str(error)) from error
    app.bus.register(*_all(app.plugins, "register_events"))
    app.policies.add(*_all(app.plugins, "register_policies", app=app))
    app.account_steps = _all(app.plugins, "register_account_steps", app=app)
    app.jobs.register(*_all(app.plugins, "register_jobs", app=app))
    app.plugins.ask("register_subscribers", app=app, bus=app.bus)
    return web.Application()


def _all(plugins: Plugins, hook: str, **arguments: Any) -> list[Any]:
    """Return what every plugin's answer to a hook holds, in plugin order."""
    return [item for _, answer in plugins.ask(hook, **arguments) for item in answer]
