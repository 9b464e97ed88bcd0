"""What a database URL may say: refused in words that hold none of it, for it holds a password."""

import re
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

_KINDS: Final = ("sqlite:///", "postgresql://", "postgres://")
_ENCODE: Final = (
    "percent-encode what is special in user and password: # is %23, / is %2F, ? is %3F, @ is %40, "
    ": is %3A, % is %25, a blank is %20"
)
_BAD_PERCENT: Final = re.compile(r"%(?![0-9a-fA-F]{2})")
#: What hosted servers print and what asyncpg does anyway, or need not: taken out.
_IDLE: Final = frozenset(
    {
        *("connect_timeout", "keepalives", "keepalives_idle", "keepalives_interval"),
        *("keepalives_count", "tcp_user_timeout", "fallback_application_name", "application_name"),
        *("sslcompression", "sslsni", "client_encoding"),
    }
)
#: The same, with the values for which it is true; any other would be a promise that is not kept.
_IDLE_AS: Final = {
    "channel_binding": frozenset({"prefer", "disable"}),
    "gssencmode": frozenset({"prefer", "disable"}),
}
_INSTEAD: Final = {
    "channel_binding": "take it out; sslmode=verify-full has the server prove who it is",
    "gssencmode": "take it out, and ask for TLS by sslmode",
}
#: What the driver understands.
_MEANT: Final = frozenset(
    {
        *("host", "port", "user", "password", "dbname", "database", "passfile", "service"),
        *("sslmode", "sslrootcert", "sslcert", "sslkey", "sslpassword", "sslcrl"),
        *("ssl_min_protocol_version", "ssl_max_protocol_version", "servicefile"),
        *(
            "sslnegotiation",
            "target_session_attrs",
            "krbsrvname",
            "gsslib",
            "options",
            "search_path",
        ),
    }
)


def readable(url: str) -> str:
    """Return a URL as the driver takes it.

    Raises:
        ValueError: It cannot be read, or asks for what there is not; the message quotes nothing but
            the names of parameters.
    """
    if not url.startswith(_KINDS):
        raise ValueError("expected sqlite:/// with a path, or postgresql://")
    if url.startswith("sqlite:"):
        return url
    head, _, query = url.partition("?")
    _refuse_unreadable(url, head)
    kept, given = [], parse_qsl(query, keep_blank_values=True)
    for name, value in given:
        if name in _IDLE or value in _IDLE_AS.get(name, ()):
            continue
        if name in _INSTEAD:
            raise ValueError(f"{name} with this value is not supported: {_INSTEAD[name]}")
        if name not in _MEANT:
            raise ValueError(f"{_named(name)} is no parameter that is supported: take it out")
        kept.append((name, value))
    if len(kept) == len(given):
        return url
    return f"{head}?{urlencode(kept)}" if kept else head


def _refuse_unreadable(url: str, head: str) -> None:
    """Refuse what the driver would take apart in another place than was meant."""
    _, _, rest = url.partition("://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    login, _, hosts = authority.rpartition("@")
    is_cut = "@" in rest[len(authority) :] or "@" in login or "#" in url
    if is_cut or _BAD_PERCENT.search(head) or not _is_printable(url):
        raise ValueError(_ENCODE)
    for host in hosts.split(","):
        port = host.rpartition("]")[2].partition(":")[2]
        if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise ValueError(f"expected a port from 1 to 65535; {_ENCODE}")
    try:
        urlsplit(url)
    except ValueError:  # such as a bracket that does not close
        raise ValueError(_ENCODE) from None


def _is_printable(url: str) -> bool:
    return url.isprintable() and " " not in url


def _named(name: str) -> str:
    """Return a parameter's name, unless it could be a piece of something else."""
    return name if re.fullmatch(r"[a-z][a-z_]{1,40}", name) else "something behind the ?"
