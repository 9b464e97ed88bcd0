"""Splits a migration into its statements."""

import re
from typing import Final

from .dialect import PIECE
from .statement import StatementError

_COMPOUND: Final = re.compile(
    r"CREATE\s+(?:OR\s+REPLACE\s+)?(?:TEMP\s+|TEMPORARY\s+)?(?:TRIGGER|FUNCTION|PROCEDURE)",
    re.IGNORECASE,
)


def split_script(script: str) -> list[str]:
    """Split a migration into its statements, without the semicolons between them.

    Strings, comments, dollar quotes and the bodies of triggers and functions
    (`BEGIN ... END`, with `CASE ... END` inside) stay whole.
    """
    statements, begin, depth = [], 0, 0
    words: list[str] = []  # of the statement so far: enough of them to know what it creates

    def finish(end: int) -> None:
        if words:
            statements.append(script[begin:end].strip())

    for piece in PIECE.finditer(script):
        if piece["wrong"] and piece["wrong"] not in "{}?":
            raise StatementError(f"unclosed {piece['wrong']!r} in a migration")
        if piece["end"] and depth == 0:
            finish(piece.start())
            begin, words = piece.end(), []
        elif piece["end"] is None and not piece["comment"]:
            word = (piece["word"] or "").upper()
            if len(words) < 6:
                words.append(word)
            if word in {"BEGIN", "CASE"} and _COMPOUND.match(" ".join(words)):
                depth += 1
            elif word == "END" and depth:
                depth -= 1
    finish(len(script))
    return statements
