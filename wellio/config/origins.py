"""Origins: what a browser calls the site that a page is of, in the one form in which we compare.

A site is its scheme, host and port (RFC 6454); the port that a scheme has anyway is not written.
Apps in a web view are of schemes of their own (`capacitor://localhost`, `app://.`), and a page of
no site, such as a file, is `null`.
"""

import re
from collections.abc import Mapping

from yarl import URL

ANY = "*"
NOBODY = "null"
_PORTS: Mapping[str, str] = {"http": "80", "https": "443", "ws": "80", "wss": "443"}
_PAGES: Mapping[str, str] = {"ws": "http", "wss": "https"}
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]*:[0-9a-f:.]*")


def site_of(origin: str) -> str:
    """Return an origin without the port that its scheme has anyway."""
    scheme, mark, authority = origin.partition("://")
    return f"{scheme}{mark}{without_port(authority, scheme)}"


def page_of(origin: str) -> str:
    """Return the same of what a WebSocket library writes: `wss:` where a page says `https:`."""
    scheme, mark, rest = origin.partition("://")
    return site_of(f"{_PAGES.get(scheme, scheme)}{mark}{rest}")


def without_port(authority: str, scheme: str) -> str:
    """Return a host without the port that a scheme has anyway."""
    return authority.removesuffix(f":{_PORTS.get(scheme, '')}") if scheme in _PORTS else authority


def read_site(text: str) -> str:
    """Return the site of an address that names nothing but one, as browsers write it.

    Raises:
        ValueError: It is none.
    """
    url = URL(text)
    host = url.raw_host or ""
    names_more = url.raw_user is not None or url.raw_path not in {"", "/"} or "?" in text
    if not url.scheme or names_more or "#" in text or not _HOST.fullmatch(host):
        raise ValueError("it is no site")
    port = "" if url.explicit_port is None else f":{url.explicit_port}"
    return site_of(f"{url.scheme}://{f'[{host}]' if ':' in host else host}{port}")


def read_origin(text: str) -> str:
    """Return the origin that a setting names, as browsers write it.

    Raises:
        ValueError: It is none; the message says what would be one.
    """
    if text in {ANY, NOBODY}:
        return text
    if ANY in text:
        raise ValueError('expected each site by its whole name, or "*" alone for any')
    try:
        site = read_site(text)
    except ValueError:
        site = ""
    if not site or site.partition(":")[0] in _PAGES:
        raise ValueError(
            'expected an origin such as https://app.example or capacitor://localhost, "null" or "*"'
        )
    return site
