"""What a power cut leaves: an entry of a folder is on the disk only once the folder is synced."""

import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Have a folder's entries on the disk. It blocks."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder that only its owner can enter, and those above it, and have them on the disk.

    What lies in a folder is lost with the entry that leads to it, however well it was synced.

    Raises:
        OSError: It cannot be made.
    """
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for made in reversed(missing):
        made.mkdir(mode=0o700, exist_ok=True)
        sync_folder(made.parent)
