"""A mail as plugins write it, and as it goes out (RFC 5322)."""

from datetime import UTC, datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from wellio.text import mail_address, one_line
from wellio.wire import Email, Line, Text

_LONGEST_LINE = 998  # RFC 5322, 2.1.1, in bytes


class Mail(BaseModel):
    """A plain-text mail to one person.

    A subject or an address of more than one line is refused: nobody writes headers of their own.

    Attributes:
        to: The address.
        subject: One line.
        text: The text; lines end with a line feed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    to: Email
    subject: Annotated[Line, StringConstraints(min_length=1, max_length=500)]
    text: Annotated[Text, StringConstraints(min_length=1)]


def compose(
    mail: Mail,
    *,
    sender: str,
    name: str,
    message_id: str,
    at_ms: int,
    reply_to: str = "",
    is_8bit: bool = False,
) -> EmailMessage:
    """Write a mail with its headers.

    Args:
        mail: The mail.
        sender: The address that it comes from.
        name: Whose that is.
        message_id: The left part of its Message-ID; the same again makes the same Message-ID.
        at_ms: Its date, in milliseconds UTC.
        reply_to: The addresses that answers go to, if not to the sender.
        is_8bit: Whether its text may go as it is; else it is encoded where it must be.
    """
    message = EmailMessage(policy.SMTP)
    message["From"] = Address(one_line(name), addr_spec=sender)
    local, _, domain = mail_address(mail.to).rpartition("@")
    message["To"] = Address(username=local, domain=domain)
    message["Subject"] = one_line(mail.subject)
    message["Date"] = format_datetime(datetime.fromtimestamp(at_ms / 1000, UTC))
    message["Message-ID"] = f"<{message_id}@{mail_address(sender).rpartition('@')[2]}>"
    if reply_to:
        message["Reply-To"] = reply_to
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    text = mail.text.rstrip("\n") + "\n"
    message.set_content(text, cte="8bit" if is_8bit else _encoding(text))
    return message


def _encoding(text: str) -> str:
    """Leave a text alone where that is safe: the encoding writes links with `=3D`, in pieces."""
    is_plain = text.isascii() and max(map(len, text.splitlines())) <= _LONGEST_LINE
    return "7bit" if is_plain else "quoted-printable"
