"""Anchors: the signed head of the chain, in a file that is not in the database.

Whoever has the database alone can cut off the end of the chain; an anchor beyond the end shows it.
Each is one line, worth keeping anywhere: its signature can be checked without Wellio.

    wellio-audit-2 0x<log> 1000 0x<hash of row 1000> 2026-03-01T09:30:00.000Z 0x<key> 0x<signature>

The log's id tells whose it is, for a file may hold lines of several. The signature is Ed25519, by
the public key before it, over the text before its space. All are hexadecimal; the `0x` tells
whoever keeps secrets out of a log that these are none. Lines of before ids, `wellio-audit-1`, go
without one.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wellio.clock import parse_rfc3339, rfc3339
from wellio.errors import ConfigError
from wellio.files.durability import sync_folder

from .keys import AuditKeys
from .store import Head

_FORM = re.compile(
    r"(?P<text>wellio-audit-(?:1|2 0x(?P<log>[0-9a-f]{16}))"
    r" (?P<seq>[1-9]\d{0,17}) 0x(?P<hash>[0-9a-f]{64})"
    r" (?P<at>\S{20,30}) 0x(?P<public>[0-9a-f]{64})) 0x(?P<signature>[0-9a-f]{128})",
    re.ASCII,
)
_TAIL_BYTES = 4096


class BadAnchorError(ValueError):
    """A line is no anchor, or is not signed by this log's key; the message says which."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """What was signed: how far the chain went at an instant, in milliseconds UTC."""

    head: Head
    at: int

    def sign(self, keys: AuditKeys) -> str:
        """Return the anchor's line, signed with the newest key."""
        head, key = self.head, keys.current
        text = (
            f"wellio-audit-2 0x{keys.log} {head.seq} 0x{head.hash}"
            f" {rfc3339(self.at)} 0x{key.public}"
        )
        return f"{text} 0x{key.sign(text)}"

    @classmethod
    def read(cls, line: str, keys: AuditKeys) -> "Anchor | None":
        """Return the anchor of a line; None when it is another log's.

        Raises:
            BadAnchorError: It is no anchor, or says that it is this log's and is not.
        """
        match = _FORM.fullmatch(line)
        if match is None:
            raise BadAnchorError("is no anchor")
        key = keys.of_public(match["public"])
        if match["log"] != keys.log and (match["log"] is not None or key is None):
            return None
        if key is None or not key.has_signed(match["text"], match["signature"]):
            raise BadAnchorError("is not signed by this log's key")
        return cls(Head(int(match["seq"]), match["hash"]), parse_rfc3339(match["at"]))


class AnchorFile:
    """A file that anchors are appended to; its methods block."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def own(self, keys: AuditKeys) -> "AnchorFile":
        """Return the file that a log's anchors go to: this one, or one beside another log's.

        A file belongs to the log of its first line. Two databases that are used with one folder
        have two logs, and neither may push the other's last anchor out of sight.
        """
        try:
            first = next(self.lines(), None)
            is_others = first is not None and Anchor.read(first, keys) is None
        except BadAnchorError:  # damage, which a verification tells
            is_others = False
        return (
            AnchorFile(self.path.with_suffix(f".{keys.log}{self.path.suffix}"))
            if is_others
            else self
        )

    def make(self) -> None:
        """See to it that the file is there and can be written.

        Raises:
            ConfigError: It cannot.
        """
        try:
            os.close(self._open())
        except OSError as error:
            raise ConfigError(
                f"audit.anchor_file: expected a file that can be written: {self.path}:"
                f" {error.strerror}"
            ) from error

    def lines(self) -> Iterator[str]:
        """Return the lines; one that a crash cut short is not there."""
        try:
            with self.path.open("rb") as file:
                for line in file:
                    if line.endswith(b"\n"):
                        yield line.decode(errors="replace").rstrip("\r\n")
        except FileNotFoundError:
            return

    def tail(self) -> list[str]:
        """Return the last few lines."""
        try:
            with self.path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - _TAIL_BYTES))
                *lines, _ = file.read().split(b"\n")  # what follows the last end is cut short
        except FileNotFoundError:
            return []
        whole = lines if size <= _TAIL_BYTES else lines[1:]
        return [line.decode(errors="replace") for line in whole]

    def append(self, line: str) -> None:
        """Write a line, which is on the disk when this returns."""
        descriptor = self._open()
        try:
            _cut_off_half_a_line(descriptor)
            rest = line.encode() + b"\n"
            while rest:  # a nearly full disk takes less than it is given
                rest = rest[os.write(descriptor, rest) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        sync_folder(self.path.parent)

    def _open(self) -> int:
        return os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)


def _cut_off_half_a_line(descriptor: int) -> None:
    """Remove what a crash left of the last line."""
    size = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, _TAIL_BYTES, max(0, size - _TAIL_BYTES))
    if tail and not tail.endswith(b"\n"):
        os.ftruncate(descriptor, size - len(tail) + tail.rfind(b"\n") + 1)
