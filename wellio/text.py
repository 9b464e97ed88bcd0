"""One notion of "the same text", however somebody typed it.

    composed     one code for each character: passwords, before they are hashed
    fold         and for each case: names that may be there once
    address_key  an e-mail address: its left part folded, its domain as DNS compares it
    sort_key     base letters alone: the order of lists, and what a search finds

What is stored of these is made anew by a migration when they change.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Any, Final

_ACCENTS: Final = re.compile("[\u0300-\u036f]+")
_HYPHENS: Final = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2212"), "-")
_LETTERS: Final = _HYPHENS | str.maketrans(
    {
        # Letters with a stroke or a bar, and joined ones: Unicode has no parts for them.
        "\u00e6": "ae",
        "\u00f0": "d",
        "\u00f8": "o",
        "\u00fe": "th",
        "\u0111": "d",
        "\u0127": "h",
        "\u0131": "i",
        "\u0142": "l",
        "\u0153": "oe",
        "\u0167": "t",
        # What phones write for an apostrophe.
        **dict.fromkeys("\u02bc\u2018\u2019", "'"),
    }
)
MAX_KEY: Final = 600
"""Characters of a sort key, so that a cursor that holds one fits into an address."""
#: Unicode's Default_Ignorable_Code_Point: what shows nothing of its own.
_IGNORABLE: Final = (
    r"\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    r"\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e0fff"
)
_IGNORED: Final = re.compile(f"[{_IGNORABLE}]+")
#: The same, blanks, controls, and signs that are blank.
_UNSEEN: Final = re.compile(rf"[\s\x00-\x20\x7f-\xa0\u2800\ufff9-\ufffb\U0001d159{_IGNORABLE}]*")
_DIRECTIONS: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f]")


def composed(text: str) -> str:
    """Return a text with one code for each character (NFC): keyboards differ in that."""
    return unicodedata.normalize("NFC", text)


def fold(text: str) -> str:
    """Return the form by which names are compared, however somebody types them.

    Texts that differ in case, in how their accents are encoded or in what shows nothing have one
    form: Unicode's canonical caseless match (D145), without the rest, composed.
    """
    return composed(_IGNORED.sub("", unicodedata.normalize("NFD", text).casefold()))


def address_key(email: str) -> str:
    """Return the form by which valid e-mail addresses are compared.

    The left part is folded. The domain is what DNS has of it: `straße.de` is not `strasse.de`.
    """
    local, _, domain = mail_address(email).rpartition("@")
    return f"{fold(local)}@{domain.lower()}"


def mail_address(email: str) -> str:
    """Return a valid address as mail servers know it: its domain in ASCII (RFC 5890)."""
    local, _, domain = email.rpartition("@")
    if not domain.isascii():
        domain = address_validator().validate_email(email, check_deliverability=False).ascii_domain
    return f"{local}@{domain}"


def sort_key(text: str) -> str:
    """Return the base letters of a text, at most `MAX_KEY`: by their bytes, names are in order.

    Case, accents, strokes and widths do not count, so that "Ärger" stands before "Zimmer" on every
    engine, and who looks for "istanbul", "lodz" or "jerome" finds "İstanbul", "Łódź" and "Jérôme".
    """
    folded = unicodedata.normalize("NFKD", text).casefold()
    bare = _ACCENTS.sub("", _IGNORED.sub("", unicodedata.normalize("NFKD", folded)))
    return composed(bare.translate(_LETTERS))[:MAX_KEY]


def plain_signs(text: str) -> str:
    """Write blanks, hyphens and digits of all kinds and widths as those of ASCII."""
    narrow = unicodedata.normalize("NFKC", _IGNORED.sub("", text)).translate(_HYPHENS)
    return "".join(" " if it.isspace() else str(unicodedata.decimal(it, it)) for it in narrow)


def is_visible(text: str) -> bool:
    """Tell whether a text shows anything at all."""
    return not _UNSEEN.fullmatch(text)


def one_line(text: str) -> str:
    """Return a text without line ends, and without marks that turn round what stands beside it."""
    return _DIRECTIONS.sub("", " ".join(text.splitlines()))


@lru_cache(maxsize=1)
def address_validator() -> Any:
    """Return the library, told that a practice's own network may end in .local or .test."""
    import email_validator

    for name in ("local", "test"):
        email_validator.SPECIAL_USE_DOMAIN_NAMES.remove(name)
    return email_validator
