"""Delivery to a real mail server: what arrives, and what becomes of a mail that does not."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP

from tests.core.mail.conftest import MakeMailer
from tests.core.mail.post_office import Act, PostOffice, drop, hang, take_and_drop
from wellio.mail import Letterhead, Mail, Mailer, MailFailed, MailRefused
from wellio.testing import DEADLINE_S

KEY = "018f4e5c-0000-7000-8000-000000000001"
TEXT = (
    "Grüße aus Łódź.\n\n.\n.. and a line that begins with a dot\nhttps://x.example/i#token=a_b-c\n"
)


async def send(mailer: Mailer, to: str = "anna@clients.example", **parts: str) -> None:
    mail = Mail(to=to, **{"subject": "Hello", "text": "A text.\n", **parts})
    await mailer.send(mail, key=KEY)


async def test_a_mail_arrives_at_its_recipient_with_its_headers(
    office: PostOffice, make_mailer: MakeMailer
) -> None:
    mailer = make_mailer(office.url(reply="hello@practice.example"))

    async def practice() -> Letterhead:
        return Letterhead("Stille Wässer, Inc.", "UTC")

    mailer.letterheads = [practice]
    await send(mailer, subject="Schöne Grüße an Anna", text=TEXT)
    [mail] = office.mails
    assert (mail.sender, mail.recipients) == ("desk@practice.example", ["anna@clients.example"])
    headers = {name: str(value) for name, value in mail.message.items()}
    assert headers == {
        "From": '"Stille Wässer, Inc." <desk@practice.example>',
        "To": "anna@clients.example",
        "Subject": "Schöne Grüße an Anna",
        "Date": "Thu, 28 May 2026 20:26:40 +0000",
        "Message-ID": f"<{KEY}@practice.example>",
        "Reply-To": "hello@practice.example",
        "Auto-Submitted": "auto-generated",
        "Content-Type": 'text/plain; charset="utf-8"',
        "Content-Transfer-Encoding": "quoted-printable",
        "MIME-Version": "1.0",
    }
    assert mail.text == TEXT
    assert mail.raw.isascii()


async def test_a_link_in_plain_text_goes_as_it_is(
    office: PostOffice, make_mailer: MakeMailer
) -> None:
    link = f"https://practice.example/invite#token={'x=_-' * 50}"
    await send(make_mailer(office.url()), text=f"Open this:\n{link}\n")
    assert link.encode() in office.mails[0].raw


@pytest.mark.parametrize(
    "to, recipient",
    [
        ("anna@faß.example", "anna@xn--fa-hia.example"),
        ("jörg@clients.example", "jörg@clients.example"),
    ],
)
async def test_addresses_of_other_scripts(
    office: PostOffice, make_mailer: MakeMailer, to: str, recipient: str
) -> None:
    await send(make_mailer(office.url()), to)
    [mail] = office.mails
    assert mail.recipients == [recipient]
    assert recipient.encode() in mail.raw


async def test_the_url_says_who_writes(office: PostOffice, make_mailer: MakeMailer) -> None:
    await send(make_mailer(office.url(name="Olga%20B%C3%BChler")))
    assert office.mails[0].message["From"] == "Olga Bühler <desk@practice.example>"


async def test_the_same_key_makes_the_same_message_id(
    office: PostOffice, make_mailer: MakeMailer
) -> None:
    mailer = make_mailer(office.url())
    await send(mailer)
    await send(mailer)
    one, other = (mail.message["Message-ID"] for mail in office.mails)
    assert one == other
    with pytest.raises(ValueError, match="key"):
        await mailer.send(Mail(to="a@b.example", subject="x", text="x"), key="a>\r\nBcc: x")


@pytest.mark.parametrize(
    "command, act, expected, code",
    [
        ("RCPT", "550 5.1.1 anna@clients.example is unknown", MailRefused, "550 5.1.1"),
        ("RCPT", "553 anna@clients.example?", MailRefused, "553"),
        ("RCPT", "451 4.3.0 later", MailFailed, "451 4.3.0"),
        ("RCPT", "421 4.3.2 closing", MailFailed, "421 4.3.2"),
        ("MAIL", "550 5.7.1 not from you", MailFailed, "550 5.7.1"),
        ("DATA", "554 5.7.1 that text is spam", MailRefused, "554 5.7.1"),
        ("DATA", "452 4.2.2 full", MailFailed, "452 4.2.2"),
        ("MAIL", drop, MailFailed, "SMTPServerDisconnected"),
        ("DATA", drop, MailFailed, "SMTPServerDisconnected"),
        ("RCPT", hang, MailFailed, "timeout"),
        ("DATA", hang, MailFailed, "timeout"),
    ],
)
async def test_what_becomes_of_a_mail_that_is_not_taken(
    office: PostOffice,
    make_mailer: MakeMailer,
    command: str,
    act: Act | str,
    expected: type[MailFailed | MailRefused],
    code: str,
) -> None:
    office.at[command] = act
    timeout_s = 0.3 if act is hang else DEADLINE_S
    with pytest.raises(expected) as caught:
        await send(make_mailer(office.url(), timeout_s=timeout_s))
    assert str(caught.value) == code  # and none of the server's words
    del office.at[command]
    await send(make_mailer(office.url()))
    assert len(office.mails) == 1


async def listening(
    make_mailer: MakeMailer,
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    code: str,
    timeout_s: float,
) -> None:
    """Have a mail fail at a server that is none."""
    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        url = f"mailto://127.0.0.1:{port}?from=desk@practice.example"
        with pytest.raises(MailFailed) as caught:
            await send(make_mailer(url, timeout_s=timeout_s))
    assert caught.value.code == code


async def test_nobody_there(make_mailer: MakeMailer) -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"554 5.3.2 not today\r\n")
        await writer.drain()
        writer.close()

    await listening(make_mailer, hang_up, "SMTPServerDisconnected", DEADLINE_S)
    await listening(make_mailer, refuse, "554 5.3.2", DEADLINE_S)
    with pytest.raises(MailFailed) as caught:
        await send(make_mailer("mailto://127.0.0.1:1?from=desk@practice.example"))
    assert caught.value.code == "ConnectionRefusedError"


@pytest.mark.parametrize("drip", [b"", b"x"])
async def test_a_server_that_never_comes_to_the_point_is_cut_off(
    make_mailer: MakeMailer, drip: bytes
) -> None:
    """Its silence, and a byte now and then that no time limit of a socket sees, end alike."""
    left = asyncio.Event()

    async def mumble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def talk() -> None:
            while True:
                writer.write(drip)
                await asyncio.sleep(0.05)

        talking = asyncio.create_task(talk())
        await reader.read()  # ends when the client lets go
        talking.cancel()
        writer.close()
        left.set()

    await listening(make_mailer, mumble, "timeout", 0.4)
    async with asyncio.timeout(DEADLINE_S):
        await left.wait()


async def test_a_mail_whose_yes_got_lost_comes_twice_and_says_so(
    office: PostOffice, make_mailer: MakeMailer
) -> None:
    office.at["DATA"] = take_and_drop
    mailer = make_mailer(office.url())
    with pytest.raises(MailFailed):
        await send(mailer)
    del office.at["DATA"]
    await send(mailer)
    assert len({mail.message["Message-ID"] for mail in office.mails}) == len(office.mails) - 1 == 1


@pytest.mark.parametrize("act", [hang, drop])
async def test_what_follows_the_servers_yes_changes_nothing(
    make_mailer: MakeMailer, office: PostOffice, act: Act
) -> None:
    async def quit_hook(server: object, _session: object, _envelope: object) -> str | None:
        return await act(server)

    office.handle_QUIT = quit_hook  # type: ignore[attr-defined]  # aiosmtpd looks it up
    await send(make_mailer(office.url(), timeout_s=DEADLINE_S))
    assert len(office.mails) == 1


async def test_a_stop_cuts_off_what_hangs(make_mailer: MakeMailer, office: PostOffice) -> None:
    """Else the process would wait for the server at its end."""
    left = asyncio.Event()

    async def wait(server: SMTP) -> str | None:
        try:
            await asyncio.Event().wait()
        finally:
            left.set()
        return None

    office.at["RCPT"] = wait
    sending = asyncio.create_task(send(make_mailer(office.url(), timeout_s=60)))
    await office.wait_for(lambda: office.tries["RCPT"] == 1)
    sending.cancel()
    async with asyncio.timeout(DEADLINE_S):
        await left.wait()
    assert office.mails == []


async def test_what_was_stopped_while_it_connected_sends_nothing(
    make_mailer: MakeMailer, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    connect = socket.create_connection

    def slowly(*arguments: Any) -> socket.socket:
        begun.set()
        go_on.wait(DEADLINE_S)
        return connect(*arguments)

    monkeypatch.setattr(socket, "create_connection", slowly)
    sending = asyncio.create_task(send(make_mailer(office.url())))
    await asyncio.to_thread(begun.wait, DEADLINE_S)
    sending.cancel()
    await asyncio.wait([sending])
    go_on.set()
    async with asyncio.timeout(DEADLINE_S):
        await office.ended.get()
    assert office.tries["MAIL"] == 0


async def test_while_the_server_is_away_one_mail_at_a_time_waits_for_it(
    make_mailer: MakeMailer, office: PostOffice
) -> None:
    release = asyncio.Event()

    async def wait(_: object) -> str | None:
        await release.wait()
        return None

    mailer = make_mailer(office.url())
    office.at = {"MAIL": drop, "RCPT": wait}
    with pytest.raises(MailFailed):
        await send(mailer)
    del office.at["MAIL"]
    probe = asyncio.create_task(send(mailer))
    await office.wait_for(lambda: office.tries["RCPT"] == 1)
    for _ in range(3):
        with pytest.raises(MailFailed, match="server_away"):
            await send(mailer)
    assert office.tries["MAIL"] == 2
    release.set()
    await probe
    await asyncio.gather(*(send(mailer) for _ in range(3)))
    assert len(office.mails) == 4
