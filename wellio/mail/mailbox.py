"""The folder `<data>/mailbox`: where mails go while no mail server is set.

Each is a file `<key>.eml` that only the server's user can read. A file is there whole or not at
all, and one that is there already stays: a mail that is sent again is in the folder once.
"""

import asyncio
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from itertools import islice
from pathlib import Path

from wellio.files.durability import make_folder, sync_folder
from wellio.text import address_key

from .errors import MailFailed


@dataclass(frozen=True, slots=True)
class FiledMail:
    """A mail in the folder; `at_ms` is its date, in milliseconds UTC."""

    at_ms: int
    to: str
    subject: str
    text: str


class Mailbox:
    """Keeps mails for whoever looks after the server: a `Transport` that goes nowhere."""

    sender = "wellio@localhost"
    name = ""
    reply_to = ""
    is_8bit = True
    outcome = "filed"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def deliver(self, message: EmailMessage, recipient: str, key: str) -> None:
        """Put a mail into the folder.

        Raises:
            MailFailed: It cannot be written.
        """
        form = policy.default.clone(utf8=not recipient.isascii())  # an encoded address is none
        content = message.as_bytes(policy=form)
        try:
            await asyncio.to_thread(self._write, f"{key}.eml", content)
        except OSError as error:
            raise MailFailed(type(error).__name__) from error

    async def read(self, *, to: str | None = None, last: int) -> list[FiledMail]:
        """Return up to `last` mails, the newest first: all, or those to an address."""
        return await asyncio.to_thread(lambda: list(islice(self._mails(to), last)))

    def close(self) -> None:
        """Leave the folder as it is."""

    def _write(self, name: str, content: bytes) -> None:
        make_folder(self._folder)
        part = self._folder / f"{name}.{secrets.token_hex(4)}.part"
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):
                (self._folder / name).hardlink_to(part)  # unlike a rename, it never replaces
        finally:
            part.unlink()
        sync_folder(self._folder)

    def _mails(self, to: str | None) -> Iterator[FiledMail]:
        files = sorted(
            self._folder.glob("*.eml"), key=lambda path: (path.stat().st_mtime_ns, path.name)
        )
        for path in reversed(files):
            message = BytesParser(policy=policy.default).parsebytes(path.read_bytes())
            address = str(message["To"])
            if to is None or address_key(address) == address_key(to):
                at_ms = round(message["Date"].datetime.timestamp() * 1000)
                text = message.get_content()
                yield FiledMail(at_ms, address, str(message["Subject"]), text)
