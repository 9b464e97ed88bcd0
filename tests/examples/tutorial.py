"""Reads a tutorial as somebody who does what it says: writes its files and types its commands.

Each fenced block is one step. A `console` block holds commands behind `$` and what they print; any
other is a file, and the paragraph above says what to do with it. A `diff` changes one: lines with
`-` go, lines with `+` come, the others say where; `@@` is between two places.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"([^\n]*)\n\n```(\w+)\n(.*?)```$", re.MULTILINE | re.DOTALL)
_FILES = {
    "write": re.compile(r"\bWrite `([^`]+)`:$"),
    "append": re.compile(r"\bAdd to the end of `([^`]+)`:$"),
    "change": re.compile(r"\bChange `([^`]+)`:$"),
    "holds": re.compile(r"`([^`]+)` holds:$"),
    "part": re.compile(r"\bin `([^`]+)`:$"),
}


@dataclass(frozen=True)
class File:
    """A file that is written, extended, changed, or shown as it is there, whole or in part."""

    action: str
    path: str
    text: str

    def change(self, text: str) -> str:
        """Return a file's text with the change made, each place of which must be there once."""
        for place in re.split(r"^@@\n", self.text, flags=re.MULTILINE):
            lines = [(line[:1], line[1:]) for line in place.splitlines(keepends=True)]
            assert {sign for sign, _ in lines} <= set("-+ \n"), f"{self.path}: no diff:\n{place}"
            before = "".join(rest or sign for sign, rest in lines if sign != "+")
            after = "".join(rest or sign for sign, rest in lines if sign != "-")
            found = [*re.finditer(f"^{re.escape(before)}", text, re.MULTILINE)] if before else []
            assert len(found) == 1, f"{self.path}: {len(found)} times:\n{before}"
            text = text[: found[0].start()] + after + text[found[0].end() :]
        return text


@dataclass(frozen=True)
class Command:
    """A command and what it prints; `...` stands for anything, alone on a line for lines."""

    line: str
    printed: str

    @property
    def fails(self) -> bool:
        """Tell whether it ends with an error, by what it prints."""
        return " failed" in self.printed

    def is_printed(self, text: str) -> bool:
        """Tell whether a text is what the command prints, but for blanks at the ends of lines."""
        lines = [line.rstrip() for line in self.printed.strip("\n").splitlines()]
        patterns = [
            r"(?:.*\n)*?"
            if line == "..."
            else r".*".join(map(re.escape, line.split("..."))) + r"\n"
            for line in lines
        ]
        given = "".join(line.rstrip() + "\n" for line in text.strip("\n").splitlines())
        return re.fullmatch("".join(patterns), given) is not None


def steps(page: Path) -> Iterator[File | Command]:
    """Return what a page has its reader do, in order."""
    text = page.read_text()
    blocks = list(_BLOCK.finditer(text))
    assert len(blocks) * 2 == len(re.findall(r"^```", text, re.MULTILINE)), "a block is unread"
    for above, kind, content in (block.groups() for block in blocks):
        if kind == "console":
            yield from _commands(content)
        else:
            yield _file(above, kind, content)


def _commands(content: str) -> Iterator[Command]:
    for part in re.split(r"^\$ ", content, flags=re.MULTILINE)[1:]:
        line, _, printed = part.partition("\n")
        yield Command(line, printed)


def _file(above: str, kind: str, content: str) -> File:
    for action, pattern in _FILES.items():
        found = pattern.search(above)
        if found and (action == "change") == (kind == "diff"):
            return File(action, found[1], content)
    raise AssertionError(f"nobody knows what to do with the block below: {above}")
