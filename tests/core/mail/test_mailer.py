"""What the mailer says of itself: its letterhead, its health, its counts, its log."""

import pytest

from tests.core.http.small_app import logged
from tests.core.mail.conftest import MakeMailer
from tests.core.mail.post_office import PostOffice
from wellio.mail import Letterhead, Mail, MailFailed, MailRefused
from wellio.observe.metrics import Metrics

MAIL = Mail(to="anna@clients.example", subject="A canary", text="Of a canary.\n")


async def test_the_last_plugin_that_knows_the_practice_is_asked(make_mailer: MakeMailer) -> None:
    mailer = make_mailer()
    assert await mailer.letterhead() == Letterhead("Wellio", "UTC")

    async def one() -> Letterhead:
        return Letterhead("One", "UTC")

    async def other() -> Letterhead:
        return Letterhead("Other", "UTC")

    mailer.letterheads = [one, other]
    assert (await mailer.letterhead()).name == "Other"


async def test_it_is_not_well_while_nothing_leaves(
    make_mailer: MakeMailer, office: PostOffice
) -> None:
    mailer = make_mailer(office.url())
    seen = []
    for key, reply in (
        *(("k", "451 4.3.0 no"), ("k", "550 5.7.1 no"), ("k", "451 4.3.0 anna@clients.example")),
        *(("l", "451 4.3.0 no"), ("k", "")),
    ):
        office.at = {"RCPT": reply} if reply else {}
        try:
            await mailer.send(MAIL, key=key)
        except (MailFailed, MailRefused):
            seen.append(await mailer.check())
    said = ["a mail could not be delivered in 3 tries", "2 mails could not be delivered in 4 tries"]
    assert seen == [None, None, *said]
    assert await mailer.check() is None


async def test_mails_are_counted_and_logged_without_a_word_of_theirs(
    make_mailer: MakeMailer, office: PostOffice, metrics: Metrics
) -> None:
    mailer = make_mailer(office.url())
    with logged("debug") as log:
        for reply, error in (("451 4.3.0 anna", MailFailed), ("550 5.1.1 anna", MailRefused)):
            office.at = {"RCPT": reply}
            with pytest.raises(error):
                await mailer.send(MAIL, key="k")
        office.at = {}
        await mailer.send(MAIL, key="run-1")
    figures = (await metrics.expose()).decode()
    for outcome in ("sent", "refused", "failed"):
        assert f'wellio_mails_total{{outcome="{outcome}"}} 1.0' in figures
    ours = [line for line in log.all() if line["logger"] != "mail.log"]  # the server's own
    [sent] = [line for line in ours if line["plugin"] == "core"]
    assert (sent["event"], sent["mail"]) == ("mail_sent", "run-1")
    assert not any(word in str(ours) for word in ("canary", "anna"))
