"""The master keys in their file or setting: made once, whole, the newest first, gone in time."""

import os
import stat
from pathlib import Path

import pytest

from wellio import ConfigError, WellioError
from wellio.keys.ring import MasterRing

A = "5f3759df1b873593cc9e2d51e6546b64c2b2ae35d85ebca6a0761d6478bd642f"
B = "9e3779b97f4a7c15bf58476d1ce4e5b994d049bb133111ebd6e8feb86659fd93"
NOW = 1_780_000_000_000


def test_the_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    [key] = MasterRing.of_folder(tmp_path).keys
    assert len(key.secret) == 32
    assert MasterRing.of_folder(tmp_path).newest == key
    path = tmp_path / "secrets" / "master.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_start_that_is_killed_leaves_a_whole_key_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And its place in the folders is on the disk before anything is sealed with it."""
    path, sync = tmp_path / "secrets" / "master.key", os.fsync
    synced: list[tuple[int, bool]] = []

    def watch(descriptor: int) -> None:
        synced.append((os.fstat(descriptor).st_ino, path.exists()))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", watch)
    MasterRing.of_folder(tmp_path)
    assert synced == [
        (tmp_path.stat().st_ino, False),  # the folder stays
        (path.stat().st_ino, False),  # whole and on the disk before it has its name
        (path.parent.stat().st_ino, True),
    ]
    assert list(path.parent.iterdir()) == [path]


def test_a_new_key_seals_only_once_it_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = MasterRing.of_folder(tmp_path)
    first, sync = ring.newest, os.fsync
    seals: list[bool] = []

    def watch(descriptor: int) -> None:
        seals.append(ring.newest != first)
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", watch)
    ring.add(NOW)
    assert seals == [False, False]
    assert ring.newest != first
    path = tmp_path / "secrets" / "master.key"
    assert list(path.parent.iterdir()) == [path]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_new_key_that_cannot_be_written_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = MasterRing.of_folder(tmp_path)
    first = ring.newest

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="No space"):
            ring.add(NOW)
    assert [ring.newest] == list(ring.keys) == [first]
    assert MasterRing.of_folder(tmp_path).keys == (first,)
    assert len(list((tmp_path / "secrets").iterdir())) == 1


def test_old_keys_are_dropped_from_the_file_when_their_time_is_up(tmp_path: Path) -> None:
    ring = MasterRing.of_folder(tmp_path)
    ring.add(NOW)
    ring.add(NOW + 10)
    read = MasterRing.of_folder(tmp_path)
    assert [key.retired_at for key in read.keys] == [None, NOW + 10, NOW]
    assert read.keys == ring.keys
    assert ring.drop(NOW - 1) == 0
    assert ring.drop(NOW) == 1
    assert ring.keys == MasterRing.of_folder(tmp_path).keys == read.keys[:2]
    assert ring.drop(NOW + 10**12) == 1  # and never the one that seals
    assert ring.keys == MasterRing.of_folder(tmp_path).keys == read.keys[:1]


def test_a_setting_holds_several_keys_and_is_not_ours_to_change() -> None:
    ring = MasterRing.of_setting(f"{A}, {B},{A}")
    assert [key.secret.hex() for key in ring.keys] == [A, B]
    with pytest.raises(WellioError, match="is a setting"):
        ring.add(NOW)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("", "line 1: expected 64 hexadecimal digits"),
        ("00", "line 1: expected 64 hexadecimal digits"),
        (f"{A}\n{'zz' * 32}", "line 2: expected 64 hexadecimal digits"),
        (A + "00", "line 1: expected 64 hexadecimal digits"),
        ("00" * 32, "line 1: .*not random"),
        (f"{A}\n{B} retired soon", "line 2: must be an RFC 3339 instant"),
        (f"{A} {B}", "line 1: expected 64 hexadecimal digits"),
    ],
)
def test_a_malformed_file_is_refused_by_its_line_and_not_echoed(
    tmp_path: Path, text: str, expected: str
) -> None:
    MasterRing.of_folder(tmp_path)
    (tmp_path / "secrets/master.key").write_text(text)
    with pytest.raises(ConfigError, match=rf"master\.key, {expected}") as caught:
        MasterRing.of_folder(tmp_path)
    assert not {A, B, *text.split()} & set(str(caught.value).split())
