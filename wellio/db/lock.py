"""One server per data folder: two writers on one SQLite file can corrupt its log.

And two nodes of one name would take each other's jobs for their own, left behind by a kill.
"""

import fcntl
import os
from pathlib import Path
from typing import Final, TextIO

from wellio.errors import DatabaseError
from wellio.files.durability import make_folder

_NAME: Final = "wellio.lock"


class FolderLock:
    """Holds `<folder>/wellio.lock` while the server runs; the kernel lets go if it dies."""

    def __init__(self, *folders: Path) -> None:
        """Take the locks, each once; a folder is made if need be.

        Raises:
            DatabaseError: Another process has one; the message says which.
        """
        self._files: list[TextIO] = []
        try:
            for folder in {folder.resolve(): folder for folder in folders}.values():
                self._take(folder)
        except BaseException:
            self.release()
            raise

    def _take(self, folder: Path) -> None:
        make_folder(folder)
        path = folder / _NAME
        file = path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise DatabaseError(
                f"another Wellio (process {holder}) already serves {folder}: stop it first, "
                "or give this one a data folder of its own"
            ) from None
        if not (path.exists() and os.path.samestat(path.stat(), os.fstat(file.fileno()))):
            file.close()  # whoever had it took the file away as this one opened it
            self._take(folder)
            return
        self._files.append(file)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()

    def release(self) -> None:
        """Let the folders go; of a start that made nothing there, nothing stays."""
        for file in self._files:
            path = Path(file.name)
            if not file.closed and [*path.parent.glob("*")] == [path]:
                path.unlink()
            file.close()
