"""`docs/errors.md`: every code by which a request or a socket event is refused."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from docs.generator import text
from wellio import Wellio
from wellio.field_errors import WORDS
from wellio.http import Http

_ROOT = Path(__file__).parents[2]
_MAKERS = {"invalid", "FieldError"}
_INTRODUCTION = """\
A refusal is `application/problem+json`, over a socket the `error` of an acknowledgement; [api.md](api.md) shows one. Programs compare its `code`: each means one thing, wherever it comes. `/openapi.json` has all of them as the schema `ErrorCode`, and under each endpoint those that it answers with. A code that you do not know is as good as its status: later versions have more."""  # noqa: E501 - a paragraph is a line
_FIELDS = """\
## Wrong fields

A 422 names every wrong field in `errors`, by a pointer, a code and a sentence. The sentence is for people, and `invalid` has others beside the one below. Codes of expressions are in [expressions.md](expressions.md).
"""  # noqa: E501 - a paragraph is a line


def page(app: Wellio) -> str:
    """Return the page."""
    schema = app.service(Http).openapi["components"]["schemas"]["ErrorCode"]
    codes = [
        (f"`{code}`", *meaning.split(": ", 1))
        for code, meaning in zip(schema["enum"], schema["x-enum-descriptions"], strict=True)
    ]
    said: dict[str, dict[str, None]] = defaultdict(dict)
    for code, sentence in (*((code, _told(words)) for code, words in WORDS), *_raised()):
        said[code][sentence] = None
    fields = [(f"`{code}`", "; ".join(said[code])) for code in sorted(said)]
    return text.page(
        "Errors",
        _INTRODUCTION,
        text.table(("Code", "Status", "Means"), codes),
        _FIELDS,
        text.table(("Code", "Says"), fields),
    )


def _told(words: str) -> str:
    """Return a sentence with an ellipsis where it says what the field's own limit is."""
    return re.sub(r"\{\w+\}", "…", words.replace("{what}{s}", "items").replace("{s}", "s"))


def _raised() -> Iterator[tuple[str, str]]:
    """Yield the codes and sentences of fields that the code itself calls wrong."""
    for path in sorted(it for part in ("wellio", "plugins") for it in (_ROOT / part).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in _MAKERS:
                match [_plain(it) for it in node.args[1:3]]:
                    case [str(code), str(sentence)]:
                        yield code, sentence


def _plain(node: ast.expr) -> str | None:
    """Return a text that stands there; what is put into it shows as an ellipsis."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = (it.value if isinstance(it, ast.Constant) else "…" for it in node.values)
        return "".join(map(str, parts))
    return None
