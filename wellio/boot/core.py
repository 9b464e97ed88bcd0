"""What the core itself answers to hooks, as a plugin would; it is asked before all of them."""

from collections.abc import Sequence
from importlib import metadata
from typing import TYPE_CHECKING

from wellio.audit import AuditDetails
from wellio.http import DashboardApi, HealthApi, Idempotency, MetricsApi, core_checks
from wellio.jobs.schedules import Schedule
from wellio.keys.rotation import Rotation
from wellio.observe.examinations.listing import for_health
from wellio.observe.looplag import LoopWatch

from .hookspecs import HealthCheck, KeyHolder, PersonalData

if TYPE_CHECKING:
    from .app import Wellio


def register_personal_data(app: "Wellio") -> Sequence[PersonalData]:
    """Hand out and take away what the audit log says of people."""
    return [AuditDetails(app.audit)]


def register_key_holders(app: "Wellio") -> Sequence[KeyHolder]:
    """Renew and reseal the keys that sign the audit log."""
    return [app.audit.keys]


def register_jobs(app: "Wellio") -> Sequence[Schedule]:
    """Finish rotations of keys, and drop answers that nobody asks for again."""
    return [app.service(Rotation).tending(), app.service(Idempotency).trimming()]


def register_health_checks(app: "Wellio") -> Sequence[HealthCheck]:
    """Look at the database, the work, the mails, the audit log, the keys and the event loop."""
    loop_watch = app.service(LoopWatch)
    return core_checks(app.db, app.bus, app.mail, app.audit, app.keys, loop_watch)


def register_socket_events(app: "Wellio") -> Sequence[object]:
    """Declare what the hub tells every client."""
    return [app.hub]


def register_routes(app: "Wellio") -> Sequence[object]:
    """Serve `/health`, `/metrics` and `/dashboard`."""
    checks = dict(app.hooks.by_plugin("register_health_checks"))
    dashboard = DashboardApi()
    app.hooks.give("register_dashboard", dashboard.add)
    token = app.config.server.metrics_token
    return [
        HealthApi(
            metadata.version("wellio"),
            ready=app.db.ping,
            core=checks.pop("core"),
            examinations=for_health(app),
            plugins=checks,
            skipped=app.hooks.plugins.skipped,
        ),
        MetricsApi(app.metrics, token.get_secret_value() if token else None),
        dashboard,
    ]
