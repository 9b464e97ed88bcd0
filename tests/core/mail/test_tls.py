"""Encryption and signing in: what the URL asks for is what happens, or no mail leaves."""

from pathlib import Path

import pytest

from tests.core.mail.certificates import make_certificate
from tests.core.mail.conftest import MakeMailer
from tests.core.mail.post_office import post_office
from wellio.mail import Mail, MailFailed

MAIL = Mail(to="anna@clients.example", subject="Hello", text="A text.\n")


@pytest.mark.parametrize("mode", ["starttls", "ssl"])
async def test_mails_travel_encrypted_to_a_server_that_is_who_it_should_be(
    make_mailer: MakeMailer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    tls, certificate = make_certificate(tmp_path)
    async with post_office(tls=tls, implicit=mode == "ssl", password=b"s3cret") as office:
        url = office.url(mode=mode).replace("mailto://", "mailtos://me:s3cret@")
        with pytest.raises(MailFailed, match="SSLCertVerificationError"):
            await make_mailer(url).send(MAIL, key="k")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        await make_mailer(url).send(MAIL, key="k")
        monkeypatch.delenv("SSL_CERT_FILE")
        await make_mailer(f"{url}&verify=no").send(MAIL, key="k")
        assert [(it.was_encrypted, it.signed_in) for it in office.mails] == [(True, True)] * 2


async def test_a_certificate_for_another_name_is_refused(
    make_mailer: MakeMailer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls, certificate = make_certificate(tmp_path, "127.0.0.2")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with post_office(tls=tls) as office:
        with pytest.raises(MailFailed, match="SSLCertVerificationError"):
            await make_mailer(office.url(mode="starttls")).send(MAIL, key="k")


async def test_a_server_without_encryption_gets_neither_mail_nor_password(
    make_mailer: MakeMailer,
) -> None:
    async with post_office(password=b"s3cret") as office:
        url = office.url(mode="starttls").replace("mailto://", "mailto://me:s3cret@")
        with pytest.raises(MailFailed, match="SMTPNotSupportedError"):
            await make_mailer(url).send(MAIL, key="k")
        assert office.tries["MAIL"] == 0


async def test_a_wrong_password_is_tried_again_and_named_by_its_code(
    make_mailer: MakeMailer,
) -> None:
    async with post_office(password=b"s3cret") as office:
        url = office.url(mode="insecure").replace("mailto://", "mailto://me:wrong@")
        with pytest.raises(MailFailed) as caught:
            await make_mailer(url).send(MAIL, key="k")
        assert caught.value.code == "535 5.7.8"
        await make_mailer(url.replace("wrong", "s3cret")).send(MAIL, key="k")
        assert office.mails[0].signed_in
