"""Where a request comes from: the address of the client, not of the proxy in front of us.

A proxy writes the address of whoever called it into a header; so can everybody. So that header is
read from its end, only as far as addresses of proxies that the settings name have written it, and
strictly: what a client wrote may make the rest mean something else, so where anything is odd, the
proxy alone is believed, and the request counts as its own. aiohttp reads `Forwarded` from its
beginning, and lets an open quotation mark of the client's swallow what the proxy wrote. The library
 aiohttp-remotes takes the header of any caller or wants the exact number of proxies, clones
each request, and has host and scheme follow headers that nothing here asks for.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Literal

from aiohttp import hdrs, web

Network = IPv4Network | IPv6Network
ForwardedHeader = Literal["x-forwarded-for", "forwarded"]

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
# An escape in quotes is part of no address.
_PAIR = re.compile(rf'({_WORD})=({_WORD}|"[^"\\\x00-\x1f]*")')
_ONE = _PAIR.pattern.replace("(", "(?:")
_ELEMENT = re.compile(rf"[ \t]*({_ONE}(?:[ \t]*;[ \t]*{_ONE})*)[ \t]*(?:,(?=.)|$)")
_HOP = re.compile(
    r"(\d+\.\d+\.\d+\.\d+)(?::\d{1,5})?|\[([\da-f:.]+)\](?::\d{1,5})?|([\da-f:.]+)",
    re.ASCII | re.IGNORECASE,
)

REMOTE = web.RequestKey("remote", str)
"""The client's address: `request[REMOTE]`, in every endpoint."""


class Proxies:
    """The proxies that may say where a request comes from."""

    def __init__(
        self, networks: Sequence[Network] = (), header: ForwardedHeader = "x-forwarded-for"
    ) -> None:
        """Name them.

        Args:
            networks: Their addresses; without any, no header is read.
            header: The one that they write.
        """
        self._networks = networks
        self._header = header
        self._trusts = lru_cache(maxsize=1024)(self._is_proxy)

    def client_of(self, request: web.BaseRequest) -> str:
        """Return the client's address: the last one that a trusted proxy vouches for."""
        client = request.remote or ""
        if client.startswith("::ffff:"):
            client = _address_in(client) or client
        if not self._networks or not self._trusts(client):
            return client
        for hop in self._hops(request):
            address = _address_in(hop)
            if address is None:  # a name or nonsense: nobody knows more than the proxy itself
                break
            client = address
            if not self._trusts(client):
                break
        return client

    def _hops(self, request: web.BaseRequest) -> Iterable[str]:
        """Return what the proxies wrote, the last one first."""
        if self._header == "forwarded":
            return reversed(_forwarded(",".join(request.headers.getall(hdrs.FORWARDED, ()))))
        joined = ",".join(request.headers.getall(hdrs.X_FORWARDED_FOR, ()))
        return _from_the_end(joined)

    def _is_proxy(self, address: str) -> bool:
        parsed = _parsed(address)
        return parsed is not None and any(parsed in network for network in self._networks)


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """Return the network that limits go by: one client has all addresses of a /24 or a /64."""
    parsed = _parsed(address)
    if parsed is None:
        return address
    kept = 24 if parsed.version == 4 else 64
    return f"{int(parsed) >> (parsed.max_prefixlen - kept):x}/{kept}"


def _from_the_end(joined: str) -> Iterator[str]:
    while joined:
        joined, _, hop = joined.rpartition(",")
        yield hop


def _forwarded(joined: str) -> list[str]:
    """Return the `for` of each element of a `Forwarded` (RFC 7239); nothing if it is malformed."""
    hops, place = [], 0
    while place < len(joined):
        element = _ELEMENT.match(joined, place)
        if element is None:
            return []
        pairs = [(name.lower(), value) for name, value in _PAIR.findall(element[1])]
        names = [name for name, _ in pairs]
        if len(names) != len(set(names)):
            return []
        value = dict(pairs).get("for", "")
        hops.append(value[1:-1] if value.startswith('"') else value)
        place = element.end()
    return hops


def _address_in(hop: str) -> str | None:
    """Return the address in a hop, which may have a port: `1.2.3.4:80`, `[::1]`, `[::1]:80`."""
    match = _HOP.fullmatch(hop.strip(" \t"))
    parsed = None if match is None else _parsed(match[1] or match[2] or match[3])
    return None if parsed is None else str(parsed)


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return mapped or parsed
