"""`[mail] url`: which mail server sends for the practice, and how it is reached.

apprise reads the URL, with what it knows of the well-known providers (`mailtos://me:pass@gmail.com`
needs no host and no port). It does not send: see docs/adr/0010.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.header import decode_header, make_header
from email.headerregistry import Address
from ipaddress import ip_address
from typing import Any, Literal, cast

Security = Literal["insecure", "starttls", "ssl"]
_SERVER = (
    "expected mailto:// or mailtos:// with a server, such as mailtos://user:password@host"
    " (in a user or a password, write @ as %40, / as %2F, ? as %3F, # as %23)"
)
_NOBODY = "expected no recipient: every mail has its own"
_SENDER = "expected ?from= with the address that mails come from"
_ASCII = "expected a user and a password of ASCII characters"
_MODE = "expected mode= with one of starttls, ssl, insecure"
#: What may follow the server, of all that apprise knows: how it is reached, and who writes.
_PARAMETERS = ("from", "name", "reply", "smtp", "mode", "verify", "user", "pass", "format")
_OTHERS = f"expected no parameters but {', '.join(_PARAMETERS)}"


@dataclass(frozen=True, slots=True)
class MailServer:
    """A server that takes mails for delivery (RFC 6409).

    Attributes:
        host: Its name or address.
        port: Its port.
        security: TLS from the first byte (`ssl`), after STARTTLS, or none.
        verifies: Whether its certificate must be good.
        user: Who signs in there, if anybody.
        password: With what.
        sender: The address that mails come from.
        name: Whose that is; without it, the practice's name stands there.
        reply_to: The addresses that answers go to, if not to the sender.
    """

    host: str
    port: int
    security: Security
    verifies: bool
    user: str | None
    password: str | None = field(repr=False)
    sender: str
    name: str
    reply_to: str

    @property
    def is_exposed(self) -> bool:
        """Tell whether mails travel readable, and further than this machine."""
        if self.security != "insecure" or self.host == "localhost":
            return False
        try:
            return not ip_address(self.host).is_loopback
        except ValueError:
            return True  # a name


def read_url(url: str) -> MailServer:
    """Read the setting.

    Args:
        url: An apprise e-mail URL without a recipient.

    Raises:
        ValueError: It is another URL, names a recipient, or lacks something; the message says what
            was expected, and quotes nothing.
    """
    if not url.lower().startswith(("mailto://", "mailtos://")):
        raise ValueError(_SERVER)
    logging.getLogger("apprise").propagate = False  # its lines quote addresses
    from apprise import AppriseAsset
    from apprise.exception import AppriseImproperlyConfigured
    from apprise.plugins.email import NotifyEmail

    reader: Any = NotifyEmail  # untyped
    parts = reader.parse_url(url)
    if not parts or not parts["host"]:
        raise ValueError(_SERVER)
    _check(parts)
    try:
        plugin = reader(**parts, asset=AppriseAsset(app_id=""))
        written, sender = plugin.from_addr
        name = str(make_header(decode_header(written or "")))
        Address(name, addr_spec=sender)
    except (AppriseImproperlyConfigured, ValueError) as error:
        raise ValueError(_SENDER) from error
    if not plugin.smtp_host or not 0 < plugin.port < 65536:
        raise ValueError(_SERVER)
    return MailServer(
        host=plugin.smtp_host.strip("[]"),
        port=plugin.port,
        security=cast(Security, plugin.secure_mode),
        verifies=plugin.verify_certificate,
        user=plugin.user,
        password=plugin.password,
        sender=sender,
        name=name,
        reply_to=", ".join(sorted(plugin.reply_to)),
    )


def _check(parts: Mapping[str, Any]) -> None:
    """Refuse what would send mails elsewhere too, and what would have no effect."""
    parameters = set(parts["qsd"])
    if parts["targets"] or parameters & {"to", "cc", "bcc"}:
        raise ValueError(_NOBODY)
    if parameters - set(_PARAMETERS) or any(parts[f"qsd{sign}"] for sign in "+-:"):
        raise ValueError(_OTHERS)
    if not f"{parts['user']}{parts['password']}".isascii():
        raise ValueError(_ASCII)
    if parts["qsd"].get("mode", "ssl") not in {"insecure", "starttls", "ssl"}:
        raise ValueError(_MODE)
