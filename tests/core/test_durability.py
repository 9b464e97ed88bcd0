"""What is synced, and in which order: the content, then the name, then the folder that has it.

A power cut cannot be tried here. What can be looked at is what the kernel is asked for.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from wellio.audit.anchors import AnchorFile
from wellio.db import connect
from wellio.files.storage import FolderStorage
from wellio.keys.people import PersonErased
from wellio.keys.secret_files import append_line, replace_secret, write_secret
from wellio.mail.mailbox import Mailbox
from wellio.testing.plugin import StartApp

pytestmark = pytest.mark.sqlite("it is about files")
KEY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Disk:
    """Notes what is asked of the disk, by paths within a folder."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.failing = ""  # a file whose sync fails
        self._folder = folder
        for name in ("rename", "replace", "link"):
            patch.setattr(os, name, self._noting(name, getattr(os, name)))
        sync = os.fsync

        def noted(descriptor: int) -> None:
            path = self._name(Path(f"/proc/self/fd/{descriptor}").readlink())
            if self.failing and path.endswith(self.failing):
                raise OSError(5, "Input/output error")
            self.asked.append(f"sync {path}")
            sync(descriptor)

        patch.setattr(os, "fsync", noted)

    def _noting(self, name: str, real: Callable[..., None]) -> Callable[..., None]:
        def noted(source: Any, target: Any, **options: Any) -> None:
            self.asked.append(f"{name} {self._name(source)} {self._name(target)}")
            real(source, target, **options)

        return noted

    def _name(self, path: str | Path) -> str:
        name = os.path.relpath(path, self._folder)
        name = re.sub(r"\.[0-9a-f]{8}\.part", ".part", name)
        key = KEY.search(name)
        return name.replace(key[0], "KEY").replace(f"/{key[0][-2:]}", "/SHELF") if key else name


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(tmp_path, monkeypatch)


async def store_a_file(folder: Path) -> None:
    storage = FolderStorage(folder / "files")

    async def content() -> AsyncIterator[bytes]:
        yield b"content"

    await storage.put(content(), max_bytes=100)
    await storage.close()


async def file_a_mail(folder: Path) -> None:
    message = EmailMessage()
    message["To"] = "anna@x.example"
    await Mailbox(folder / "mailbox").deliver(message, "anna@x.example", "key")


async def sign(folder: Path) -> None:
    AnchorFile(folder / "audit.anchors").append("line")


async def note(folder: Path) -> None:
    append_line(folder / "journal", "first")
    append_line(folder / "journal", "second")


async def make_a_secret(folder: Path) -> None:
    write_secret(folder / "secrets/key", "text")


async def change_a_secret(folder: Path) -> None:
    replace_secret(folder / "secrets/key", "text")


@pytest.mark.parametrize(
    "act, expected",
    [
        (
            store_a_file,
            [
                *("sync .", "sync files"),  # the folders that lead there
                "sync files/incoming/KEY",
                "sync files",
                "rename files/incoming/KEY files/SHELF/KEY",
                "sync files/SHELF",
            ],
        ),
        (
            file_a_mail,
            [
                *("sync .", "sync mailbox/key.eml.part"),
                *("link mailbox/key.eml.part mailbox/key.eml", "sync mailbox"),
            ],
        ),
        (sign, ["sync audit.anchors", "sync ."]),
        (note, ["sync journal", "sync .", "sync journal"]),
        (
            make_a_secret,
            [
                *("sync .", "sync secrets/key.part"),
                *("link secrets/key.part secrets/key", "sync secrets"),
            ],
        ),
        (
            change_a_secret,
            [
                *("sync .", "sync secrets/key.part"),
                *("replace secrets/key.part secrets/key", "sync secrets"),
            ],
        ),
    ],
)
async def test_content_then_name_then_folder(
    disk: Disk, tmp_path: Path, act: Callable[[Path], Awaitable[None]], expected: list[str]
) -> None:
    await act(tmp_path)
    assert [re.sub(r"files/[0-9a-f]{2}$", "files/SHELF", it) for it in disk.asked] == expected


async def test_a_new_database_stays_in_its_new_folder(disk: Disk, tmp_path: Path) -> None:
    await (await connect(None, data_dir=tmp_path / "a/data")).close()
    ours = [it for it in disk.asked if "-" not in it]
    assert ours[:3] == ["sync .", "sync a", "sync a/data"]
    backup = tmp_path / "copy.db"
    db = await connect(None, data_dir=tmp_path / "a/data")
    await db.backup(backup)
    await db.close()
    assert disk.asked[-2:] == ["replace copy.db.part copy.db", "sync ."]


async def test_the_journal_stands_before_the_erasure_that_it_tells_of(
    wellio_app: StartApp, disk: Disk
) -> None:
    """Else a restored backup would not be told whom to forget."""
    keys = (await wellio_app(plugins=[])).app.keys
    sealed = await keys.seal("ann", "note", b"plain")
    disk.failing = "erasures.jsonl"
    with pytest.raises(OSError, match="Input/output"):
        await keys.erase("ann")
    assert await keys.unseal("ann", "note", sealed) == b"plain"
    disk.failing = ""
    await asyncio.gather(keys.erase("ann"), keys.erase("ann"))
    with pytest.raises(PersonErased):
        await keys.unseal("ann", "note", sealed)
