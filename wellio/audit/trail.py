"""The audit log as services use it: `await app.audit.record(tx, ...)` beside the fact itself."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from wellio.clock import Clock
from wellio.db.base import Database, Row, Tx
from wellio.errors import PluginError, WellioError
from wellio.ids import new_id
from wellio.jobs.retry import error_name
from wellio.keys.crypto import Crypto
from wellio.observe.log import REQUEST_ID, get_logger

from . import store
from .anchors import AnchorFile
from .entry import canonical, commit, new_salt
from .keys import AuditKeys
from .origin import ADDRESS, API_KEY, network_of
from .sealer import Sealer
from .verification import Report, Verification

_ACTION = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
_NOTE = re.compile(r"[A-Za-z0-9_]+( [A-Za-z0-9_]+)*")
_NOTE_CHARS = 200
_LATE_MS = 60_000
_DAY_S = 86_400
_log = get_logger(__name__)


class Audit:
    """The audit log of one app.

    Attributes:
        keys: What proves, links and signs its rows.
    """

    def __init__(self, db: Database, clock: Clock, crypto: Crypto, anchor_file: Path) -> None:
        """Build a log that is opened when the app starts.

        Args:
            db: Where its rows are.
            clock: Tells when something was done.
            crypto: Opens the log's keys.
            anchor_file: Where the signed heads of the chain go.
        """
        self._db, self._clock = db, clock
        self.keys = AuditKeys(db, clock, crypto)
        self._sealer = Sealer(db, clock, self.keys, AnchorFile(anchor_file))
        self._has_workers = False
        self._watching: asyncio.Task[None] | None = None
        self._is_broken = False  # as the last verification says

    async def record(
        self,
        tx: Tx,
        action: str,
        kind: str,
        object_id: str | None = None,
        *,
        actor_id: str | None,
        subject_id: str | None = None,
        client_id: str | None = None,
        note: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Write down that something was done; it counts if the transaction commits.

        For what has no event: one that says what it is `about` writes its row by itself.

        The request's id, and the network and API key that it came with, are added.

        Args:
            tx: The transaction in which it is done.
            action: What was done, `<noun>.<past tense>`: the event's name where there is one.
            kind: What it was done to, such as `client`.
            object_id: Which one, where there are several.
            actor_id: The account that did it; None for the machine, or somebody unknown.
            subject_id: The account that is concerned, where that is another thing than the object.
            client_id: The client record that it is about, if any.
            note: A few words of the program's, such as a reason or the names of changed fields.
            details: What is personal, JSON-ready; it goes when the subject is erased.

        Raises:
            PluginError: A word is not of its form, or details are nobody's.
        """
        _check(action, note)
        row: dict[str, Any] = {
            "id": new_id(),
            "at": self._clock.now_ms(),
            "actor_id": actor_id,
            "action": action,
            "object_kind": kind,
            "object_id": object_id,
            "subject_id": subject_id,
            "client_id": client_id,
            "note": note,
            "request_id": REQUEST_ID.get(),
            "network": _network(),
            "api_key_id": API_KEY.get(),
            "commitment": None,
        }
        if details:
            if subject_id is None:
                raise PluginError(f"audit {action}: details need a subject, with whom they go")
            salt, text = new_salt(), orjson.dumps(details).decode()
            row["commitment"] = commit(salt, text)
            await store.append_detail(tx, row["id"], subject_id, salt, text)
        key = self.keys.current
        await store.append(tx, {**row, "key_id": key.id, "mac": key.mac(canonical(row))})
        tx.after_commit(self._sealer.worker.wake)

    async def start(self, *, workers: bool = True) -> None:
        """Read the keys, and begin to seal.

        Args:
            workers: False for a command that records and leaves the rest to the server.

        Raises:
            WellioError: A key does not open with this practice's master key.
            ConfigError: The anchors' file cannot be written.
        """
        await self.keys.open()
        await self._sealer.open()
        self._has_workers = workers
        if workers:
            self._sealer.worker.start()
            self._watching = asyncio.create_task(self._watch(), name="audit verification")

    async def stop(self) -> None:
        """Seal what is there, and end."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait({self._watching})
        if self._has_workers:
            await self._sealer.close()

    async def seal(self) -> None:
        """Seal all that is committed, and sign the head if it is time, as the worker does."""
        while await self._sealer.work() == 0:
            pass

    async def verify(self, more_anchors: Path | None = None) -> Report:
        """Walk the whole log and say where it was changed, if it was.

        Args:
            more_anchors: A file of anchors that were kept elsewhere.

        Raises:
            WellioError: A key does not open with this practice's master key.
        """
        return await self._verify([AnchorFile(more_anchors)] if more_anchors else [])

    async def _verify(self, more: Sequence[AnchorFile] = (), *, is_slow: bool = False) -> Report:
        walk = Verification(self._db, self.keys, self._sealer.files, self._sealer.head, more)
        report = await walk.run(is_slow=is_slow)
        self._is_broken = not report.is_intact
        return report

    async def _watch(self) -> None:
        """Verify at the start and then each day, so that `check` says what a verification would."""
        while True:
            try:
                report = await self._verify(is_slow=True)
            except (WellioError, OSError) as error:
                _log.warning("audit_log_not_verified", error=error_name(error))
            else:
                if not report.is_intact:
                    _log.error("audit_log_broken", found=report.found)
            await asyncio.sleep(_DAY_S)

    async def check(self) -> str | None:
        """Return what is wrong, as a health check does: nothing, or a few words."""
        if self._sealer.trouble is not None or self._is_broken:
            return "needs a look: wellio audit verify"
        if self._sealer.cannot_sign:
            return "cannot write to audit.anchor_file"
        since = await store.first_waiting(self._db)
        is_late = since is not None and since < self._clock.now_ms() - _LATE_MS
        return "rows wait to be sealed" if is_late else None

    async def details_of(self, user_id: str) -> Sequence[Row]:
        """Return the personal details about somebody: `audit_id, at, action, details`."""
        return await store.details_of(self._db, user_id)

    async def erase_details(self, tx: Tx, user_id: str) -> None:
        """Delete the personal details about somebody; the rows stay, and so does the chain."""
        if await store.erase_details(tx, user_id):
            await self.record(tx, "audit.details_erased", "user", user_id, actor_id=None)


def _check(action: str, note: str | None) -> None:
    if not _ACTION.fullmatch(action):
        raise PluginError(f"{action!r} is no action like 'noun.past_tense'")
    if note is not None and (len(note) > _NOTE_CHARS or not _NOTE.fullmatch(note)):
        raise PluginError(f"audit {action}: a note is a few words of the program's")


def _network() -> str | None:
    address = ADDRESS.get()
    return None if address is None else network_of(address)
