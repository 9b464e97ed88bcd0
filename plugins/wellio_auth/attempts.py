"""How often somebody may try to prove who they are: asked before any password is worked on.

Of one account, so that nobody guesses a password; of one network, so that nobody tries one password
on every account; and of everybody, so that a flood from many networks leaves the box its cores.
Nobody is locked out: a try comes back after a while.
"""

from wellio import Wellio, network_of

from .config import AuthConfig
from .models import Origin


class Attempts:
    """Counts tries, successful ones too: whether one is, is not known before."""

    def __init__(self, app: Wellio) -> None:
        settings, budget = app.settings(AuthConfig), app.limits.budget
        self._accounts = budget("sign-in-account", settings.attempts_per_account)
        self._addresses = budget("sign-in-address", settings.attempts_per_address)
        self._everybody = budget("sign-in", settings.attempts)

    def at_account(self, email: str, origin: Origin) -> None:
        """Allow a try to sign in to an account, whether there is one or not.

        Raises:
            TooManyRequests: There were too many.
        """
        self._addresses.spend(network_of(origin.ip))
        self.at_password(email)
        self._everybody.spend("")

    def at_password(self, email: str) -> None:
        """Allow a try at the password of an account by somebody who is signed in to it.

        Raises:
            TooManyRequests: There were too many.
        """
        self._accounts.spend(email.lower())

    def at_link(self, origin: Origin) -> None:
        """Allow a try to use the token of a link.

        Raises:
            TooManyRequests: There were too many.
        """
        self._addresses.spend(network_of(origin.ip))
        self._everybody.spend("")
