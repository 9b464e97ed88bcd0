"""One key for each person, so that their sealed data can be made unreadable everywhere at once.

What plugins keep sealed about a person opens only with that person's key. The keys lie in
`<data>/keys.db`, beside the database and in none of its backups: when a key is erased, what it
sealed is lost in every copy, however old. The file is opened at the first use; docs/adr/0008 says
why it is a file of its own.
"""

import asyncio
import hashlib
import hmac
import secrets
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import orjson

from wellio.clock import Clock, rfc3339
from wellio.db import open_beside
from wellio.db.base import Database, Row, Tx
from wellio.db.migrate import Source, migrate
from wellio.db.write_hook import preparing
from wellio.errors import Gone, WellioError

from .box import KEY_BYTES, BoxError, open_box, shut
from .crypto import Crypto
from .ring import MasterRing
from .root import adopt_key_store, has_key_store, own_key_store
from .secret_files import append_line

if TYPE_CHECKING:
    from wellio.db.sqlite import SqliteDatabase

FILE: Final = "keys.db"
JOURNAL: Final = "erasures.jsonl"
_PURPOSE: Final = "keys.person"
_KEPT_KEYS: Final = 1_000
_CHUNK: Final = 200

_READ: Final = "SELECT sealed FROM wellio_person_key WHERE person = :person"
_INSERT: Final = """
INSERT INTO wellio_person_key (person, sealed, created_at) VALUES (:person, :sealed, :now)
ON CONFLICT (person) DO NOTHING
"""
_ERASE: Final = """
INSERT INTO wellio_person_key (person, sealed, created_at, erased_at)
VALUES (:person, NULL, :now, :now)
ON CONFLICT (person) DO UPDATE
SET sealed = NULL, erased_at = COALESCE(wellio_person_key.erased_at, excluded.erased_at)
"""
_AFTER: Final = """
SELECT person, sealed FROM wellio_person_key
WHERE sealed IS NOT NULL AND person > :after ORDER BY person LIMIT :limit
"""
_RESEAL: Final = """
UPDATE wellio_person_key SET sealed = :newer WHERE person = :person AND sealed = :older
"""
_NAME: Final = """
INSERT INTO wellio_key_store (id, name) VALUES (1, :name) ON CONFLICT (id) DO NOTHING
"""
_ADVICE: Final = (
    "put the one that belongs to this database there, or give it up with `wellio keys adopt`"
)
_READ_NAME: Final = "SELECT name FROM wellio_key_store"


class PersonErased(Gone):
    """410: what was sealed for this person is gone, and nothing more is sealed for them."""

    default_code = "person_erased"

    def __init__(self) -> None:
        super().__init__("This person's data was erased.")


class NotOursError(WellioError):
    """The folder's keys.db is missing, or is another database's."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(f"{path} {what}: {_ADVICE}")


class PersonKeys:
    """Seals and opens what belongs to one person.

    Sealing is done before a write: a body of `db.write` may await nothing but its `tx`.

        note = await app.keys.seal(client_id, "journal.note", text.encode())
        await app.db.write(store.insert_note, client_id, note)
    """

    name = "people's keys"

    def __init__(
        self, folder: Path, db: Database, clock: Clock, ring: MasterRing, crypto: Crypto
    ) -> None:
        self._folder = folder
        self._db, self._clock, self._ring = db, clock, ring
        self._mark_key = crypto.derive(_PURPOSE)
        self._known: OrderedDict[str, bytes] = OrderedDict()
        self._busy = asyncio.Lock()
        self._store: SqliteDatabase | None = None

    async def seal(self, person_id: str, purpose: str, plain: bytes) -> bytes:
        """Encrypt with the person's key, which is made at the first use and is on the disk then.

        Args:
            person_id: Whose data it is.
            purpose: What it is, such as `journal.note`; it opens only under the same name.
            plain: The data.

        Raises:
            PersonErased: The person was erased.
            WellioError: keys.db cannot be used.
        """
        key = await self._key(person_id, is_made=True)
        return shut(key, plain, purpose, person_id)

    async def unseal(self, person_id: str, purpose: str, sealed: bytes) -> bytes:
        """Decrypt what `seal` made for the same person and purpose.

        Raises:
            PersonErased: The person was erased.
            WellioError: It is somebody else's, has another purpose, or was changed; or keys.db
                cannot be used.
        """
        key = await self._key(person_id, is_made=False)
        try:
            return open_box(key, sealed, purpose, person_id)
        except BoxError as error:
            raise WellioError(f"sealed data ({purpose}) does not open with its person's key") from (
                error
            )

    async def erase(self, person_id: str) -> None:
        """Delete a person's key for ever: what it sealed cannot be opened any more, anywhere.

        An entry goes into `<data>/erasures.jsonl` first, so that a restored backup can be told
        whom to forget again. It may be called again after a crash.

        Raises:
            WellioError: keys.db cannot be used.
        """
        mark = self._mark(person_id)
        async with self._busy:
            store, now = await self._opened(), self._clock.now_ms()
            entry = orjson.dumps({"at": rfc3339(now), "person": mark}).decode()
            await asyncio.to_thread(append_line, self._folder / JOURNAL, entry)
            self._known.pop(mark, None)
            with preparing():
                await store.write(_erase, mark, now)
            await store.flush()

    async def renew(self) -> None:
        """Do nothing: what a person's key sealed lies in backups too, which nobody seals anew."""

    async def reseal(self) -> int:
        """Seal the keys under the newest master key; return how many were not.

        Raises:
            WellioError: keys.db is missing, or cannot be used.
        """
        if not (self._folder / FILE).exists():
            if await has_key_store(self._db):
                raise NotOursError(self._folder / FILE, "is missing")
            return 0
        async with self._busy:
            store = await self._opened()
        count, after = 0, ""
        while rows := await store.fetch_all(_AFTER, after=after, limit=_CHUNK):
            newer = [(row["person"], row["sealed"], self._resealed(row)) for row in rows]
            with preparing():
                count += await store.write(_reseal, newer)
            after = rows[-1]["person"]
        return count

    async def adopt(self) -> None:
        """Take the folder's keys.db as this database's, in place of one that was lost for good."""
        async with self._busy:
            if self._store is None:
                self._store = await self._open()
            with preparing():
                await self._db.write(adopt_key_store, await _name_of(self._store))

    async def check(self) -> str | None:
        """Return what is wrong, as a health check does: nothing, or a few words."""
        if not await has_key_store(self._db):
            return None
        async with self._busy:
            if not (self._folder / FILE).exists():
                return f"{FILE} is missing: {_ADVICE}"
            try:
                await self._opened()
            except NotOursError:
                return f"{FILE} does not belong to this database: {_ADVICE}"
            except WellioError:
                return f"{FILE} cannot be used: {_ADVICE}"
        return None

    async def close(self) -> None:
        """Let keys.db go."""
        if self._store is not None:
            await self._store.close()

    def _mark(self, person_id: str) -> str:
        """Return what stands for a person in keys.db and in the journal."""
        return hmac.new(self._mark_key, person_id.encode(), hashlib.sha256).hexdigest()[:32]

    async def _key(self, person_id: str, *, is_made: bool) -> bytes:
        mark = self._mark(person_id)
        if (known := self._known.get(mark)) is not None:
            self._known.move_to_end(mark)
            return known
        async with self._busy:  # so that no erased key comes back here, and none is made twice
            store = await self._opened()
            row = await store.fetch_one(_READ, person=mark)
            if row is None:
                if not is_made:
                    raise WellioError(f"{FILE} has no key for this person's sealed data")
                sealed = self._ring.seal(_PURPOSE, secrets.token_bytes(KEY_BYTES), mark)
                with preparing():
                    row = await store.write(_make, mark, sealed, self._clock.now_ms())
            if row["sealed"] is None:
                raise PersonErased
            key = self._ring.unseal(_PURPOSE, row["sealed"], mark)
            self._known[mark] = key
            if len(self._known) > _KEPT_KEYS:
                self._known.popitem(last=False)
            return key

    def _resealed(self, row: Row) -> bytes | None:
        return self._ring.reseal(_PURPOSE, row["sealed"], row["person"])

    async def _opened(self) -> "SqliteDatabase":
        """Return keys.db, open, once it is known to belong to the database."""
        if self._store is None:
            store = await self._open()
            try:
                with preparing():
                    name = await _name_of(store)
                    if await self._db.write(own_key_store, name) != name:
                        raise NotOursError(self._folder / FILE, "does not belong to this database")
            except BaseException:
                await store.close()
                raise
            self._store = store
        return self._store

    async def _open(self) -> "SqliteDatabase":
        store = await open_beside(self._folder / FILE)
        try:
            source = Source("wellio", Path(__file__).parent / "migrations", "keys")
            await migrate(store, [source], backups=None, now_ms=self._clock.now_ms())
        except BaseException:
            await store.close()
            raise
        return store


async def _name_of(store: "SqliteDatabase") -> str:
    return await store.write(_named, secrets.token_hex(16))


async def _named(tx: Tx, name: str) -> str:
    await tx.execute(_NAME, name=name)
    row = await tx.fetch_one(_READ_NAME)
    return str(row["name"]) if row else name


async def _make(tx: Tx, mark: str, sealed: bytes, now: int) -> Row:
    await tx.execute(_INSERT, person=mark, sealed=sealed, now=now)
    row = await tx.fetch_one(_READ, person=mark)
    if row is None:
        raise WellioError(f"{FILE} did not keep a key")
    return row


async def _erase(tx: Tx, mark: str, now: int) -> None:
    await tx.execute(_ERASE, person=mark, now=now)


async def _reseal(tx: Tx, keys: list[tuple[str, bytes, bytes | None]]) -> int:
    count = 0
    for mark, older, newer in keys:
        if newer is not None:
            count += await tx.execute(_RESEAL, person=mark, older=older, newer=newer)
    return count
