"""`[plugins.auth]`: how long a login lasts, and what a password costs."""

from typing import Annotated

from pydantic import Field

from wellio import Rate, SectionModel, StrongSecret

DAY_S = 86_400
MAX_ACCESS_TOKEN_S = 3600
MAX_KEYS = 1000


class AuthConfig(SectionModel):
    """Accounts, sessions and invitations."""

    jwt_secret: StrongSecret | None = None
    """32 random bytes or more that seed the first signing key (HKDF to Ed25519), and are never a
    key themselves; without them the first key is random."""
    access_token_s: Annotated[int, Field(ge=60, le=MAX_ACCESS_TOKEN_S)] = 600
    """How long an access token is good for."""
    session_idle_s: Annotated[int, Field(ge=3600)] = 30 * DAY_S
    """A session ends when it is not refreshed for so long."""
    session_absolute_s: Annotated[int, Field(ge=3600)] = 180 * DAY_S
    """A session ends so long after the login in any case."""
    max_sessions: Annotated[int, Field(ge=1, le=1000)] = 20
    """Sessions of one account; the one unused longest gives way."""
    refresh_race_s: Annotated[int, Field(ge=0, le=60)] = 10
    """So long after a rotation, the token before it is a race between two tabs (409); afterwards
    it is a theft, and the session ends."""
    max_api_keys: Annotated[int, Field(ge=1, le=MAX_KEYS)] = 50
    """API keys of one account."""
    invitation_ttl_s: Annotated[int, Field(ge=60)] = 7 * DAY_S
    """How long an invitation's link works."""
    setup_ttl_s: Annotated[int, Field(ge=60)] = 1800
    """How long the set-up link works."""
    bcrypt_cost: Annotated[int, Field(ge=10, le=16)] = 12
    """Each step doubles the work of a login; 12 is about 230 ms."""

    attempts_per_account: Rate = Rate(10, 0.0027)
    """How often one account's password may be tried in vain: less than 20 times in an hour. A
    device that signed in to it before, from where it is now, has as much for itself."""
    attempts_per_address: Rate = Rate(20, 1)
    """How often one network may try passwords and the tokens of links."""
    attempts: Rate = Rate(60, 4)
    """How often everybody together may; each costs what bcrypt_cost says."""
    invitations_per_sender: Rate = Rate(100, 0.028)
    """How many people one account may invite; each gets a mail."""
    invitations_per_address: Rate = Rate(3, 0.0009)
    """How often one address may be invited, by whomever."""
