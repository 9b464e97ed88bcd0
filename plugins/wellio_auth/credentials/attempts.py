"""How often somebody may try to prove who they are: asked before any password is worked on.

Of one account, so that nobody guesses a password; of one network, so that nobody tries one password
on every account; and of everybody, so that a flood from many networks leaves the box its cores.
Nobody is locked out: what succeeds is no guess and gives its try back, any other comes back after a
while, and a device that has signed in to an account before has tries that no other device can use
up, not even one in the same network (ASVS 5.0, 6.1.1). A device is an address and what the program
there calls itself: all that a request tells of it.
"""

from collections import OrderedDict
from dataclasses import dataclass

from wellio import Budget, Database, Wellio, address_key, network_of
from wellio_auth.config import AuthConfig
from wellio_auth.sessions import store as session_store
from wellio_auth.sessions.models import Origin

from .digest import digest
from .judge import Judge

KNOWN_DEVICES = 20_000


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try that was allowed."""

    _spent: list[tuple[Budget, str]]

    def was_none(self) -> None:
        """Give it back: it was right, or nobody looked at it. Again is no mistake."""
        while self._spent:
            budget, key = self._spent.pop()
            budget.give_back(key)


class Attempts:
    """Counts tries before anybody looks at them; those that were right are given back."""

    def __init__(self, app: Wellio) -> None:
        settings, budget = app.settings(AuthConfig), app.limits.budget
        self._db: Database = app.db
        self._clock = app.service(Judge)
        self._accounts = budget("sign-in-account", settings.attempts_per_account)
        self._holders = budget("sign-in-account", settings.attempts_per_account)
        self._addresses = budget("sign-in-address", settings.attempts_per_address)
        self._everybody = budget("sign-in", settings.attempts)
        # In memory, so that asking takes as long for an account as for none.
        self._devices: OrderedDict[str, None] = OrderedDict()

    async def load(self) -> None:
        """Remember where the sessions that live were begun."""
        rows = await session_store.session_origins(self._db, self._clock.now_ms(), KNOWN_DEVICES)
        for row in reversed(rows):
            self.remember(row["email"], Origin(row["ip"], row["user_agent"]))

    def remember(self, email: str, origin: Origin) -> None:
        """Remember that somebody signed in to an account with a device."""
        device = _device(email, origin)
        self._devices[device] = None
        self._devices.move_to_end(device)
        if len(self._devices) > KNOWN_DEVICES:
            self._devices.popitem(last=False)

    def at_account(self, email: str, origin: Origin) -> Attempt:
        """Allow a try to sign in to an account, whether there is one or not.

        Raises:
            TooManyRequests: There were too many.
        """
        device = _device(email, origin)
        if device in self._devices:
            self._holders.spend(device)
            return Attempt([(self._holders, device)])
        network, account = network_of(origin.ip), address_key(email)
        self._addresses.spend(network)
        self._accounts.spend(account)
        self._everybody.spend("")  # what it costs, it costs whether it is right or not
        return Attempt([(self._addresses, network), (self._accounts, account)])

    def at_password(self, user_id: str) -> Attempt:
        """Allow a try at the password of an account by somebody who is signed in to it.

        Raises:
            TooManyRequests: There were too many.
        """
        self._holders.spend(user_id)
        return Attempt([(self._holders, user_id)])

    def at_link(self, origin: Origin) -> Attempt:
        """Allow a try to use the token of a link.

        Raises:
            TooManyRequests: There were too many.
        """
        network = network_of(origin.ip)
        self._addresses.spend(network)
        self._everybody.spend("")
        return Attempt([(self._addresses, network)])


def _device(email: str, origin: Origin) -> str:
    # A device has all addresses of a /64 at once, and goes through them (RFC 8981).
    ip = network_of(origin.ip) if ":" in origin.ip else origin.ip
    return digest(f"{address_key(email)} {ip} {origin.user_agent}")
