"""The application: what hooks are given, and how an app is put together from its plugins.

There is no global state: two apps in one process share nothing.
"""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from functools import partial
from importlib import metadata
from typing import Any, TypeVar, cast

from aiohttp import web

from wellio.access.actor import Actor, permissions_by_role
from wellio.access.limits import Budget, Limits
from wellio.access.policy import Policies
from wellio.audit import API_KEY, Audit, AuditDetails
from wellio.clock import Clock, SystemClock
from wellio.config.settings import Config, SectionModel, secret_values
from wellio.db import connect
from wellio.db.base import Engine
from wellio.db.migrate import Source, migrate
from wellio.errors import PluginError
from wellio.events.bus import EventBus
from wellio.files.storage import FolderStorage, Storage
from wellio.http import (
    REMOTE,
    DashboardApi,
    GatewayRules,
    HealthApi,
    Http,
    Idempotency,
    MetricsApi,
    core_checks,
    count_socket_events,
    measure_core,
    network_of,
)
from wellio.jobs.jobs import Jobs
from wellio.keys.crypto import Crypto
from wellio.keys.people import PersonKeys
from wellio.keys.ring import MasterRing
from wellio.keys.root import RootKey
from wellio.keys.rotation import Rotation
from wellio.keys.secret_files import refuse_exposed, sweep, write_secret
from wellio.mail import Mailer
from wellio.observe.looplag import LoopWatch
from wellio.observe.metrics import Metrics
from wellio.observe.redaction import hide
from wellio.realtime import Admission, EventRouter, Hub, Realtime, RealtimeSettings

from .hookspecs import AccountStep, HealthCheck, PersonalData
from .plugins import BrokenPluginError, Plugins, load_plugins

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
        keys: A key for each person, to seal what is theirs.
        rotation: Puts new keys in the place of old ones.
        audit: Who did what to what.
        storage: Where files are kept.
        limits: Makes the budgets of what may be done only so often.
        bus: Events.
        jobs: Background work.
        hub: Who is connected, and how to reach them.
        mail: Sends mails; for jobs.
        policies: Who may do what with which object.
        permissions: What each role may do, by role.
        scopes: Which of that an API key may do too.
        account_steps: What follows when an account is made.
        personal_data: Who exports and erases data about people, in plugin order; an erasure asks
            them in reverse.
        notices: Called when the server listens; what they return is shown to who started it.
        metrics: Counters and gauges for `/metrics`.
        loop_watch: How late the event loop is.
        health_checks: What `/health` looks at, by plugin; the core's under `core`.
        leftover: Removed plugins whose tables are still there.
        http: The REST API, which also describes itself.
        node: This process's lasting name.
    """

    http: Http  # joins when the plugins' endpoints are known

    def __init__(
        self,
        config: Config,
        plugins: Plugins,
        db: Engine,
        clock: Clock,
        crypto: Crypto,
        keys: PersonKeys,
        rotation: Rotation,
        node: str,
    ) -> None:
        self.config = config
        self.plugins = plugins
        self.db = db
        self.clock = clock
        self.crypto = crypto
        self.keys = keys
        self.rotation = rotation
        anchor_file = config.audit.anchor_file or config.data_dir / "audit.anchors"
        self.audit = Audit(db, clock, crypto, anchor_file)
        self.storage: Storage = FolderStorage(config.storage.folder or config.data_dir / "files")
        self.limits = Limits(is_enabled=config.limits.enabled, monotonic=clock.monotonic)
        self.jobs = Jobs(db, clock, node=node)
        self.bus = EventBus(db, clock, self.jobs, self.audit, node=node)
        self.hub = Hub(now_ms=clock.now_ms)
        self.policies = Policies()
        self.permissions: Mapping[str, frozenset[str]] = {}
        self.scopes: frozenset[str] = frozenset()
        self.account_steps: Sequence[AccountStep] = ()
        self.personal_data: Sequence[PersonalData] = ()
        self.notices: list[Notice] = []
        self.metrics = Metrics()
        self.mail = Mailer(config, clock, self.metrics)
        self.loop_watch = LoopWatch(self.metrics.loop_lag)
        self.health_checks: Mapping[str, Sequence[HealthCheck]] = {}
        self.leftover: tuple[str, ...] = ()
        self.node = node
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
        An aiohttp application, ready for a runner, whose `cleanup` closes the database; so does a
        start that fails. One that is never started is let go by `app[WELLIO].db.close()`.

    Raises:
        ConfigError: A setting is wrong.
        PluginError: A plugin is.
        DatabaseError: The database is not as this program needs it.
    """
    loaded = load_plugins(config, plugins)
    for section in (config, *(entry.settings for entry in loaded.loaded)):
        if section is not None:
            hide(*secret_values(section))
    clock = clock or SystemClock()
    refuse_exposed(config.data_dir)
    url = config.database.url
    db = await connect(url.get_secret_value() if url else None, data_dir=config.data_dir)
    try:
        report = await migrate(
            db,
            migration_sources(loaded),
            backups=config.data_dir / "backups",
            now_ms=clock.now_ms(),
        )
        ring = _master_ring(config)
        root = RootKey(db, ring)
        crypto = Crypto(ring, await root.load())
        broken: list[BrokenPluginError] = []
        while True:
            keys = PersonKeys(config.data_dir, db, clock, ring, crypto)
            rotation = Rotation(ring, clock, root, keys)
            app = Wellio(config, loaded, db, clock, crypto, keys, rotation, _node(config))
            app.leftover = report.leftover
            try:
                return _assemble(app, workers=workers)
            except BrokenPluginError as error:
                # Again, without it, if `[loader] on_error` allows that; else this raises.
                broken.append(error)
                loaded = load_plugins(config, plugins, broken)
    except BaseException:
        await db.close()
        raise


def _master_ring(config: Config) -> MasterRing:
    """Return the master keys, from the setting or from the folder, whose lock this process has."""
    sweep(config.data_dir)
    setting = config.secrets.master_key
    if setting is None:
        return MasterRing.of_folder(config.data_dir)
    return MasterRing.of_setting(setting.get_secret_value())


def _node(config: Config) -> str:
    """Return this process's lasting name: whoever has the data folder is the node."""
    path = config.data_dir / "secrets" / "node"
    if not path.exists():
        write_secret(path, secrets.token_hex(4))
    return path.read_text().strip()


def migration_sources(plugins: Plugins) -> list[Source]:
    """Return where the migrations of the core and of an app's plugins are, in their order."""
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
    plugins = app.plugins
    try:
        permissions = _all(plugins, "register_permissions")
        app.permissions = permissions_by_role(permissions)
    except ValueError as error:
        raise PluginError(str(error)) from error
    app.scopes = frozenset(it.name for it in permissions if it.for_keys)
    app.bus.register(*_all(plugins, "register_events"))
    app.policies.add(*_all(plugins, "register_policies", app=app))
    app.account_steps = _all(plugins, "register_account_steps", app=app)
    app.mail.letterheads = _all(plugins, "register_letterhead", app=app)
    app.personal_data = [
        AuditDetails(app.audit),
        *_all(plugins, "register_personal_data", app=app),
    ]
    app.jobs.register(*_all(plugins, "register_jobs", app=app))
    app.jobs.register(app.rotation.tending())
    app.rotation.add(app.audit.keys, *_all(plugins, "register_key_holders", app=app))
    plugins.ask("register_subscribers", app=app, bus=app.bus)
    measure_core(app.metrics, app.hub, app.bus)
    rules = GatewayRules.of(app.config, app.limits)
    http = _http(app, rules)
    app.http = http
    application = http.application
    application[WELLIO] = app
    realtime = _realtime(app, rules, http.authentication.from_token)
    application.add_routes(realtime.routes())
    application.on_shutdown.append(lambda _: realtime.close(app.config.server.shutdown_timeout_s))
    application.cleanup_ctx.append(lambda _: _lifespan(app, workers=workers))
    return application


async def _lifespan(app: Wellio, *, workers: bool) -> AsyncIterator[None]:
    """Start the plugins and then the workers; stop the workers first, the database last."""
    try:
        with app.loop_watch.running():
            await app.storage.open()
            await app.audit.start(workers=workers)  # a plugin may record while it starts
            async with app.plugins.running(app):
                await app.jobs.start(workers=workers)
                await app.bus.start(workers=workers)
                yield
                await app.bus.stop()
                await app.jobs.stop()
    finally:
        await app.audit.stop()
        await app.storage.close()
        await app.keys.close()
        app.mail.close()
        await app.db.close()


def _http(app: Wellio, rules: GatewayRules) -> Http:
    """Join the core's endpoints and the plugins'."""
    plugins, version = app.plugins, metadata.version("wellio")
    token = app.config.server.metrics_token
    idempotency = Idempotency(app.db, app.clock, app.crypto)
    app.jobs.register(idempotency.trimming())
    checks: dict[str, list[HealthCheck]] = {entry.name: [] for entry in plugins.loaded}
    for entry, found in plugins.ask("register_health_checks", app=app):
        checks[entry.name] += found
    core = core_checks(app.db, app.bus, app.mail, app.audit, app.keys, app.loop_watch)
    app.health_checks = {"core": core, **checks}
    return Http(
        [
            HealthApi(
                version,
                ready=app.db.ping,
                core=core,
                plugins=checks,
                skipped=plugins.skipped,
            ),
            MetricsApi(app.metrics, token.get_secret_value() if token else None),
            DashboardApi(_all(plugins, "register_dashboard", app=app)),
            *_all(plugins, "register_routes", app=app),
        ],
        metrics=app.metrics,
        policies=app.policies,
        authenticators=_all(plugins, "register_authenticators", app=app),
        permissions={name for names in app.permissions.values() for name in names},
        scopes=app.scopes,
        version=version,
        rules=rules,
        idempotency=idempotency,
        access_log=app.config.log.access,
    )


def _realtime(
    app: Wellio, rules: GatewayRules, authenticate: Callable[[str], Awaitable[Actor | None]]
) -> Realtime:
    """Join the plugins' socket events to the hub."""
    config, limits = app.config.realtime, app.config.limits
    return Realtime(
        app.hub,
        authenticate=authenticate,
        events=EventRouter(
            _all(app.plugins, "register_socket_events", app=app),
            observe=count_socket_events(app.metrics),
            admit=partial(_admit, rules.accounts),
        ),
        settings=RealtimeSettings(
            node=app.node,
            ping_interval_ms=config.ping_interval_ms,
            ping_timeout_ms=config.ping_timeout_ms,
            max_payload=config.max_payload_bytes,
            connect_timeout_s=config.connect_timeout_s,
            max_clients=limits.sockets_per_account if limits.enabled else None,
        ),
        admission=Admission(
            may_connect=rules.origins.may_connect,
            network_of=lambda request: network_of(request[REMOTE]),
            max_guests=limits.handshakes_per_address if limits.enabled else None,
            packets=app.limits.budget("packets", limits.packets_per_socket),
        ),
    )


def _admit(accounts: Budget, actor: Actor) -> None:
    """Let somebody send one more socket event."""
    API_KEY.set(actor.key_id)
    accounts.spend(actor.user_id)


def _all(plugins: Plugins, hook: str, **arguments: Any) -> list[Any]:
    """Return what every plugin's answer to a hook holds, in plugin order."""
    return [item for _, answer in plugins.ask(hook, **arguments) for item in answer]
