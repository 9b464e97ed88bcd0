"""One server per data folder: two writers on one SQLite file can corrupt its log.

And two nodes of one name would take each other's jobs for their own, left behind by a kill.
"""

import fcntl
import os
from pathlib import Path

from wellio.errors import DatabaseError


class FolderLock:
    """Holds `<folder>/wellio.lock` while the server runs; the kernel lets go if it dies."""

    def __init__(self, folder: Path) -> None:
        """Take the lock; the folder is made if need be.

        Raises:
            DatabaseError: Another process has it; the message says which.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / "wellio.lock"
        self._file = path.open("a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.seek(0)
            holder = self._file.read().strip() or "unknown"
            self._file.close()
            raise DatabaseError(
                f"another Wellio (process {holder}) already serves {folder}: stop it first, "
                "or give this one a data folder of its own"
            ) from None
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        """Let the folder go."""
        self._file.close()
