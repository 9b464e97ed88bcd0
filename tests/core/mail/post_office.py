"""A real mail server (aiosmtpd) for tests, which does to a mail what a test tells it to."""

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from wellio.testing.deadline import DEADLINE_S

#: What a test does at a command: returns the reply, or None for the usual one.
Act = Callable[[Any], Awaitable[str | None]]


@dataclass(frozen=True)
class Received:
    """A mail that the server took, and how it came."""

    sender: str
    recipients: list[str]
    message: EmailMessage
    raw: bytes
    was_encrypted: bool
    signed_in: bool

    @property
    def text(self) -> str:
        """Return the text, with line feeds."""
        return str(self.message.get_content()).replace("\r\n", "\n")


class PostOffice:
    """The server and what it took.

    Attributes:
        port: Where it listens.
        mails: The mails it took, in order.
        tries: How often each command was tried: `MAIL`, `RCPT`, `DATA`.
        at: What a test does at a command; a text is the reply.
        ended: Gets an item when a connection ends.
    """

    def __init__(self) -> None:
        self.port = 0
        self.mails: list[Received] = []
        self.tries = {"MAIL": 0, "RCPT": 0, "DATA": 0}
        self.at: dict[str, Act | str] = {}
        self.ended: asyncio.Queue[None] = asyncio.Queue()
        self._changed = asyncio.Condition()

    def url(self, **query: str) -> str:
        """Return the setting `[mail] url` that leads here."""
        parameters = {"from": "desk@practice.example", **query}
        return f"mailto://127.0.0.1:{self.port}?" + "&".join(
            f"{key}={value}" for key, value in parameters.items()
        )

    async def handle_MAIL(  # noqa: N802 - the name that aiosmtpd calls
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = await self._act("MAIL", server)
        if reply is None:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return reply or "250 2.1.0 so be it"

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd calls
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _: list[str]
    ) -> str:
        reply = await self._act("RCPT", server)
        if reply is None:
            envelope.rcpt_tos.append(address)
        return reply or "250 2.1.5 known here"

    async def handle_DATA(  # noqa: N802 - the name that aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        reply = await self._act("DATA", server)
        if reply is None or reply.startswith("2"):
            content = envelope.original_content or b""
            self.mails.append(
                Received(
                    envelope.mail_from or "",
                    envelope.rcpt_tos,
                    message_from_bytes(content, policy=policy.default),
                    content,
                    was_encrypted=is_encrypted(server),
                    signed_in=bool(session.authenticated),
                )
            )
            await self._notify()
        return reply or "250 2.0.0 taken"

    async def wait_for(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so, which a command brought about."""
        async with asyncio.timeout(DEADLINE_S), self._changed:
            await self._changed.wait_for(is_so)

    async def _act(self, command: str, server: SMTP) -> str | None:
        self.tries[command] += 1
        await self._notify()
        act = self.at.get(command)
        return await act(server) if callable(act) else act

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()


def is_encrypted(server: SMTP) -> bool:
    assert server.transport is not None
    return server.transport.get_extra_info("sslcontext") is not None


async def hang(_server: SMTP) -> str | None:
    """Answer nothing until the client leaves."""
    await asyncio.Event().wait()
    return None


async def drop(server: SMTP) -> str | None:
    """Break the connection off."""
    assert isinstance(server.transport, asyncio.Transport)
    server.transport.abort()
    return "421 nobody hears this"


async def take_and_drop(server: SMTP) -> str | None:
    """Take the mail, and break off before the client learns of it."""
    await drop(server)
    return "250 nobody hears this"


class _Line(SMTP):
    """A connection, which is cut when the server closes."""

    open_lines: set["_Line"]
    all_closed: asyncio.Event

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.open_lines.add(self)
        self.all_closed.clear()

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self.open_lines.discard(self)
        self.event_handler.ended.put_nowait(None)
        if not self.open_lines:
            self.all_closed.set()


@asynccontextmanager
async def post_office(
    *, tls: ssl.SSLContext | None = None, implicit: bool = False, password: bytes | None = None
) -> AsyncIterator[PostOffice]:
    """Run a mail server on a free port.

    Args:
        tls: Its certificate: for STARTTLS, without which it takes nothing then.
        implicit: TLS from the first byte instead.
        password: What a client must sign in with.
    """
    office = PostOffice()
    lines: set[_Line] = set()
    all_closed = asyncio.Event()
    all_closed.set()

    def check(_s: SMTP, _e: Session, _v: Envelope, _mechanism: str, given: Any) -> AuthResult:
        is_right = isinstance(given, LoginPassword) and given.password == password
        return AuthResult(success=is_right, handled=False)

    def make() -> SMTP:
        with warnings.catch_warnings(action="ignore"):  # that this server is none for the world
            line = _Line(
                office,
                hostname="post.example",
                enable_SMTPUTF8=True,
                tls_context=None if implicit else tls,
                require_starttls=tls is not None and not implicit,
                auth_required=password is not None,
                auth_require_tls=False,
                authenticator=check,
            )
        line.open_lines, line.all_closed = lines, all_closed
        return line

    loop = asyncio.get_running_loop()
    server = await loop.create_server(make, "127.0.0.1", 0, ssl=tls if implicit else None)
    office.port = server.sockets[0].getsockname()[1]
    try:
        yield office
    finally:
        server.close()
        for line in tuple(lines):
            await drop(line)
        async with asyncio.timeout(DEADLINE_S):
            await all_closed.wait()
