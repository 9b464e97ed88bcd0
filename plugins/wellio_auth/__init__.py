"""Accounts: who there is, how they prove it, and when they no longer may.

Accounts and roles, passwords, access and refresh tokens, sessions, invitations and set-up; API
keys have a room of their own. Other plugins import `wellio_auth.events`, and their SQL may join
`auth_v_user(id, name, email, role, status, time_zone, locale, phone)`: one row for each account,
disabled and erased ones included; of an erased one only its id, role and status are left.
"""

from collections.abc import AsyncIterator, Mapping, Sequence

from wellio import (
    Authenticator,
    Cli,
    Event,
    Job,
    KeyHolder,
    Notice,
    Permission,
    PersonalData,
    Plugin,
    Schedule,
    Wellio,
    __version__,
    hookimpl,
)

from .config import AuthConfig

__all__ = ["PLUGIN"]

PLUGIN = Plugin(
    name="auth",
    version=__version__,
    summary="Accounts, sessions, invitations and set-up.",
    config=AuthConfig,
    migrations=(
        "wellio_auth.accounts",
        "wellio_auth.sessions",
        "wellio_auth.invitations",
        "wellio_auth.api_keys",
        "wellio_auth.signing_keys",
        "wellio_auth.setup",
    ),
)


@hookimpl
def register_events() -> Sequence[type[Event]]:
    """Offer what happens to accounts and logins."""
    from .events import EVENTS

    return EVENTS


@hookimpl
def register_hookspecs() -> Sequence[object]:
    """Open `register_account_steps` and `register_profile_steps`."""
    from . import hooks

    return [hooks]


@hookimpl
def register_services(app: Wellio) -> Mapping[type, type]:
    """Provide `wellio_auth.ports`."""
    from .accounts.service import Accounts
    from .invitations.service import Invitations
    from .ports import ChangeAccounts, InvitePeople, MakeAccounts
    from .setup.service import Setup

    return {MakeAccounts: Setup, ChangeAccounts: Accounts, InvitePeople: Invitations}


@hookimpl
def register_permissions() -> Sequence[Permission]:
    """Offer the permissions around accounts."""
    from .permissions import PERMISSIONS

    return PERMISSIONS


@hookimpl
def register_authenticators(app: Wellio) -> Sequence[Authenticator]:
    """Understand API keys, and whatever else is a bearer token as an access token."""
    from .api_keys.authenticator import ApiKeyAuthenticator
    from .sessions.authenticator import BearerAuthenticator

    return [app.service(ApiKeyAuthenticator), app.service(BearerAuthenticator)]


@hookimpl
def register_routes(app: Wellio) -> Sequence[object]:
    """Serve `/auth`, `/me`, `/users`, `/invitations`, `/setup` and `/api-keys`."""
    from .accounts import api as accounts
    from .api_keys import api as api_keys
    from .invitations import api as invitations
    from .sessions import api as sessions
    from .setup import api as setup

    rooms = (sessions, accounts, invitations, setup, api_keys)
    return [route for room in rooms for route in room.routes(app)]


@hookimpl
def register_jobs(app: Wellio) -> Sequence[Job | Schedule]:
    """Send mails; end sessions and API keys each minute; drop ended signing keys each hour."""
    from .api_keys.service import ApiKeys
    from .mails.service import Mails
    from .sessions.service import Sessions
    from .signing_keys.service import KeyRing

    return [
        *app.service(Mails).jobs(),
        Schedule("auth.end_sessions", "* * * * *", app.service(Sessions).end_expired),
        Schedule("auth.end_api_keys", "* * * * *", app.service(ApiKeys).end_expired),
        Schedule("auth.drop_signing_keys", "47 * * * *", app.service(KeyRing).drop_ended),
    ]


@hookimpl
def register_key_holders(app: Wellio) -> Sequence[KeyHolder]:
    """Renew the signing keys with the master key."""
    from .signing_keys.service import KeyRing

    return [app.service(KeyRing)]


@hookimpl
def register_commands(cli: Cli) -> None:
    """Add `wellio user create`."""
    from .commands import register

    register(cli)


@hookimpl
def register_notices(app: Wellio) -> Sequence[Notice]:
    """Offer the set-up link while there is no owner."""
    from .setup.service import Setup

    return [app.service(Setup).notice]


@hookimpl
def register_personal_data(app: Wellio) -> Sequence[PersonalData]:
    """Hand out and take away accounts."""
    from .personal_data import AccountData

    return [AccountData(app)]


@hookimpl
async def lifespan(app: Wellio) -> AsyncIterator[None]:
    """Read the signing keys, and make the owner whom the settings name."""
    from .credentials.attempts import Attempts
    from .credentials.judge import Judge
    from .credentials.passwords import Passwords
    from .setup.service import Setup
    from .signing_keys.service import KeyRing

    await app.service(Judge).load()
    await app.service(KeyRing).load()
    await app.service(Attempts).load()
    await app.service(Setup).run_unattended()
    yield
    app.service(Passwords).close()
    await app.service(Judge).keep()
