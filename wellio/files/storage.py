"""Files that plugins keep: attachments, exports. What `put` returned survives a power cut.

A key is made here, never from a name that somebody chose, so no name can lead out of the folder; a
file's name, type and owner are rows of the plugin that keeps it. A file is written apart, synced
and renamed: it is there whole or not at all.

obstore was tried, which speaks to S3 too: its local store renames but syncs neither file nor
folder, makes files that everybody may read, and weighs 16 MB. Another store needs only what
`Storage` says.
"""

import asyncio
import errno
import hashlib
import os
import re
import threading
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, ParamSpec, Protocol, TypeVar

from wellio.errors import NotFound, PayloadTooLarge, StorageFull
from wellio.ids import is_id, new_id

from .durability import make_folder, sync_folder

P = ParamSpec("P")
T = TypeVar("T")

CHUNK_BYTES: Final = 256 * 1024
_THREADS: Final = 4
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_INCOMING: Final = "incoming"
_SHELF: Final = re.compile(r"[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that is on the disk.

    Attributes:
        key: What finds it again.
        size: Its bytes.
        sha256: Of its content, in hexadecimal digits.
    """

    key: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file as a listing has it.

    Attributes:
        key: What finds it.
        size: Its bytes.
        age_s: Seconds since it was stored.
    """

    key: str
    size: int
    age_s: float


class Storage(Protocol):
    """Where files are kept."""

    async def open(self) -> None:
        """Get ready, before anything is stored."""

    async def close(self) -> None:
        """Finish what is under way; nothing is stored afterwards."""

    async def put(self, content: AsyncIterable[bytes], *, max_bytes: int) -> StoredFile:
        """Store a file as it comes in.

        Args:
            content: Its bytes, in pieces of any length.
            max_bytes: The most that it may have, counted while it comes.

        Raises:
            PayloadTooLarge: It has more.
            Unavailable: There is no room for it.
        """

    def read(self, key: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """Return a file's bytes from `start` up to `stop`, in pieces of at most `CHUNK_BYTES`.

        Raises:
            NotFound: There is no such file, when the first piece is asked for.
        """

    async def find(self, key: str) -> FoundFile | None:
        """Return a file's size and age; None when it is not there."""

    async def delete(self, key: str) -> None:
        """Remove a file; one that is gone already is no mistake."""

    def list(self) -> AsyncIterator[FoundFile]:
        """Return all files, in no order: for whoever looks for those that no row names."""


class FolderStorage:
    """Files in a folder of this machine."""

    def __init__(self, folder: Path) -> None:
        """Use a folder, which is made at the first write."""
        self._folder = folder
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="wellio-files")

    async def open(self) -> None:
        """Remove what a killed process left half written."""
        await self._run(_sweep, self._folder / _INCOMING)

    async def close(self) -> None:
        """End the threads once what they do is done."""
        await asyncio.to_thread(self._threads.shutdown)

    async def put(self, content: AsyncIterable[bytes], *, max_bytes: int) -> StoredFile:
        """Store a file as it comes in; see `Storage.put`."""
        key = new_id()
        upload = _Upload(self._folder / _INCOMING / key, max_bytes)
        try:
            waiting = bytearray()
            async for piece in content:
                waiting += piece
                if len(waiting) >= CHUNK_BYTES:
                    await self._run(upload.write, bytes(waiting))
                    waiting.clear()
            await self._run(upload.write, bytes(waiting))
            await self._run(upload.finish, self._path(key))
        except BaseException:
            self._threads.submit(upload.discard)  # also when the caller has gone meanwhile
            raise
        return StoredFile(key, upload.size, upload.sha256)

    async def read(self, key: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """Return a file's bytes; see `Storage.read`."""
        if not is_id(key):
            raise NotFound
        path, position = self._path(key), start
        while stop is None or position < stop:
            wanted = CHUNK_BYTES if stop is None else min(CHUNK_BYTES, stop - position)
            piece = await self._run(_read, path, position, wanted)
            if not piece:
                return
            yield piece
            position += len(piece)

    async def find(self, key: str) -> FoundFile | None:
        """Return a file's size and age; see `Storage.find`."""
        return await self._run(_find, self._path(key)) if is_id(key) else None

    async def delete(self, key: str) -> None:
        """Remove a file; see `Storage.delete`."""
        if is_id(key):
            await self._run(self._path(key).unlink, missing_ok=True)

    async def list(self) -> AsyncIterator[FoundFile]:
        """Return all files; see `Storage.list`."""
        for shelf in await self._run(_shelves, self._folder):
            for found in await self._run(_on_shelf, shelf):
                yield found

    def _path(self, key: str) -> Path:
        # The end of a UUIDv7 is random, so that the files spread evenly over 256 folders.
        return self._folder / key[-2:] / key

    async def _run(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function in a thread; what the disk says becomes a problem."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, lambda: fn(*args, **kwargs))
        except OSError as error:
            if error.errno in _NO_ROOM:
                raise StorageFull from error
            raise


class _Upload:
    """A file that is being written, in threads: one call may still run when the next comes."""

    def __init__(self, part: Path, max_bytes: int) -> None:
        self._part = part
        self._max_bytes = max_bytes
        self._hash = hashlib.sha256()
        self._file: BinaryIO | None = None
        self._is_over = False
        self._lock = threading.Lock()
        self.size = 0

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def write(self, piece: bytes) -> None:
        """Write a piece; after `discard` it is dropped."""
        with self._lock:
            if self._is_over:
                return
            self.size += len(piece)
            if self.size > self._max_bytes:
                raise PayloadTooLarge(f"A file may have at most {self._max_bytes} bytes.")
            if self._file is None:
                make_folder(self._part.parent)
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
                self._file = os.fdopen(os.open(self._part, flags, 0o600), "wb", buffering=0)
            self._hash.update(piece)
            _write_all(self._file, piece)

    def finish(self, path: Path) -> None:
        """Have the file in its place, on the disk."""
        with self._lock:
            if self._file is None or self._is_over:
                return
            self._is_over = True
            with self._file:
                os.fsync(self._file.fileno())
            make_folder(path.parent)
            self._part.rename(path)
            sync_folder(path.parent)

    def discard(self) -> None:
        """Remove what was not finished."""
        with self._lock:
            self._is_over = True
            if self._file is not None:
                self._file.close()
                self._part.unlink(missing_ok=True)


def _write_all(file: BinaryIO, piece: bytes) -> None:
    rest = memoryview(piece)
    while rest:  # a nearly full disk takes less than it is given
        rest = rest[file.write(rest) :]


def _sweep(incoming: Path) -> None:
    if incoming.exists():
        for part in incoming.iterdir():
            part.unlink(missing_ok=True)


def _read(path: Path, start: int, size: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(start)
            return file.read(size)
    except FileNotFoundError:
        raise NotFound from None


def _find(path: Path) -> FoundFile | None:
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return FoundFile(path.name, stat.st_size, max(0.0, time.time() - stat.st_mtime))


def _shelves(folder: Path) -> list[Path]:
    if not folder.exists():
        return []
    return [shelf for shelf in folder.iterdir() if _SHELF.fullmatch(shelf.name)]


def _on_shelf(shelf: Path) -> list[FoundFile]:
    return [found for path in shelf.iterdir() if (found := _find(path)) is not None]
