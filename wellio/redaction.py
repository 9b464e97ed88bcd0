"""Keeps secrets out of the log, whoever logs them: what looks like one becomes `***`.

Three things betray a secret: the name beside it (`password=...`, `Authorization: ...`), its own
form (a JWT, a refresh token, a key in hexadecimal, a link's token, the password in an address), and
that it is one of the settings' (`hide`). It is better that a harmless word is lost than that a
secret is kept, so what names a secret takes its whole line along where nothing bounds it.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

MASK: Final = "***"
_MIN_HIDDEN: Final = 8  # a shorter value is a word, which would be lost from every line
_MAX_DEPTH: Final = 8

# Their values end where a word does: what is called so is often none, as in "no key: 3 waiting".
_WEAK: Final = "token|key|hash|dsn|credential|signature|pepper"
# Their values may hold blanks, so they end with the line.
_STRONG: Final = "passw|passphrase|pwd|secret|authorization|cookie"
_NAME: Final = re.compile(f"{_WEAK}|{_STRONG}", re.IGNORECASE)
_BETWEEN: Final = r"""[\w-]*(?:\\*["'])?[\])]?\s*(?:=>|[:=]|,(?=\s*b?["']))\s*"""
_QUOTED: Final = (
    r"""b?\\+"(?:[^"\\]|\\+[^"\\])*(?:\\*"|$) | b?"(?:[^"\\]|\\.)*(?:"|$)"""
    r""" | b?'(?:[^'\\]|\\.)*(?:'|$)"""
)
_NAMED: Final = re.compile(
    rf"""
      (?P<strong>(?:{_STRONG}) {_BETWEEN}) (?: {_QUOTED} | [^\r\n]+ )
    | (?P<weak>(?:{_WEAK}) {_BETWEEN}) (?: {_QUOTED} | [(\[{{<]*[^\s"',;&(){{}}\[\]<>]+ )
    """,
    re.IGNORECASE | re.VERBOSE,
)
_SHAPED: Final = re.compile(
    r"""
      (?P<scheme>\b(?:bearer|basic)\s+) [^\s"',;]+
    | (?P<user>://[^\s/:@"']*:) [^\s/?\#"']+ (?=@)
    | \beyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)*
    | \bw[rk]_[A-Za-z0-9_.-]{16,}
    """,
    re.IGNORECASE | re.VERBOSE,
)
# A key in hexadecimal, or 32 bytes as base64.
_LONG: Final = re.compile(
    r"(?<![A-Za-z0-9_-])(?:[0-9a-fA-F]{64}|[A-Za-z0-9_-]{43}=?)(?![A-Za-z0-9_-])"
)
_SHORTEST: Final = 43
# Looked for first, since most texts have none of them, and `in` is far faster than a pattern.
_NAMES: Final = tuple(f"{_WEAK}|{_STRONG}".split("|"))
_SHAPES: Final = ("bearer", "basic", "://", "eyj", "wr_", "wk_")
_hidden: set[str] = set()


def hide(*values: str) -> None:
    """Have these values of the settings hidden wherever they turn up in this process's log."""
    _hidden.update(value for value in values if len(value) >= _MIN_HIDDEN)


def clean(text: str) -> str:
    """Return a text without the secrets that it holds."""
    for value in _hidden:
        if value in text:
            text = text.replace(value, MASK)
    lower = text.lower()
    if any(shape in lower for shape in _SHAPES):
        text = _SHAPED.sub(_masked, text)
    if any(name in lower for name in _NAMES):
        text = _NAMED.sub(_masked, text)
    return _LONG.sub(MASK, text) if len(text) >= _SHORTEST else text


def clean_value(value: Any, depth: int = 0) -> Any:
    """Return a value of a log line without secrets; what is no JSON becomes its `repr`."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return clean(value)
    if depth < _MAX_DEPTH:
        if isinstance(value, dict):
            return {
                key if isinstance(key, int) else clean(str(key)): (
                    MASK if is_secret_name(str(key)) else clean_value(item, depth + 1)
                )
                for key, item in value.items()
            }
        if isinstance(value, (list, tuple)):
            return [clean_value(item, depth + 1) for item in value]
    return clean(repr(value))


def clean_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return a log line's fields without secrets."""
    return {
        clean(name): MASK if is_secret_name(name) else clean_value(value)
        for name, value in fields.items()
    }


@lru_cache(maxsize=1024)
def is_secret_name(name: str) -> bool:
    """Tell whether what is called so is a secret."""
    return _NAME.search(name) is not None


def _masked(match: re.Match[str]) -> str:
    kept = next((part for part in match.groups() if part is not None), "")
    return kept + MASK
