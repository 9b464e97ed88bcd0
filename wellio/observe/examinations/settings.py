"""Looks at settings that can be right one by one and wrong together."""

from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import urlsplit

from wellio.config.settings import Config
from wellio.observe.findings import Finding

from .examination import Examination

_LOCAL: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def of_settings(config: Config) -> Sequence[Examination]:
    """Return what is looked at of the settings; it needs neither data nor an app."""

    def examination(name: str, look: Callable[[Config], Finding]) -> Examination:
        async def looked() -> Finding:
            return look(config)

        return Examination(name, looked)

    return [
        examination("https", _https),
        examination("public_url", _public_url),
        examination("proxies", _proxies),
        examination("limits", _limits),
        *map(oddity, config.warnings),
    ]


def _https(config: Config) -> Finding:
    server = config.server
    if server.host in _LOCAL or server.url.startswith("https:"):
        return Finding("https", "ok", "nobody is asked to connect without TLS")
    return Finding(
        "https",
        "warning",
        "other machines can connect, and public_url is not https",
        "put a proxy with TLS in front, and set [server] public_url",
    )


def _public_url(config: Config) -> Finding:
    server = config.server
    is_needed = config.mail.url is not None or bool(server.trusted_proxies)
    is_reached = server.public_url is not None and urlsplit(server.url).hostname not in _LOCAL
    if is_reached or not is_needed:
        return Finding("public_url", "ok", f"links begin with {server.url}")
    why = "mails leave this machine" if config.mail.url else "a proxy is in front"
    return Finding(
        "public_url",
        "warning",
        f"{why}, and links lead to {server.url}: [server] public_url does not say where people are",
        "set [server] public_url to the address by which people reach the server",
    )


def _proxies(config: Config) -> Finding:
    server = config.server
    is_behind = server.public_url is not None and server.public_url.startswith("https:")
    if not is_behind or server.trusted_proxies:
        return Finding("proxies", "ok", "the limits know whose a request is")
    return Finding(
        "proxies",
        "warning",
        "public_url is https, so a proxy is in front, and trusted_proxies names none: all people "
        "share the limits of one",
        'set [server] trusted_proxies to the proxy\'s address, such as ["127.0.0.1"]',
    )


def _limits(config: Config) -> Finding:
    if config.limits.enabled:
        return Finding("limits", "ok", "on")
    advice = "set [limits] enabled = true"
    return Finding("limits", "warning", "off: passwords can be guessed", advice)


def oddity(text: str) -> Examination:
    """Return what tells of a setting that is odd, or has no effect; the text begins with it."""
    setting = text.split(maxsplit=1)[0].rstrip(":")
    name = f"setting {setting}"

    async def look() -> Finding:
        return Finding(name, "warning", text, f"change or take away {setting}")

    return Examination(name, look)
