"""What stands between the network and the endpoints, in one piece: every layer takes its part."""

from dataclasses import dataclass, field
from typing import Self

from wellio.access.limits import Budget, Limits, Rate
from wellio.config.settings import Config
from wellio.observe.slow import Slow

from .cors import Origins
from .remote import Proxies

_UNLIMITED = Limits(is_enabled=False)


def _unlimited() -> Budget:
    return _UNLIMITED.budget("all", Rate(1, 1))


@dataclass(frozen=True, slots=True)
class GatewayRules:
    """The rules of one app; by default one that lets everything through.

    Attributes:
        proxies: Who may say where a request comes from.
        origins: Whose pages may read answers.
        addresses: What each network may spend, in requests.
        accounts: The same for each account.
        body_timeout_s: How long a JSON body may take to arrive.
        slow: Which handlers are reported.
        is_https: Whether people reach us by https alone.
    """

    proxies: Proxies = field(default_factory=Proxies)
    origins: Origins = field(default_factory=Origins)
    addresses: Budget = field(default_factory=_unlimited)
    accounts: Budget = field(default_factory=_unlimited)
    body_timeout_s: float = 15.0
    slow: Slow = field(default_factory=Slow)
    is_https: bool = False

    @classmethod
    def of(cls, config: Config, limits: Limits) -> Self:
        """Return the rules that the settings describe."""
        server, rates = config.server, config.limits
        return cls(
            Proxies(server.trusted_proxies, server.forwarded_header),
            Origins(server.allowed_origins, server.public_url),
            limits.budget("address", rates.per_address),
            limits.budget("account", rates.per_account),
            server.body_timeout_s,
            Slow(config.log.slow_handler_s),
            server.url.startswith("https:"),
        )
