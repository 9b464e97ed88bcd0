"""Small wins: a client notes one, the coach hears of it at once and by mail once a week.

This distribution shows a whole plugin; docs/plugins.md of Wellio walks through one like it. This
file is the table of contents. It is imported at every start and for every command, so what a hook
needs is imported inside it.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from wellio import (
    Cli,
    DashboardSection,
    Event,
    EventBus,
    HealthCheck,
    Job,
    Permission,
    PersonalData,
    Plugin,
    Schedule,
    Wellio,
    hookimpl,
)

from .config import HelloConfig
from .hooks import Badge

if TYPE_CHECKING:
    from wellio_practice import TimelineSource

__all__ = ["PLUGIN", "Badge"]

PLUGIN = Plugin(
    name="hello",
    version="0.1.0",
    summary="Small wins that clients note.",
    wellio=">=0.1,<1",
    requires=("auth", "practice"),
    after=("chat",),
    config=HelloConfig,
    migrations=("wellio_plugin_hello",),
)


@hookimpl
def register_permissions() -> Sequence[Permission]:
    """Offer what people may do with wins."""
    from .permissions import PERMISSIONS

    return PERMISSIONS


@hookimpl
def register_events() -> Sequence[type[Event]]:
    """Offer what happens to wins."""
    from .events import EVENTS

    return EVENTS


@hookimpl
def register_routes(app: Wellio) -> Sequence[object]:
    """Serve `/clients/{id}/wins`."""
    from .api import routes

    return routes(app)


@hookimpl
def register_socket_events(app: Wellio) -> Sequence[object]:
    """Answer `note_win`."""
    from .service import WinService
    from .sockets import WinSockets

    return [WinSockets(app.service(WinService), app.policies)]


@hookimpl
def register_subscribers(app: Wellio, bus: EventBus) -> None:
    """Keep the tally, and count for `/metrics`."""
    from .subscribers import Tally, WinCounter

    Tally(bus)
    WinCounter(app, bus)


@hookimpl
def register_jobs(app: Wellio) -> Sequence[Job | Schedule]:
    """Write to coaches once a week, and remove pictures."""
    from .jobs import WeeklyNotes
    from .pictures import Pictures

    return [*app.service(WeeklyNotes).jobs(), app.service(Pictures).job()]


@hookimpl
def register_services(app: Wellio) -> Mapping[type, type]:
    """Provide `wellio_plugin_hello.ports`."""
    from .ports import CountWins
    from .service import WinService

    return {CountWins: WinService}


@hookimpl
def register_hookspecs() -> Sequence[object]:
    """Open `register_badges`."""
    from . import hooks

    return [hooks]


@hookimpl
def register_badges() -> Sequence[Badge]:
    """Bring the first badge of all."""
    return [Badge("first", wins=1)]


@hookimpl(optionalhook=True)  # a practice from before it had timelines will do
def register_timeline(app: Wellio) -> "Sequence[TimelineSource]":
    """Bring wins to the timelines of clients."""
    from .timeline import WinsOnTimeline

    return [WinsOnTimeline(app)]


@hookimpl
def register_commands(cli: Cli) -> None:
    """Add `wellio hello recount`."""
    from .commands import register

    register(cli)


@hookimpl
def register_dashboard(app: Wellio) -> Sequence[DashboardSection]:
    """Offer `wins`."""
    from .dashboard import WinsSection

    return [WinsSection(app)]


@hookimpl
def register_health_checks(app: Wellio) -> Sequence[HealthCheck]:
    """Say when the tally falls behind."""
    from .health import TallyCheck

    return [TallyCheck(app)]


@hookimpl
def register_personal_data(app: Wellio) -> Sequence[PersonalData]:
    """Hand out and take away what is stored about a person."""
    from .personal_data import WinData

    return [WinData(app)]
