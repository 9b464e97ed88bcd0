"""What `app.mail` is: it writes a mail, sends it, and counts what became of it."""

import re
from collections.abc import Awaitable, Callable, Sequence
from email.message import EmailMessage
from typing import Protocol

from wellio.clock import Clock
from wellio.config.settings import Config
from wellio.observe.log import get_logger
from wellio.observe.metrics import Metrics

from .errors import MailFailed, MailRefused
from .letterhead import NOBODYS, Letterhead
from .mailbox import Mailbox
from .message import Mail, compose
from .server import read_url
from .smtp import Smtp

_KEY = re.compile(r"[A-Za-z0-9-]{1,64}")  # it goes into a header, and names a file
_ALARM = 3  # failures in a row; a single one is often the fault of an address
_log = get_logger(__name__)


class Transport(Protocol):
    """A way out for mails.

    Attributes:
        sender: The address that they come from.
        name: Whose that is; the practice's name stands where this is empty.
        reply_to: The addresses that answers go to, if not to the sender.
        is_8bit: Whether it carries any text as it is.
        outcome: What is counted when it took a mail.
    """

    sender: str
    name: str
    reply_to: str
    is_8bit: bool
    outcome: str

    async def deliver(self, message: EmailMessage, recipient: str, key: str) -> None:
        """Have a mail taken for good, or raise `MailRefused` or `MailFailed`."""

    def close(self) -> None:
        """Let go of what it holds."""


class Mailer:
    """Sends mails to people, from jobs.

    Attributes:
        mailbox: The folder that mails go to while no server is set.
        letterheads: Who knows the practice, as the plugins register it; the last one counts.
    """

    def __init__(self, config: Config, clock: Clock, metrics: Metrics) -> None:
        url = config.mail.url
        self.mailbox = Mailbox(config.data_dir / "mailbox")
        self.letterheads: Sequence[Callable[[], Awaitable[Letterhead]]] = ()
        self._transport: Transport = self.mailbox
        if url is not None:
            self._transport = Smtp(read_url(url.get_secret_value()), config.mail.timeout_s)
        self._clock = clock
        self._outcomes = metrics.counter("mails", "Mails by what became of them.", ("outcome",))
        self._failures = 0
        self._failed: set[str] = set()  # since the last that was delivered

    async def letterhead(self) -> Letterhead:
        """Return whose practice a mail comes from, as it is now."""
        return await self.letterheads[-1]() if self.letterheads else NOBODYS

    async def send(self, mail: Mail, *, key: str) -> None:
        """Send a mail; when this returns, the mail server or the folder has it.

        Call it in a job, with the run's id as the key: what failed is tried again, and what a crash
        sends twice has one Message-ID.

        Args:
            mail: The mail.
            key: What makes it this mail and no other: 1 to 64 letters, digits and hyphens.

        Raises:
            MailRefused: It will never be taken; the job is dead.
            MailFailed: It was not taken; the job is tried again.
        """
        if not _KEY.fullmatch(key):
            raise ValueError("a mail's key has 1 to 64 letters, digits and hyphens")
        way = self._transport
        message = compose(
            mail,
            sender=way.sender,
            name=way.name or (await self.letterhead()).name,
            message_id=key,
            at_ms=self._clock.now_ms(),
            reply_to=way.reply_to,
            is_8bit=way.is_8bit,
        )
        try:
            await way.deliver(message, mail.to, key)
        except (MailFailed, MailRefused) as error:
            self._failures += 1
            self._failed.add(key)
            self._outcomes.labels("refused" if isinstance(error, MailRefused) else "failed").inc()
            raise
        self._failures = 0
        self._failed.clear()
        self._outcomes.labels(way.outcome).inc()
        _log.info("mail_sent", mail=key, outcome=way.outcome)

    async def check(self) -> str | None:
        """Say that mails do not leave, for `/health`."""
        if self._failures < _ALARM:
            return None
        count = len(self._failed)
        mails = "a mail" if count == 1 else f"{count} mails"
        return f"{mails} could not be delivered in {self._failures} tries"

    def close(self) -> None:
        """Let go of the mail server."""
        self._transport.close()
