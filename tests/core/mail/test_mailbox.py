"""The folder that mails go to while no server is set: whole files, private, once each."""

import os
import stat
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from tests.core.mail.conftest import START, MakeMailer
from wellio.clock import ManualClock
from wellio.mail import Mail, MailFailed

LINK = "https://practice.example/invite#token=" + "a_-=" * 30


def write(to: str = "anna@clients.example", text: str = "A text.\n") -> Mail:
    return Mail(to=to, subject="Schöne Grüße", text=text)


async def test_a_mail_is_a_private_file_that_can_be_read_as_it_is(
    make_mailer: MakeMailer, tmp_path: Path
) -> None:
    text = f"Grüße aus Łódź:\n{LINK}\n"
    await make_mailer().send(write(text=text), key="k-1")
    [path] = (tmp_path / "mailbox").iterdir()
    assert path.name == "k-1.eml"
    modes = [stat.S_IMODE(it.stat().st_mode) for it in (path, path.parent)]
    assert modes == [0o600, 0o700]
    assert text in path.read_text("utf-8")
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert message["From"] == "Wellio <wellio@localhost>"
    assert (message["To"], message["Subject"]) == ("anna@clients.example", "Schöne Grüße")
    assert message.get_content() == text


async def test_the_newest_is_read_first(
    make_mailer: MakeMailer, clock: ManualClock, tmp_path: Path
) -> None:
    mailer = make_mailer()
    assert await mailer.mailbox.read(last=5) == []
    people = ["anna@clients.example", "jörg@faß.example", "anna@clients.example"]
    for n, to in enumerate(people):
        await mailer.send(write(to, f"Number {n}.\n"), key=f"{9 - n}")
        path = tmp_path / f"mailbox/{9 - n}.eml"
        os.utime(path, ns=(n, n))  # whatever the disk's clock says
        clock.advance(1000)
    (tmp_path / "mailbox/1.eml.abcd.part").write_text("half of a mail")

    async def texts(to: str | None = None, last: int = 9) -> list[str]:
        return [mail.text for mail in await mailer.mailbox.read(to=to, last=last)]

    assert await texts() == ["Number 2.\n", "Number 1.\n", "Number 0.\n"]
    assert await texts(last=1) == ["Number 2.\n"]
    assert await texts("ANNA@clients.example") == ["Number 2.\n", "Number 0.\n"]
    assert await texts("jörg@faß.example") == ["Number 1.\n"]
    assert await texts("jo@clients.example") == []
    [_, jorg, _] = await mailer.mailbox.read(last=9)
    assert (jorg.at_ms, jorg.subject) == (START + 1000 - START % 1000, "Schöne Grüße")
    assert jorg.to == "jörg@xn--fa-hia.example"


async def test_what_is_sent_again_is_there_once(make_mailer: MakeMailer) -> None:
    mailer = make_mailer()
    for _ in range(2):
        await mailer.send(write(), key="the-same")
    assert len(await mailer.mailbox.read(last=9)) == 1


async def test_a_folder_that_cannot_be_written(make_mailer: MakeMailer, tmp_path: Path) -> None:
    (tmp_path / "mailbox").touch()
    with pytest.raises(MailFailed) as caught:
        await make_mailer().send(write(), key="k")
    assert caught.value.code == "FileExistsError"
