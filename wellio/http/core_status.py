"""What the core says about itself in `/health` and `/metrics`."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from prometheus_client import Counter

from wellio.audit import Audit
from wellio.boot.hookspecs import HealthCheck
from wellio.db.base import Database
from wellio.events.bus import EventBus
from wellio.keys.people import PersonKeys
from wellio.mail import Mailer
from wellio.observe.looplag import LoopWatch
from wellio.observe.metrics import Metrics
from wellio.realtime import EventObserver, Hub

from .health import Check

_LATE_S = 0.5  # a person notices so much


def core_checks(
    db: Database,
    bus: EventBus,
    mail: Mailer,
    audit: Audit,
    keys: PersonKeys,
    loop_watch: LoopWatch,
) -> Sequence[HealthCheck]:
    """Return the core's checks.

    Args:
        db: Down when it cannot be written.
        bus: Degraded when an event or a job was given up.
        mail: Degraded when the last mails could not be delivered.
        audit: Degraded when the audit log was tampered with, or cannot be sealed.
        keys: Degraded when keys.db is missing, or is another database's.
        loop_watch: Degraded when something blocked the event loop within the last minute.
    """

    async def database() -> None:
        await db.ping()

    async def outbox() -> str | None:
        dead = sum(it["dead"] for it in (await bus.status())["subscribers"].values())
        return f"{dead} events were given up" if dead else None

    async def jobs() -> str | None:
        dead = (await bus.status())["jobs"]["dead"]
        return f"{dead} jobs were given up" if dead else None

    async def loop() -> str | None:
        worst = loop_watch.worst_s()
        return f"it was {worst:.1f} s late within the last minute" if worst > _LATE_S else None

    return [
        Check("database", database),
        Check("outbox", outbox),
        Check("jobs", jobs),
        Check("mail", mail.check),
        Check("audit", audit.check),
        Check(keys.name, keys.check),
        Check("event loop", loop),
    ]


def measure_core(metrics: Metrics, hub: Hub, bus: EventBus) -> None:
    """Add the core's own figures; those of the requests are there already."""

    async def events() -> Mapping[tuple[str, ...], float]:
        status = (await bus.status())["subscribers"]
        states = ("lag", "parked", "dead")
        return {(name, state): it[state] for name, it in status.items() for state in states}

    async def jobs() -> Mapping[tuple[str, ...], float]:
        return {(state,): count for state, count in (await bus.status())["jobs"].items()}

    metrics.gauge("sockets", "Open sockets of signed-in people.", hub.count)
    metrics.reading(
        "events", "Events by what a subscriber has yet to do.", ("subscriber", "state"), events
    )
    metrics.reading("jobs", "Jobs by state.", ("state",), jobs)


def count_socket_events(metrics: Metrics) -> EventObserver:
    """Return what counts socket events by name and outcome (`ok` or a problem's code)."""
    events = metrics.counter("socket_events", "Socket events answered.", ("event", "outcome"))

    @lru_cache(maxsize=1024)
    def series(event: str, outcome: str) -> Counter:
        return events.labels(event, outcome)

    def observe(event: str, outcome: str, _seconds: float) -> None:
        series(event, outcome).inc()

    return observe
