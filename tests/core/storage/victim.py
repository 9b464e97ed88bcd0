"""A process that stores files until it is killed: `python -m tests.core.storage.victim FOLDER`.

It prints a file's key and hash once `put` has returned.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from wellio.files.storage import FolderStorage


async def main(folder: Path) -> None:
    """Store without end, several at a time."""
    storage = FolderStorage(folder)
    await storage.open()

    async def content() -> AsyncIterator[bytes]:
        for _ in range(8):
            yield os.urandom(50_000)

    async def store() -> None:
        while True:
            stored = await storage.put(content(), max_bytes=10_000_000)
            print(stored.key, stored.size, stored.sha256, flush=True)

    await asyncio.gather(*(store() for _ in range(4)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
