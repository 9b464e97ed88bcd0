"""How a mail is written: one person, one subject, no header of anybody's own."""

from email import message_from_bytes, policy
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from wellio.mail import Letterhead, Mail
from wellio.mail.message import compose
from wellio.text import one_line

HEADERS = {
    *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"),
    *("Content-Type", "Content-Transfer-Encoding", "MIME-Version"),
}
LINES = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=200)
TEXTS = st.text(st.characters(exclude_categories=("Cc", "Cs"), include_characters="\n"))


@pytest.mark.parametrize(
    "field, value",
    [
        ("to", "anna@x.example\r\nBcc: eve@x.example"),
        ("to", "anna@x.example\n"),
        ("to", "anna@x.example, eve@x.example"),
        ("to", "Anna <anna@x.example>"),
        ("to", "anna"),
        ("subject", "Hello\r\nBcc: eve@x.example"),
        ("subject", "Hello\nBcc: eve@x.example"),
        ("subject", "Hello\r"),
        ("subject", " "),
        ("subject", "x" * 501),
        ("text", ""),
        ("text", "\x00"),
        ("cc", "eve@x.example"),
    ],
)
def test_what_is_no_mail(field: str, value: str) -> None:
    parts: dict[str, Any] = {"to": "anna@x.example", "subject": "Hello", "text": "A text."}
    with pytest.raises(ValidationError) as caught:
        Mail(**parts | {field: value})
    assert "eve" not in str(caught.value).replace("cc", "")


@pytest.mark.parametrize("is_8bit", [True, False])
@example(
    "a\u2028Bcc\u202e: eve@x.example", "b\u202a\u0085c\u2029Bcc: eve@x.example", "\n.\n", "x" * 2000
)
@given(LINES, LINES, TEXTS, TEXTS)
def test_whatever_people_write_the_headers_are_ours(
    is_8bit: bool, subject: str, name: str, text: str, more: str
) -> None:
    if not one_line(subject).strip():
        return
    mail = Mail(to="anna@x.example", subject=subject, text=text + more + ".")
    message = compose(
        mail, sender="desk@y.example", name=name, message_id="key", at_ms=0, is_8bit=is_8bit
    )
    content = message.as_bytes(policy=policy.SMTP)
    assert is_8bit or content.isascii()
    seen = message_from_bytes(content, policy=policy.default)
    assert (set(seen.keys()), len(seen.keys())) == (HEADERS, len(HEADERS))
    assert str(seen["Subject"]).split() == mail.subject.split()
    for header in ("Subject", "From"):
        assert one_line(str(seen[header])) == str(seen[header])
    assert seen["From"].addresses[0].addr_spec == "desk@y.example"
    assert str(seen["To"]) == "anna@x.example"
    assert seen.get_content().splitlines() == mail.text.splitlines()


def test_a_letterhead_writes_times_of_its_own_zone() -> None:
    practice = Letterhead("Calm Waters", "Europe/Berlin")
    assert practice.time(1_796_289_300_000) == "3 December 2026, 10:15 (Europe/Berlin)"
    nowhere = Letterhead("Calm Waters", "localtime")  # as an older version took it
    assert nowhere.time(1_796_289_300_000) == "3 December 2026, 09:15 (UTC)"
