"""Files that hold a secret: only their owner can read them, and a power cut leaves them whole."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from wellio.errors import ConfigError
from wellio.files.durability import make_folder, sync_folder

FOLDER = "secrets"


def write_secret(path: Path, text: str) -> None:
    """Write a new file that only its owner can read; an existing one is kept.

    It is there whole or not at all, whenever the process or the machine stops, and stays once this
    returns: what is sealed under a key that got lost would be lost with it.

    Raises:
        FileExistsError: It is there already.
    """
    part = _written_part(path, text)
    try:
        path.hardlink_to(part)  # unlike a rename, it never replaces
    finally:
        part.unlink()
    sync_folder(path.parent)


def replace_secret(path: Path, text: str) -> None:
    """Put a new text in the place of a file: a reader finds the old or the new one, whole."""
    part = _written_part(path, text)
    try:
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(path.parent)


def sweep(data_dir: Path) -> None:
    """Remove what a killed process had not finished writing; nobody else writes here now."""
    for part in (data_dir / FOLDER).glob("*.part"):
        part.unlink()


def append_line(path: Path, line: str) -> None:
    """Add a line to a file that only its owner can read; it is on the disk when this returns."""
    is_new = not path.exists()
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 1))
        if file.read(1) not in {b"", b"\n"}:  # a power cut left half a line
            line = f"\n{line}"
        file.write(f"{line}\n".encode())
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        sync_folder(path.parent)


def refuse_exposed(data_dir: Path) -> None:
    """Stop unless the secrets in the data folder are their owner's alone.

    Raises:
        ConfigError: Others can read some of them; each is named.
    """
    exposed = list(_exposed(data_dir))
    if exposed:
        raise ConfigError("; ".join(exposed))


def _exposed(data_dir: Path) -> Iterator[str]:
    folder = data_dir / FOLDER
    if folder.is_dir():
        if folder.stat().st_mode & 0o077:
            yield f"the folder {FOLDER} is open to other users: its mode must be 0700"
        for path in sorted(folder.iterdir()):
            if path.stat().st_mode & 0o077:
                yield f"{path.name} can be read by other users: its mode must be 0600"
    for path in sorted(data_dir.glob("keys.db*")):
        if path.stat().st_mode & 0o077:
            yield f"{path.name} can be read by other users: its mode must be 0600"


def _written_part(path: Path, text: str) -> Path:
    make_folder(path.parent)
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            if os.fstat(handle).st_mode & 0o077:  # before a secret is in it
                raise ConfigError(
                    f"{path.parent} is on a volume that gives files modes of its own, and others "
                    "could read the secrets there: mount it with modes 0700 and 0600, or put "
                    "data_dir elsewhere"
                )
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        part.unlink()
        raise
    return part
