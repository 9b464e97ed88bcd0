"""Walks the audit log from its first row to its last, and says where it was changed.

The log is read in pages, so memory does not grow with it, and hashing runs in a thread. A running
server goes on meanwhile: the chain only grows, and anchors are read before the rows they sign.
"""

import asyncio
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from wellio.db.base import Database, Row
from wellio.errors import DatabaseError

from . import store
from .anchors import Anchor, AnchorFile, BadAnchorError
from .entry import canonical, commit
from .keys import AuditKeys
from .store import GENESIS, Head

_PAGE = 500
_LISTED = 20
_PAUSE_S = 0.05  # after each page of a walk that nobody waits for
_BEFORE_ALL = -(2**63)
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Break:
    """Something that is not as Wellio left it.

    Attributes:
        row: The number in the chain; None outside of it.
        kind: `altered`, `missing`, `truncated`, `rewritten`, `forged`, `details`, `key`, `anchor`
            or `unreadable`.
        id: The row's id, where there is a row.
        reason: What was found.
    """

    row: int | None
    kind: str
    id: str | None
    reason: str


@dataclass(slots=True)
class Report:
    """What a walk found.

    Attributes:
        rows: Rows in the chain.
        pending: Rows that are not sealed yet.
        anchors: Good anchors that were read.
        foreign: Anchors of other logs, as of another database that was used with the folder.
        anchored: The row up to which the log is signed.
        details: Rows whose personal details are there.
        erased: Rows whose details were taken away, as by an erasure.
        breaks: What is wrong, in the order of the walk; the first ones of many.
        found: How many breaks there are.
    """

    rows: int = 0
    pending: int = 0
    anchors: int = 0
    foreign: int = 0
    anchored: int = 0
    details: int = 0
    erased: int = 0
    breaks: list[Break] = field(default_factory=list)
    found: int = 0

    @property
    def is_intact(self) -> bool:
        """Tell whether nothing is wrong."""
        return not self.found

    def add(self, found: Break) -> None:
        """Note a break."""
        self.found += 1
        if len(self.breaks) < _LISTED:
            self.breaks.append(found)


class Verification:
    """One walk."""

    def __init__(
        self,
        db: Database,
        keys: AuditKeys,
        files: Sequence[AnchorFile],
        known: Head,
        kept: Sequence[AnchorFile] = (),
    ) -> None:
        """Prepare it.

        Args:
            db: Where the log is.
            keys: A ring of the log's; the keys are read anew, to see whether all are there.
            files: Where anchors are.
            known: How far the chain goes, as this process knows without a file.
            kept: Further files, each of which has to hold an anchor of this log: whoever names one
                wants the log held against it.
        """
        self._db, self._keys = db, keys.anew()
        self._files, self._kept, self._known = files, kept, known
        self._anchors: dict[int, set[str]] = defaultdict(set)  # hashes by row
        self._bad_anchors: list[str] = []
        self._head = GENESIS
        self._pause_s = 0.0
        self._report = Report()

    async def run(self, *, is_slow: bool = False) -> Report:
        """Walk, and return what was found.

        Args:
            is_slow: Whether to leave most of the machine to others.

        Raises:
            WellioError: A key does not open with this practice's master key.
        """
        self._pause_s = _PAUSE_S if is_slow else 0.0
        await self._keys.read()
        await asyncio.to_thread(self._read_anchors)
        if await self._walk():
            self._check_end()
        await self._walk_pending()
        for audit_id in await store.nobodys_details(self._db, _LISTED):
            reason = "details are kept of a row that is not there"
            self._report.add(Break(None, "details", audit_id, reason))
        for reason in self._bad_anchors:
            self._report.add(Break(None, "anchor", None, reason))
        return self._report

    def _read_anchors(self) -> None:
        for file in self._files:
            self._read_file(file)
        for file in self._kept:
            if not self._read_file(file):
                self._bad_anchors.append(f"{file.path.name}: holds no anchor of this log")
        self._report.anchored = max(self._anchors, default=0)
        if self._known.seq:
            self._anchors[self._known.seq].add(self._known.hash)

    def _read_file(self, file: AnchorFile) -> int:
        """Read a file, and return how many of its lines are of this log, good ones or bad."""
        ours = 0
        for number, line in enumerate(file.lines(), 1):
            try:
                anchor = Anchor.read(line, self._keys)
            except BadAnchorError as error:
                self._bad_anchors.append(f"{file.path.name}: line {number} {error}")
                ours += 1
                continue
            if anchor is None:
                self._report.foreign += 1
                continue
            self._anchors[anchor.head.seq].add(anchor.head.hash)
            self._report.anchors += 1
            ours += 1
        return ours

    async def _walk(self) -> bool:
        """Check the chain; return whether its end was reached."""
        after = _BEFORE_ALL
        while True:
            try:
                rows = await store.page(self._db, after, _PAGE)
            except DatabaseError as error:
                reason = f"a row from here on cannot be read: {error}"
                self._report.add(Break(self._head.seq + 1, "unreadable", None, reason))
                return False
            if not rows:
                return True
            await self._know_keys_of(rows)
            await asyncio.to_thread(self._check_page, rows)
            await asyncio.sleep(self._pause_s)
            after = rows[-1]["seq"]

    async def _know_keys_of(self, rows: list[Row]) -> None:
        """Read the keys again if another process has made one meanwhile."""
        if any(self._keys.get(row["key_id"]) is None for row in rows):
            await self._keys.read()

    def _check_page(self, rows: list[Row]) -> None:
        for row in rows:
            self._report.rows += 1
            seq, before = row["seq"], self._head
            if seq == before.seq + 1:
                self._check_link(row, before)
            elif seq > before.seq:
                reason = f"the rows from {before.seq + 1} to {seq - 1} are not there"
                self._report.add(Break(before.seq + 1, "missing", None, reason))
            else:
                reason = "it has a number that no row has"
                self._report.add(Break(seq, "altered", row["id"], reason))
            if self._anchors.get(seq, {row["hash"]}) != {row["hash"]}:
                reason = "it is not the row that was signed"
                self._report.add(Break(seq, "rewritten", row["id"], reason))
            self._check_details(row, seq)
            self._head = Head(max(seq, 0), row["hash"])

    def _check_link(self, row: Row, before: Head) -> None:
        """Check a row against the hash before it."""
        key = self._keys.get(row["key_id"])
        if key is None:
            reason = f"the key {row['key_id']} that sealed it is not there"
            self._report.add(Break(row["seq"], "key", row["id"], reason))
        elif not _HASH.fullmatch(before.hash) or (
            key.link(before.hash, row["seq"], canonical(row)) != row["hash"]
        ):
            reason = "it, or the hash before it, is not what was sealed"
            self._report.add(Break(row["seq"], "altered", row["id"], reason))

    def _check_details(self, row: Row, seq: int | None) -> None:
        """Check personal details against the row's commitment, if they are there."""
        commitment, details = row["commitment"], row["details"]
        if details is not None:
            self._report.details += 1
            if commitment is None or commit(row["salt"], details) != commitment:
                reason = "its details are not those that were recorded"
                self._report.add(Break(seq, "details", row["id"], reason))
            elif row["details_of"] != row["subject_id"]:  # they would not go with their subject
                reason = "its details are kept as another person's"
                self._report.add(Break(seq, "details", row["id"], reason))
        elif commitment is not None:
            self._report.erased += 1

    def _check_end(self) -> None:
        if (end := max(self._anchors, default=0)) > self._head.seq:
            reason = f"the log went to row {end} once, and ends before"
            self._report.add(Break(self._head.seq + 1, "truncated", None, reason))

    async def _walk_pending(self) -> None:
        after = _BEFORE_ALL
        while rows := await store.pending_page(self._db, after, _PAGE):
            await self._know_keys_of(rows)
            await asyncio.to_thread(self._check_pending, rows)
            await asyncio.sleep(self._pause_s)
            after = rows[-1]["position"]

    def _check_pending(self, rows: list[Row]) -> None:
        for row in rows:
            self._report.pending += 1
            key = self._keys.get(row["key_id"])
            is_genuine = key is not None and key.has_written(canonical(row), row["mac"])
            if not is_genuine or row["is_sealed"] or row["state"] != "waiting":
                reason = "Wellio did not write this row here"
                self._report.add(Break(None, "forged", row["id"], reason))
            self._check_details(row, None)
