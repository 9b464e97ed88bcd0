"""The practice: its clients, who looks after them, and its settings.

Rooms: `settings` (the practice itself), `tags`, `clients`, `timeline`. Other plugins read
`practice_v_client_access`, `practice_v_client` and `practice_v_assignment`, import events and
ports, and bring what they know of a client by the hook `register_timeline` (`hooks.py`).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from wellio import (
    AccountStep,
    Event,
    Letterhead,
    Permission,
    PersonalData,
    Plugin,
    Policy,
    Wellio,
    __version__,
    hookimpl,
)

from .timeline.models import TimelineEntry, TimelineSource

__all__ = ["PLUGIN", "TimelineEntry", "TimelineSource"]

PLUGIN = Plugin(
    name="practice",
    version=__version__,
    summary="Clients, coaches, tags and the practice's settings.",
    requires=("auth",),
    migrations=(
        "wellio_practice.settings",
        "wellio_practice.tags",
        "wellio_practice.clients",
    ),
)


@hookimpl
def register_hookspecs() -> Sequence[object]:
    """Open `register_timeline`."""
    from . import hooks

    return [hooks]


@hookimpl
def register_timeline(app: Wellio) -> Sequence[TimelineSource]:
    """Offer when a record began, and who looked after the client from when until when."""
    from .timeline.store import sources

    return sources(app)


@hookimpl
def register_events() -> Sequence[type[Event]]:
    """Offer what happens to clients."""
    from .events import EVENTS

    return EVENTS


@hookimpl
def register_services(app: Wellio) -> Mapping[type, type]:
    """Provide `wellio_practice.ports`."""
    from .clients.service import ClientService
    from .ports import KeepClients, KeepSettings, KeepTags
    from .settings.service import SettingsService
    from .tags.service import TagService

    return {KeepClients: ClientService, KeepTags: TagService, KeepSettings: SettingsService}


@hookimpl
def register_permissions() -> Sequence[Permission]:
    """Offer the practice's permissions."""
    from .permissions import PERMISSIONS

    return PERMISSIONS


@hookimpl
def register_policies(app: Wellio) -> Sequence[Policy]:
    """Offer the rules of the kind `client`."""
    from .policies import ClientPolicy

    return [app.service(ClientPolicy)]


@hookimpl
def register_account_steps(app: Wellio) -> Sequence[AccountStep]:
    """Store the practice with its owner, and make a client's record with their account."""
    from .clients.service import ClientService
    from .settings.service import SettingsService

    return [app.service(SettingsService), app.service(ClientService)]


@hookimpl
def register_profile_steps(app: Wellio) -> Sequence[object]:
    """Have a client's record say what the client says of themself."""
    from .clients.service import ClientService

    return [app.service(ClientService)]


@hookimpl
def register_letterhead(app: Wellio) -> Sequence[Callable[[], Awaitable[Letterhead]]]:
    """Say whose practice mails come from."""
    from .settings.service import SettingsService

    return [app.service(SettingsService).letterhead]


@hookimpl
def register_routes(app: Wellio) -> Sequence[object]:
    """Serve `/practice`, `/tags`, `/clients` and their timelines."""
    from .clients import api as clients
    from .settings import api as settings
    from .tags import api as tags
    from .timeline import api as timelines

    return [
        *settings.routes(app),
        *tags.routes(app),
        *clients.routes(app),
        *timelines.routes(app),
    ]


@hookimpl
def register_personal_data(app: Wellio) -> Sequence[PersonalData]:
    """Hand out and take away what is stored about a client."""
    from .personal_data import PracticeData

    return [PracticeData(app)]
