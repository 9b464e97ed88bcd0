"""Where an audited request comes from, as coarse as the log keeps it."""

from contextvars import ContextVar
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

ADDRESS: ContextVar[str | None] = ContextVar("address", default=None)
"""The address of who sent the request that runs; `None` outside of one."""

API_KEY: ContextVar[str | None] = ContextVar("api_key", default=None)
"""The id of the API key with which the request that runs came; `None` without one."""


@lru_cache(maxsize=4096)
def network_of(address: str) -> str | None:
    """Return the /24 or /64 that an address is in: enough to recognise a place, not a device."""
    try:
        parsed = ip_address(address)
    except ValueError:  # a Unix socket has no address
        return None
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return str(ip_network((parsed.packed, 24 if parsed.version == 4 else 64), strict=False))
