"""Files: whole or not there, found again by key alone, and gone when they are deleted."""

import asyncio
import hashlib
import os
import random
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, rule

from tests.children import child
from wellio.errors import NotFound, PayloadTooLarge
from wellio.files.storage import CHUNK_BYTES, FolderStorage
from wellio.testing import DEADLINE_S

ROOT = Path(__file__).parents[3]
MAX = 10 * CHUNK_BYTES


async def pieces(*content: bytes) -> AsyncIterator[bytes]:
    for piece in content:
        yield piece


async def whole(storage: FolderStorage, key: str, *span: int) -> bytes:
    return b"".join([piece async for piece in storage.read(key, *span)])


def left_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[FolderStorage]:
    storage = FolderStorage(tmp_path / "files")
    await storage.open()
    yield storage
    await storage.close()


@pytest.mark.parametrize(
    "content",
    [
        (),
        (b"",),
        (b"a",),
        (b"x" * CHUNK_BYTES,),
        (b"x" * (CHUNK_BYTES + 1), b"y"),
        tuple(bytes([n]) for n in range(256)),
        (b"z" * (3 * CHUNK_BYTES - 1),),
    ],
    ids=lambda content: f"{sum(map(len, content))} bytes",
)
async def test_what_was_put_is_read(storage: FolderStorage, content: tuple[bytes, ...]) -> None:
    joined = b"".join(content)
    stored = await storage.put(pieces(*content), max_bytes=MAX)
    assert (stored.size, stored.sha256) == (len(joined), hashlib.sha256(joined).hexdigest())
    assert await whole(storage, stored.key) == joined
    found = await storage.find(stored.key)
    assert found is not None
    assert (found.key, found.size) == (stored.key, stored.size)
    assert 0 <= found.age_s < 3600


async def test_a_part_of_a_file_is_read(storage: FolderStorage) -> None:
    content = random.Random(1).randbytes(2 * CHUNK_BYTES + 7)  # noqa: S311 - chance, not a secret
    key = (await storage.put(pieces(content), max_bytes=MAX)).key
    end = len(content)
    for start, stop in ((0, 1), (5, 5), (CHUNK_BYTES - 1, CHUNK_BYTES + 1), (7, end), (0, end + 9)):
        assert await whole(storage, key, start, stop) == content[start:stop]
    assert await whole(storage, key, end) == b""
    assert max([len(piece) async for piece in storage.read(key)]) <= CHUNK_BYTES


@pytest.mark.parametrize(
    "key", ["01890000-0000-7000-8000-000000000000", "../../etc/passwd", "", "incoming", "a\0b", "."]
)
async def test_what_is_not_there_is_not_found(storage: FolderStorage, key: str) -> None:
    with pytest.raises(NotFound):
        await whole(storage, key)
    assert await storage.find(key) is None
    await storage.delete(key)


async def test_only_its_owner_can_read_a_file(storage: FolderStorage, tmp_path: Path) -> None:
    await storage.put(pieces(b"a"), max_bytes=MAX)
    for path in (tmp_path / "files").rglob("*"):
        expected = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == expected, path


async def test_too_much_is_refused_while_it_comes(storage: FolderStorage, tmp_path: Path) -> None:
    asked = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal asked
        while True:
            asked += 1
            yield b"x" * 1000

    with pytest.raises(PayloadTooLarge):
        await storage.put(endless(), max_bytes=CHUNK_BYTES)
    assert asked < 1000
    await storage.close()
    assert left_in(tmp_path) == []


async def test_a_sender_who_leaves_leaves_nothing(storage: FolderStorage, tmp_path: Path) -> None:
    begun = asyncio.Event()

    async def stuck() -> AsyncIterator[bytes]:
        yield b"x" * CHUNK_BYTES
        begun.set()
        await asyncio.Event().wait()

    async def broken() -> AsyncIterator[bytes]:
        yield b"x" * CHUNK_BYTES
        raise ConnectionResetError

    putting = asyncio.create_task(storage.put(stuck(), max_bytes=MAX))
    await asyncio.wait_for(begun.wait(), DEADLINE_S)
    putting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await putting
    with pytest.raises(ConnectionResetError):
        await storage.put(broken(), max_bytes=MAX)
    await storage.close()
    assert left_in(tmp_path) == []


FULL = """
import asyncio, resource, signal, sys
from pathlib import Path
from wellio.files.storage import FolderStorage
from wellio.errors import Unavailable

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))

async def content(size):
    yield b"x" * size

async def main():
    storage = FolderStorage(Path(sys.argv[1]))
    await storage.open()
    try:
        await storage.put(content(500_000), max_bytes=1_000_000)
    except Unavailable as error:
        print(error.code, error.status)
    await storage.put(content(300_000), max_bytes=1_000_000)
    await storage.close()

asyncio.run(main())
"""


def test_no_room_is_a_503_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=50,
    )  # fmt: skip
    assert done.stdout.split() == ["storage_full", "503"]
    assert [path.stat().st_size for path in left_in(tmp_path)] == [300_000]


@pytest.mark.parametrize("lives", [3, pytest.param(100, marks=pytest.mark.prove)])
@pytest.mark.timeout(900)
async def test_what_put_returned_survives_a_kill(tmp_path: Path, lives: int) -> None:
    acknowledged: list[list[str]] = []
    for _ in range(lives):
        async with child(
            *(sys.executable, "-m", "tests.core.storage.victim", str(tmp_path)),
            stdout=asyncio.subprocess.PIPE,
            cwd=ROOT,
        ) as victim:
            assert victim.stdout is not None
            said = b""
            for _ in range(random.randint(3, 20)):  # noqa: S311 - chance, not a secret
                said += await victim.stdout.readline()
            victim.kill()
            said += await victim.stdout.read()
        acknowledged += [line.split() for line in said.decode().splitlines()]
    storage = FolderStorage(tmp_path)
    await storage.open()
    for key, size, sha256 in (words for words in acknowledged if len(words) == 3):
        content = await whole(storage, key)
        assert (str(len(content)), hashlib.sha256(content).hexdigest()) == (size, sha256)
    listed = {found.key: found.size async for found in storage.list()}
    assert set(listed.values()) == {400_000}  # also those that were not acknowledged are whole
    assert len(left_in(tmp_path)) == len(listed)
    await storage.close()


class Model(RuleBasedStateMachine):
    """Storage does what a dict does."""

    keys = Bundle("keys")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = Path(os.environ["WELLIO_TEST_FOLDER"]) / os.urandom(8).hex()
        self.storage = FolderStorage(self.folder)
        self.model: dict[str, bytes] = {}

    @rule(target=keys, content=st.lists(st.binary(max_size=50), max_size=4))
    def put(self, content: list[bytes]) -> str:
        stored = self.loop.run_until_complete(self.storage.put(pieces(*content), max_bytes=MAX))
        self.model[stored.key] = b"".join(content)
        return stored.key

    @rule(key=keys)
    def delete(self, key: str) -> None:
        self.loop.run_until_complete(self.storage.delete(key))
        self.model.pop(key, None)

    @rule(key=keys, start=st.integers(0, 60), length=st.integers(0, 60))
    def read(self, key: str, start: int, length: int) -> None:
        reading = whole(self.storage, key, start, start + length)
        if key in self.model:
            expected = self.model[key][start : start + length]
            assert self.loop.run_until_complete(reading) == expected
        elif length:
            with pytest.raises(NotFound):
                self.loop.run_until_complete(reading)
        else:
            reading.close()

    @rule()
    def list(self) -> None:
        async def listed() -> dict[str, int]:
            return {found.key: found.size async for found in self.storage.list()}

        expected = {key: len(content) for key, content in self.model.items()}
        assert self.loop.run_until_complete(listed()) == expected

    def teardown(self) -> None:
        self.loop.run_until_complete(self.storage.close())
        self.loop.close()


def test_it_is_a_dict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WELLIO_TEST_FOLDER", str(tmp_path))
    profile = settings(max_examples=15, stateful_step_count=12, deadline=None)
    Model.TestCase.settings = profile
    Model.TestCase().runTest()
