"""Delivery by SMTP (RFC 5321, 6409): one mail to one person over one connection, in a thread.

What the server's answers mean is decided here, command by command. A recipient or a content that it
refuses for good (5xx) is the end of that mail. Everything else, be it a wrong password or a server
that is away, concerns all mails and may pass: it is tried again.
"""

import asyncio
import re
import smtplib
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from email import policy
from email.message import EmailMessage

from wellio.text import mail_address

from .errors import MailFailed, MailRefused
from .server import MailServer

_THREADS = 8  # as many as jobs run at a time
_OK, _READY, _TAKEN = 250, 220, (250, 251)
_ENHANCED = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}\b")  # RFC 3463


class Smtp:
    """Delivers to a mail server: a `Transport`."""

    is_8bit = False  # not every server on a mail's way can
    outcome = "sent"

    def __init__(self, server: MailServer, timeout_s: float) -> None:
        self.sender, self.name, self.reply_to = server.sender, server.name, server.reply_to
        self._server = server
        self._timeout_s = timeout_s
        # Its own: a server that hangs must not use up the threads that others wait for.
        self._threads = ThreadPoolExecutor(_THREADS, "mail")
        self._trying = 0
        self._is_away = False

    async def deliver(self, message: EmailMessage, recipient: str, key: str) -> None:
        """Have the server take a mail; when this returns, it has.

        While the server is away, one mail at a time finds out whether it is back; the others are
        put off at once, so that they do not hold up what else there is to do.

        Raises:
            MailRefused: It never will.
            MailFailed: It did not, or nobody knows.
        """
        if self._is_away and self._trying:
            raise MailFailed("server_away")
        connection = _Connection(self._server, self._timeout_s)
        to, loop = mail_address(recipient), asyncio.get_running_loop()
        self._trying += 1
        try:
            async with asyncio.timeout(self._timeout_s):
                await loop.run_in_executor(self._threads, connection.deliver, message, to)
        except (smtplib.SMTPException, OSError) as error:
            self._is_away = not isinstance(error, smtplib.SMTPResponseException)
            raise MailFailed(_reason(error)) from error
        except MailRefused:
            self._is_away = False
            raise
        else:
            self._is_away = False
        finally:
            self._trying -= 1
            connection.cut_off()

    def close(self) -> None:
        """Let the threads go; what still runs has been cut off."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class _Connection(smtplib.SMTP):
    """One delivery, which another thread can cut off at any moment."""

    def __init__(self, server: MailServer, timeout_s: float) -> None:
        domain = mail_address(server.sender).rpartition("@")[2]
        super().__init__(local_hostname=domain, timeout=timeout_s)
        self._server = server
        self._host = server.host  # what the certificate is compared with
        self._is_cut_off = False

    def deliver(self, message: EmailMessage, recipient: str) -> None:
        """Connect, sign in, hand the mail over, and leave.

        Raises:
            MailRefused: The recipient or the content is refused for good.
            SMTPException: The server says no to something else, or breaks off.
            OSError: It is not there, does not answer, or is not who it should be.
        """
        try:
            self._open()
            self._sign_in()
            self._hand_over(message, recipient)
            # It is taken: a server that hangs from here on changes nothing.
            with suppress(OSError, smtplib.SMTPException):
                self.putcmd("quit")
        finally:
            self.close()

    def cut_off(self) -> None:
        """End the connection under the thread that waits for it."""
        self._is_cut_off = True
        sock = self.sock
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _open(self) -> None:
        code, reply = self.connect(self._server.host, self._server.port)
        if self._is_cut_off:
            raise smtplib.SMTPServerDisconnected
        _expect(_READY, code, reply)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        """Open the socket as the base class does, with TLS where that comes first."""
        self.sock = socket.create_connection((host, port), timeout)
        if self._server.security == "ssl":
            return self._tls().wrap_socket(self.sock, server_hostname=host)
        return self.sock

    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if not self._server.verifies:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def _sign_in(self) -> None:
        if self._server.security == "starttls":
            _expect(_READY, *self.starttls(context=self._tls()))
        self.ehlo_or_helo_if_needed()
        if self._server.user and self._server.password:
            self.login(self._server.user, self._server.password)

    def _hand_over(self, message: EmailMessage, recipient: str) -> None:
        sender, options, form = self._server.sender, [], policy.SMTP
        if not recipient.isascii():  # RFC 6531
            if not self.has_extn("smtputf8"):
                raise MailRefused("SMTPUTF8")
            options, form = ["SMTPUTF8", "BODY=8BITMIME"], policy.SMTPUTF8
        _expect(_OK, *self.mail(sender, options))
        code, reply = self.rcpt(recipient)
        if code not in _TAKEN:
            raise _refusal(code, reply)
        code, reply = self.data(message.as_bytes(policy=form))
        if code != _OK:
            raise _refusal(code, reply)


def _refusal(code: int, reply: bytes) -> Exception:
    """Return what a refused recipient or content means: 5xx is for good (RFC 5321, 4.2.1)."""
    if 500 <= code < 600:
        return MailRefused(_code(code, reply))
    return smtplib.SMTPResponseException(code, reply)


def _expect(wanted: int, code: int, reply: bytes) -> None:
    if code != wanted:
        raise smtplib.SMTPResponseException(code, reply)


def _reason(error: Exception) -> str:
    match error:
        case smtplib.SMTPResponseException():
            return _code(error.smtp_code, error.smtp_error)
        case TimeoutError():
            return "timeout"
    return type(error).__name__


def _code(code: int, reply: bytes | str) -> str:
    """Return the reply's codes; its text quotes addresses, and whatever else the server likes."""
    text = reply if isinstance(reply, bytes) else reply.encode()
    found = _ENHANCED.match(text)
    return f"{code} {found[0].decode()}" if found else str(code)
