"""How often somebody may try to prove who they are: asked before any password is worked on.

Of one account, so that nobody guesses a password; of one network, so that nobody tries one password
on every account; and of everybody, so that a flood from many networks leaves the box its cores.
Nobody is locked out: a try comes back after a while, and who has signed in to an account before,
from the network where they are now, has tries that nobody elsewhere can use up (ASVS 5.0, 6.1.1).
"""

from collections import OrderedDict

from wellio import Database, Wellio, address_key, network_of
from wellio_auth.config import AuthConfig
from wellio_auth.sessions import store as session_store
from wellio_auth.sessions.models import Origin

from .digest import digest

KNOWN_PLACES = 20_000


class Attempts:
    """Counts tries, successful ones too: whether one is, is not known before."""

    def __init__(self, app: Wellio) -> None:
        settings, budget = app.settings(AuthConfig), app.limits.budget
        self._db: Database = app.db
        self._clock = app.clock
        self._accounts = budget("sign-in-account", settings.attempts_per_account)
        self._holders = budget("sign-in-account", settings.attempts_per_account)
        self._addresses = budget("sign-in-address", settings.attempts_per_address)
        self._everybody = budget("sign-in", settings.attempts)
        # In memory, so that asking takes as long for an account as for none.
        self._places: OrderedDict[str, None] = OrderedDict()

    async def load(self) -> None:
        """Remember where the sessions that live were begun."""
        rows = await session_store.session_places(self._db, self._clock.now_ms(), KNOWN_PLACES)
        for row in reversed(rows):
            self.remember(row["email"], row["ip"])

    def remember(self, email: str, ip: str) -> None:
        """Remember that somebody signed in to an account from an address."""
        place = _place(email, ip)
        self._places[place] = None
        self._places.move_to_end(place)
        if len(self._places) > KNOWN_PLACES:
            self._places.popitem(last=False)

    def at_account(self, email: str, origin: Origin) -> None:
        """Allow a try to sign in to an account, whether there is one or not.

        Raises:
            TooManyRequests: There were too many.
        """
        place = _place(email, origin.ip)
        if place in self._places:
            self._holders.spend(place)
            return
        self._addresses.spend(network_of(origin.ip))
        self._accounts.spend(address_key(email))
        self._everybody.spend("")

    def at_password(self, user_id: str) -> None:
        """Allow a try at the password of an account by somebody who is signed in to it.

        Raises:
            TooManyRequests: There were too many.
        """
        self._holders.spend(user_id)

    def at_link(self, origin: Origin) -> None:
        """Allow a try to use the token of a link.

        Raises:
            TooManyRequests: There were too many.
        """
        self._addresses.spend(network_of(origin.ip))
        self._everybody.spend("")


def _place(email: str, ip: str) -> str:
    return digest(f"{address_key(email)} {network_of(ip)}")
