"""Every hook of Wellio.

A hook is synchronous, runs once at boot, plugin by plugin in `requires` order, and returns what
the plugin brings. What happened is an event (`events.py`); what must be decided at run time is an
async method of an object that a hook returned.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import pluggy

from wellio.access.actor import Actor, Authenticator, Permission
from wellio.access.policy import Policy
from wellio.db.base import Tx

if TYPE_CHECKING:
    from wellio.cli import Cli
    from wellio.demo import Demo
    from wellio.events.bus import EventBus
    from wellio.events.event import Event
    from wellio.jobs.jobs import Job
    from wellio.jobs.schedules import Schedule
    from wellio.mail import Letterhead

    from .app import Wellio

NAMESPACE = "wellio"
hookspec = pluggy.HookspecMarker(NAMESPACE)
"""Marks a function of a plugin's module `hooks` as a hook that others may fill."""
hookimpl = pluggy.HookimplMarker(NAMESPACE)
"""Marks a function of a plugin as a hook; `optionalhook=True` where its owner may be missing."""
Notice = Callable[[], Awaitable[str | None]]
"""Returns what to say to whoever starts the server, once it listens; None for nothing."""


class HealthCheck(Protocol):
    """One thing that `/health` looks at."""

    @property
    def name(self) -> str:
        """Return the check's name within its plugin."""

    async def check(self) -> str | None:
        """Return None when well, or in a few words why it is degraded; raise when it is down."""


class PersonalData(Protocol):
    """What a plugin stores about people, and how it hands it out and takes it away."""

    @property
    def tables(self) -> Sequence[str]:
        """Return the tables that this object answers for."""

    async def export(self, user_id: str) -> Mapping[str, list[dict[str, Any]]]:
        """Return everything stored about a person: rows by table, without secrets."""

    async def erase(self, tx: Tx, user_id: str) -> None:
        """Delete it, or make it nobody's where others keep a part in it.

        The account stays as a row that says nothing of the person, so no foreign key deletes.
        The plugins are asked in reverse order: who refers to an account still finds it there.
        """


class KeyHolder(Protocol):
    """What a plugin keeps sealed by `app.crypto`, and keys of its own that sign or encrypt.

    `wellio keys rotate` asks both, in this order. Either may be called again after a kill.
    """

    @property
    def name(self) -> str:
        """Return what it is, such as `auth.signing_keys`."""

    async def renew(self) -> None:
        """Make a new key of its own, if it has any; what the older ones made stays good."""

    async def reseal(self) -> int:
        """Seal anew, by `app.crypto.reseal`, what an older master key sealed; return how many.

        It also runs within an hour after the master key was changed by a setting. Once it has
        returned, nothing may need an older master key any more.
        """


class DashboardSection(Protocol):
    """One member of `GET /dashboard`."""

    @property
    def name(self) -> str:
        """Return the member's name on the wire."""

    async def load(self, actor: Actor) -> Any:
        """Return what this person sees there, JSON-ready."""


class DemoPart(Protocol):
    """What a plugin adds to the demo practice (`wellio serve --demo`)."""

    async def obstacle(self) -> str | None:
        """Return what a demo must not mix with, such as `has accounts`; None without any.

        Asked before a demo is planned, when its database is new, and again each time that a demo
        is shown: then some part has to have one.
        """

    def plan(self, demo: "Demo") -> None:
        """Say what happens when: `demo.at(instant, act, ..., lane=)`.

        The plugins plan in their order, and then everything happens in the order of time, so that
        what they bring interleaves as if it had been lived. An act is an async function that calls
        services as `demo.actor(person)`. Nothing has happened yet while this runs, but earlier
        plugins have put people into `demo.people`, and what they know of them into their `facts`.
        What is random comes from `demo.random(...)`, and is decided here.
        """


@dataclass(frozen=True, slots=True)
class Account:
    """An account, as the steps that follow its creation see it."""

    id: str
    email: str
    name: str
    role: str


class AccountStep(Protocol):
    """What a plugin does when an account is made, in the account's own transaction."""

    async def on_account(self, tx: Tx, account: Account, attributes: Mapping[str, Any]) -> None:
        """Add what belongs to the account.

        Args:
            tx: The transaction in which the account is stored.
            account: The new account.
            attributes: What the invitation, the set-up or the command line said beyond it, such
                as `coachId` or `practice`; a step takes what it knows.
        """


@hookspec
def register_routes(app: "Wellio") -> Sequence[object]:
    """Return what serves REST under `/api/v1`: `call`s of services, objects with `@endpoint`s."""


@hookspec
def register_hookspecs() -> Sequence[object]:
    """Return the modules (or other objects) whose `@hookspec` functions are hooks of this plugin.

    Other plugins fill them like any hook, and this one reads what they brought by
    `app.hooks.of("register_...")`. Such a function is named `register_...`, takes `app` or nothing,
    and returns a sequence; its docstring says of what. All plugins are imported and their hooks
    opened before anybody is asked, so it does not matter who comes first. Whoever fills a hook and
    can do without its owner says `@hookimpl(optionalhook=True)`: else the start stops where the
    owner is not loaded.
    """


@hookspec
def register_services(app: "Wellio") -> Mapping[type, type]:
    """Return which class provides each port of this plugin: `{SendMessages: MessageService}`.

    A port is a Protocol in the plugin's module `ports`, by which other plugins call it: whoever has
    this plugin in `requires` asks `app.service(SendMessages)` and gets the one instance of the
    class; in `after`, `app.service(SendMessages, optional=True)`, which is None where this plugin
    is not loaded. Every public Protocol of `ports` has to be provided, or the app does not start.
    """


@hookspec
def register_socket_events(app: "Wellio") -> Sequence[object]:
    """Return objects whose `@socket_event` methods answer Socket.IO and `/ws`.

    Among them are those whose classes say by `@emits` what they send.
    """


@hookspec
def register_events() -> "Sequence[type[Event]]":
    """Return the event classes that this plugin publishes; another cannot be published."""


@hookspec
def register_subscribers(app: "Wellio", bus: "EventBus") -> None:
    """Subscribe to events of this plugin and others, live or durable."""


@hookspec
def register_permissions() -> Sequence[Permission]:
    """Return the permissions of this plugin and the roles that hold them."""


@hookspec
def register_jobs(app: "Wellio") -> "Sequence[Job | Schedule]":
    """Return the kinds of background work, and what runs by the clock."""


@hookspec
def register_commands(cli: "Cli") -> None:
    """Add commands to `wellio`."""


@hookspec
def register_health_checks(app: "Wellio") -> Sequence[HealthCheck]:
    """Return what `/health/<plugin>` looks at."""


@hookspec
def register_personal_data(app: "Wellio") -> Sequence[PersonalData]:
    """Return who exports and erases this plugin's data about people."""


@hookspec
def register_key_holders(app: "Wellio") -> Sequence[KeyHolder]:
    """Return who seals this plugin's stored secrets anew when the master key changes."""


@hookspec
def register_dashboard(app: "Wellio") -> Sequence[DashboardSection]:
    """Return this plugin's members of `GET /dashboard`."""


@hookspec
def register_notices(app: "Wellio") -> Sequence[Notice]:
    """Return who has something to say to whoever starts the server, such as a link for set-up."""


@hookspec
def register_demo(app: "Wellio") -> Sequence[DemoPart]:
    """Return this plugin's parts of the demo practice; asked only when one is made or shown."""


@hookspec
def register_authenticators(app: "Wellio") -> Sequence[Authenticator]:
    """Return the ways of signing in that this plugin understands."""


@hookspec
def register_policies(app: "Wellio") -> Sequence[Policy]:
    """Return the rules of the kinds of object that this plugin owns."""


@hookspec
def register_letterhead(app: "Wellio") -> "Sequence[Callable[[], Awaitable[Letterhead]]]":
    """Return who knows the practice that mails come from; the last plugin that does is asked."""


@hookspec
def lifespan(app: "Wellio") -> AsyncIterator[None]:
    """Start what the plugin needs, yield, and stop it: an async generator.

    Starts run in `requires` order, after the migrations and before the server listens; ends run
    in reverse.
    """
