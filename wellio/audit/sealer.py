"""Seals what is committed: moves rows into the chain, and signs its head now and then.

A row is moved in one transaction, so a kill leaves it on one side or the other. Rows are taken as
they become visible, and of those in the order in which they were written: a transaction that
commits late comes later in the chain, and nothing that is sealed ever changes. Of two processes
that seal at once, the second finds its first number taken, and begins again.

This process remembers the head that it sealed or anchored last. When the chain ends before that,
somebody cut it off: the next row is numbered past the hole, which stays to be seen.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from wellio.clock import Clock
from wellio.db.base import Database, Row, Tx
from wellio.errors import ConstraintViolation, WellioError
from wellio.jobs.retry import error_name
from wellio.jobs.worker import Worker

from . import store
from .anchors import Anchor, AnchorFile, BadAnchorError
from .entry import canonical
from .keys import AuditKeys
from .store import GENESIS, Head

CHUNK = 128  # rows in one transaction: see docs/audit.md for what that takes
_GATHER_S = 0.25  # one commit seals what comes together
_POLL_S = 5.0
ANCHOR_ROWS = 1_000
ANCHOR_MS = 3_600_000
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Sealed:
    """What one transaction did."""

    head: Head
    refused: Sequence[str]
    trouble: str | None


class Sealer:
    """Seals the rows of one log.

    Attributes:
        file: Where its signed heads go: what was given, or a file beside it if that is another
            log's.
        head: How far the chain goes, as far as this process knows.
        trouble: What was found to be wrong since the start, in a few words; None when all is well.
        cannot_sign: Whether the last anchor could not be written.
    """

    def __init__(self, db: Database, clock: Clock, keys: AuditKeys, file: AnchorFile) -> None:
        self._db, self._clock, self._keys = db, clock, keys
        self.file, self._shared = file, file  # an own one once it is known whose log this is
        self.trouble: str | None = None
        self.cannot_sign = False
        self.worker = Worker("audit", self.work, gather_s=_GATHER_S)
        self.head = GENESIS
        self._anchored = Anchor(GENESIS, 0)
        self._busy = asyncio.Lock()

    @property
    def files(self) -> Sequence[AnchorFile]:
        """Return where anchors are: in the file of the settings, and in the one beside it."""
        is_shared = self.file.path == self._shared.path
        return [self._shared] if is_shared else [self._shared, self.file]

    async def open(self) -> None:
        """Remember the last anchor, and look whether the chain still holds it.

        Raises:
            ConfigError: The anchors' file cannot be written.
        """
        self.file = await asyncio.to_thread(self._shared.own, self._keys)
        await asyncio.to_thread(self.file.make)
        anchored = await asyncio.to_thread(self._last_anchor)
        if anchored is not None:
            self._anchored, self.head = anchored, anchored.head
        await self._look()

    async def close(self) -> None:
        """Seal and sign what is there, so that nothing can be cut off until the next start."""
        await self.worker.stop()
        try:
            while await self.work() == 0:
                pass
            await self._anchor(rows=1)
        except (WellioError, OSError) as error:  # the next start goes on
            _log.warning("audit_log_not_sealed", error=error_name(error))

    async def work(self) -> float:
        """Seal a chunk of what is committed, and sign the head if it is time.

        Returns:
            For how many seconds there is nothing more to do; 0 when there may be.
        """
        has_sealed = await self._step()
        if not has_sealed:
            await self._look()
        async with self._busy:
            await self._anchor(rows=ANCHOR_ROWS)
        return 0.0 if has_sealed else _POLL_S

    async def _step(self) -> bool:
        """Seal one chunk; return whether there may be another."""
        async with self._busy:
            if await store.first_waiting(self._db) is None:
                return False
            try:
                sealed = await self._db.write(self._seal)
            except ConstraintViolation:
                return False  # another process is at it
            self.head = sealed.head
            self._tell(sealed.trouble, head=sealed.head.seq)
            if sealed.refused:
                self._tell("rows were added that Wellio did not write", rows=sealed.refused)
            return True

    async def _seal(self, tx: Tx) -> _Sealed:
        head, trouble = await self._find_head(tx)
        rows = await store.waiting(tx, CHUNK)
        await self._keys.read(tx)  # after the rows: whoever wrote them had stored their key
        key, sealed, refused = self._keys.current, dict[str, dict[str, Any]](), list[Row]()
        for row in rows:
            content, is_copy = canonical(row), row["is_sealed"] or row["id"] in sealed
            if is_copy or not self._is_genuine(row, content):
                refused.append(row)
                continue
            head = Head(head.seq + 1, key.link(head.hash, head.seq + 1, content))
            sealed[row["id"]] = {
                "place": row["position"],
                "seq": head.seq,
                "key_id": key.id,
                "hash": head.hash,
            }
        if sealed and await store.seal(tx, [*sealed.values()]) != len(sealed):
            raise ConstraintViolation("rows were sealed by another process", "other")
        if refused:
            await store.refuse(tx, [row["position"] for row in refused])
        return _Sealed(head, [row["id"] for row in refused], trouble)

    def _is_genuine(self, row: Row, content: bytes) -> bool:
        key = self._keys.get(row["key_id"])
        return key is not None and key.has_written(content, row["mac"])

    async def _find_head(self, db: Database | Tx) -> tuple[Head, str | None]:
        """Return where the chain goes on, and what is wrong with where it ends."""
        last, mine = await store.last(db), self.head
        if last.seq < mine.seq:
            return mine, "the chain was cut off"
        if mine.seq and await store.hash_at(db, mine.seq) != mine.hash:
            return last, "the chain was rewritten"
        return last, None

    async def _look(self) -> None:
        """See what others sealed, and whether what is known is still there."""
        async with self._busy:
            self.head, trouble = await self._find_head(self._db)
            self._tell(trouble, head=self.head.seq)

    def _tell(self, trouble: str | None, **where: Any) -> None:
        if trouble and trouble != self.trouble:
            self.trouble = trouble
            _log.error("audit_log_tampered", trouble=trouble, **where)

    # -- anchors

    async def _anchor(self, *, rows: int) -> None:
        """Sign the head, if so many rows or an hour have passed since the last time."""
        now, head = self._clock.now_ms(), self.head
        since = head.seq - self._anchored.head.seq
        if since < rows and (since <= 0 or now - self._anchored.at < ANCHOR_MS):
            return
        anchor = Anchor(head, now)
        line = anchor.sign(self._keys)
        try:
            await asyncio.to_thread(self.file.append, line)
        except OSError:
            self.cannot_sign = True
            raise  # the worker tries again; sealing goes on
        self.cannot_sign = False
        self._anchored = anchor
        _log.info("audit_anchor", anchor=line)

    def _last_anchor(self) -> Anchor | None:
        """Return the last anchor of this log, wherever two logs may have written to one file."""
        found = list(self._anchors(self.file.tail()))
        if not found:
            found = list(self._anchors(self._shared.lines()))
        return max(found, key=lambda anchor: anchor.head.seq, default=None)

    def _anchors(self, lines: Iterable[str]) -> Iterator[Anchor]:
        for line in lines:
            try:
                anchor = Anchor.read(line, self._keys)
            except BadAnchorError as error:
                self._tell("an anchor was changed", reason=str(error))
            else:
                if anchor is not None:
                    yield anchor
