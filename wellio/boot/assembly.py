"""Puts an app together from its settings, its database and its plugins."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from importlib import metadata

from aiohttp import web

from wellio.access.actor import Actor
from wellio.access.limits import Budget
from wellio.audit import API_KEY
from wellio.cli.operations import operations_of
from wellio.clock import Clock, SystemClock
from wellio.config.settings import Config, secret_values
from wellio.db import connect
from wellio.db.base import Engine
from wellio.db.migrate import Derive, MigrationError, Source, migrate
from wellio.http import (
    REMOTE,
    GatewayRules,
    Http,
    Idempotency,
    count_socket_events,
    measure_core,
    network_of,
)
from wellio.keys.crypto import Crypto
from wellio.keys.people import PersonKeys
from wellio.keys.ring import MasterRing
from wellio.keys.root import RootKey, sealed_root
from wellio.keys.rotation import Rotation
from wellio.keys.secret_files import refuse_exposed, sweep, write_secret
from wellio.observe.looplag import LoopWatch
from wellio.observe.redaction import hide
from wellio.realtime import Admission, EventRouter, Realtime, RealtimeSettings

from .answered import refuse_unanswered
from .app import WELLIO, Wellio
from .hook import CORE
from .loader import load_plugins
from .plugin import BrokenPluginError
from .plugins import Plugins
from .presence import has_practice, refuse_another, refuse_lost, sqlite_file
from .services import Services


async def create_app(
    config: Config,
    *,
    plugins: Sequence[object] | None = None,
    clock: Clock | None = None,
    workers: bool = True,
    is_new: bool = False,
    broken: Sequence[BrokenPluginError] = (),
) -> web.Application:
    """Open the database, bring its schema up to date, and put an app together.

    Args:
        config: The settings.
        plugins: Exactly these plugins; None takes all that are installed.
        clock: What tells the time; the machine's clock by default.
        workers: Whether this app works on events and jobs, or leaves that to another.
        is_new: Whether an empty practice is wanted in a folder that was used with another database.
        broken: What earlier attempts to start it ended with (`started`): these plugins are left
            out, if `[loader] on_error` allows that.

    Returns:
        An aiohttp application, ready for a runner, whose `cleanup` closes the database; so does a
        start that fails. One that is never started is let go by `app[WELLIO].db.close()`.

    Raises:
        ConfigError: A setting is wrong.
        PluginError: A plugin is.
        DatabaseError: The database is not as this program needs it.
        AnotherPractice: The folder was used with another database, and `is_new` is not said.
    """
    broken = [*broken]
    loaded = load_plugins(config, plugins, broken)
    for section in (config, *(entry.settings for entry in loaded.loaded)):
        if section is not None:
            hide(*secret_values(section))
    clock = clock or SystemClock()
    refuse_exposed(config.data_dir)
    db = await _connect(config, is_new=is_new)
    try:
        ring, root = await _keys(config, db)
        while True:
            try:
                loaded = await _migrated(loaded, db, config, clock, partial(_derive, ring, root))
                crypto = Crypto(ring, await root.load())
                keys, services = PersonKeys(config.data_dir, db, clock, ring, crypto), Services()
                services.put(Rotation(ring, clock, root, keys))
                app = Wellio(config, loaded, db, clock, crypto, keys, services, node=_node(config))
                application = _assemble(app, services, workers=workers)
                await refuse_unanswered(app)
                return application
            except BrokenPluginError as error:
                # Again, without it, if `[loader] on_error` allows that; else this raises.
                broken.append(error)
                loaded = load_plugins(config, plugins, broken)
    except BaseException:
        await db.close()
        raise


async def _derive(ring: MasterRing, root: RootKey) -> Derive:
    return Crypto(ring, await root.load()).derive


async def _migrated(
    loaded: Plugins,
    db: Engine,
    config: Config,
    clock: Clock,
    keys: Callable[[], Awaitable[Derive]],
) -> Plugins:
    """Bring the schema up to date, and say whose tables are left over.

    Raises:
        BrokenPluginError: A plugin's migrations do not run.
        DatabaseError: The core's do not.
    """
    backups, now_ms = config.data_dir / "backups", clock.now_ms()
    try:
        sources = migration_sources(loaded)
        report = await migrate(db, sources, backups=backups, now_ms=now_ms, keys=keys)
    except MigrationError as error:
        entry = loaded.named(error.plugin)
        if entry is None or entry.offer.is_builtin:
            raise  # it says what to do, such as to start a newer program
        raise BrokenPluginError(entry, "migrations", error) from error
    return replace(loaded, leftover=report.leftover)


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


async def _connect(config: Config, *, is_new: bool) -> Engine:
    """Open the database, unless an empty practice would be begun in the place of another one."""
    if not is_new and sqlite_file(config) is not None and not await has_practice(config):
        await refuse_lost(config)  # before a file is made
    url = config.database.url
    db = await connect(url.get_secret_value() if url else None, data_dir=config.data_dir)
    try:
        if not is_new:
            await refuse_another(config, db)
            if await sealed_root(db) is None:
                await refuse_lost(config)
    except BaseException:
        await db.close()
        raise
    return db


async def _keys(config: Config, db: Engine) -> tuple[MasterRing, RootKey]:
    """Return the master keys and what they open, with nothing written where they are wrong ones."""
    sealed = await sealed_root(db)
    sweep(config.data_dir)
    setting = config.secrets.master_key
    if setting is None:
        ring = MasterRing.of_folder(config.data_dir, is_used=sealed is not None)
    else:
        ring = MasterRing.of_setting(setting.get_secret_value())
    root = RootKey(db, ring)
    if sealed is not None:
        root.open(sealed)
    return ring, root


def _node(config: Config) -> str:
    """Return this process's lasting name: whoever has the data folder is the node."""
    path = config.data_dir / "secrets" / "node"
    if not path.exists():
        write_secret(path, secrets.token_hex(4))
    return path.read_text().strip()


def _assemble(app: Wellio, services: Services, *, workers: bool) -> web.Application:
    """Give what the plugins bring to the parts of the core that work with it."""
    services.put(Idempotency(app.db, app.clock, app.crypto), LoopWatch(app.metrics.loop_lag))
    hooks = app.hooks
    services.open_ports(hooks)
    hooks.give("register_permissions", app.policies.allow)
    hooks.give("register_events", app.bus.register)
    hooks.give("register_policies", app.policies.add)
    app.mail.letterheads = hooks.of("register_letterhead")
    hooks.give("register_jobs", app.jobs.register)
    hooks.give("register_key_holders", app.service(Rotation).add)
    measure_core(app.metrics, app.hub, app.bus)
    operations_of(hooks.plugins)  # nobody wants to learn of a broken command when it is needed
    hooks.ask_all()  # before the routes, which take longest: an attempt without it follows
    rules = GatewayRules.of(app.config, app.limits)
    events = EventRouter(
        observe=count_socket_events(app.metrics),
        admit=partial(_admit, rules.accounts),
        permissions=app.policies.permissions,
        slow=rules.slow,
    )
    hooks.give("register_socket_events", events.add)
    http = _http(app, rules, events)
    services.put(http)
    realtime = _realtime(app, rules, http.authentication.from_token, events)
    application = http.application
    application[WELLIO] = app
    application.add_routes(realtime.routes())
    application.on_shutdown.append(lambda _: realtime.close(app.config.server.shutdown_timeout_s))
    application.cleanup_ctx.append(lambda _: _lifespan(app, workers=workers))
    return application


async def _lifespan(app: Wellio, *, workers: bool) -> AsyncIterator[None]:
    """Start the plugins and then the workers; stop the workers first, the database last."""
    try:
        with app.service(LoopWatch).running():
            await app.storage.open()
            await app.audit.start(workers=workers)  # a plugin may record while it starts
            async with app.hooks.plugins.running(app):
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


def _http(app: Wellio, rules: GatewayRules, events: EventRouter) -> Http:
    """Join the core's endpoints and the plugins'."""
    http = Http(
        metrics=app.metrics,
        policies=app.policies,
        authenticators=app.hooks.of("register_authenticators"),
        permissions=app.policies.permissions,
        scopes=app.policies.scopes,
        version=metadata.version("wellio"),
        rules=rules,
        idempotency=app.service(Idempotency),
        access_log=app.config.log.access,
        sockets=events,
        tags={
            CORE: "Health, the dashboard, and this description.",
            **{entry.name: entry.plugin.summary for entry in app.hooks.plugins.loaded},
        },
    )
    app.hooks.give("register_routes", http.add)
    return http


def _realtime(
    app: Wellio,
    rules: GatewayRules,
    authenticate: Callable[[str], Awaitable[Actor | None]],
    events: EventRouter,
) -> Realtime:
    """Join the plugins' socket events to the hub."""
    config, limits = app.config.realtime, app.config.limits
    return Realtime(
        app.hub,
        authenticate=authenticate,
        events=events,
        settings=RealtimeSettings(
            node=_node(app.config),
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
