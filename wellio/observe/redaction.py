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
_LONGEST_NAME: Final = 64

# Their values end where a word does: what is called so is often none, as in "no key: 3 waiting".
_WEAK: Final = "token|key|hash|dsn|credential|signature|pepper"
# Their values may hold blanks, so they end with the line.
_STRONG: Final = "passw|passphrase|pwd|secret|authorization|cookie"
_NAME: Final = re.compile(f"{_WEAK}|{_STRONG}", re.IGNORECASE)
_BETWEEN: Final = r"""[\w-]{0,40}(?:\\*["'])?[\])]?\s*(?:=>|[:=]|,(?=\s*b?\\*["']))\s*"""
# Between escaped quotes, nothing tells the end: that is JSON in JSON, or a repr of a repr.
_QUOTED: Final = r"""
    b?\\+["'][^\r\n]* | b?"(?:[^"\\]|\\.)*(?:"|$) | b?'(?:[^'\\]|\\.)*(?:'|$)
"""
_NAMED: Final = re.compile(
    rf"""
      (?P<strong>(?:{_STRONG}) {_BETWEEN}) (?: {_QUOTED} | [^\r\n]+ )
    | (?P<weak>(?:{_WEAK}) {_BETWEEN}) (?: {_QUOTED} | [(\[{{<]*[^\s"',;&(){{}}\[\]<>]+ )
    """,
    re.IGNORECASE | re.VERBOSE,
)
_SHAPED: Final = re.compile(
    r"""
      (?P<scheme>(?:bearer|basic)\s+) [^\s"',;]+
    | (?P<user>://[^\s/:@"']*:) [^\s/?\#"']+ (?=@)
    | (?-i:eyJ)[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)*
    | w[rk]_[A-Za-z0-9_.-]{16,}
    """,
    re.IGNORECASE | re.VERBOSE,
)
# A key in hexadecimal, or 32 bytes as base64; before it may stand an escape, as in a repr.
_LONG: Final = re.compile(
    r"""
    (?: (?<![A-Za-z0-9_-]) | (?<=\\[a-z]) | (?<=\\x[0-9a-f]{2}) | (?<=\\u[0-9a-f]{4}) )
    (?: [0-9a-fA-F]{64} | [A-Za-z0-9_-]{43}=? )
    (?![A-Za-z0-9_-])
    """,
    re.VERBOSE,
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
    for value in tuple(_hidden):  # another thread may add one
        if value in text:
            text = text.replace(value, MASK)
    holds = text.lower().__contains__
    if any(map(holds, _SHAPES)):
        text = _SHAPED.sub(_masked, text)
    if any(map(holds, _NAMES)):
        text = _NAMED.sub(_masked, text)
    return _LONG.sub(MASK, text) if len(text) >= _SHORTEST else text


def clean_value(value: Any, depth: int = 0) -> Any:
    """Return a value of a log line without secrets; what is no JSON becomes its `repr`."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return clean(value)
    if depth < _MAX_DEPTH:
        if isinstance(value, Mapping):
            return clean_fields(value, depth + 1)
        if isinstance(value, (list, tuple, set, frozenset)):
            items = list(value)
            if len(items) == 2 and isinstance(items[0], (str, bytes)) and _is_name(items[0]):
                return [clean_value(items[0]), MASK]  # a header as a pair
            return [clean_value(item, depth + 1) for item in items]
    return clean(repr(value))


def clean_fields(fields: Mapping[Any, Any], depth: int = 0) -> dict[str, Any]:
    """Return a log line's fields, or the items of a mapping, without secrets."""
    return {
        clean(str(name)): MASK if _is_name(name) else clean_value(value, depth)
        for name, value in fields.items()
    }


def _is_name(name: object) -> bool:
    """Tell whether what is called so is a secret."""
    text = name.decode(errors="replace") if isinstance(name, bytes) else str(name)
    return len(text) <= _LONGEST_NAME and _says_secret(text)


@lru_cache(maxsize=1024)
def _says_secret(name: str) -> bool:
    return _NAME.search(name) is not None


def _masked(match: re.Match[str]) -> str:
    kept = next((part for part in match.groups() if part is not None), "")
    return kept + MASK
