"""Secrets that others can read stop the start, each by its name; a journal survives a torn line."""

import os
from pathlib import Path

import pytest

from wellio import ConfigError
from wellio.keys.ring import MasterRing
from wellio.keys.secret_files import append_line, refuse_exposed, sweep


@pytest.fixture
def data(tmp_path: Path) -> Path:
    MasterRing.of_folder(tmp_path)
    (tmp_path / "keys.db").touch(0o600)
    return tmp_path


def test_what_the_first_start_makes_is_fine(data: Path, tmp_path: Path) -> None:
    refuse_exposed(data)
    refuse_exposed(tmp_path / "not made yet")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o620])
@pytest.mark.parametrize("name", ["secrets/master.key", "keys.db"])
def test_a_file_that_others_can_read_is_refused(data: Path, name: str, mode: int) -> None:
    (data / name).chmod(mode)
    file = Path(name).name
    with pytest.raises(ConfigError, match=rf"{file} can be read by other users: .*0600"):
        refuse_exposed(data)


def test_a_volume_with_modes_of_its_own_is_refused_before_a_secret_lies_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the first start makes them, and the second one refuses them."""
    make = os.open

    def forced(path: str, flags: int, mode: int = 0o777) -> int:
        handle = make(path, flags, mode)
        os.fchmod(handle, 0o644)
        return handle

    monkeypatch.setattr(os, "open", forced)
    with pytest.raises(ConfigError, match="volume that gives files modes of its own"):
        MasterRing.of_folder(tmp_path)
    assert list((tmp_path / "secrets").iterdir()) == []


def test_an_open_folder_is_refused_and_all_are_named(data: Path) -> None:
    (data / "secrets").chmod(0o750)
    (data / "secrets/node").touch(0o600)
    (data / "secrets/node").chmod(0o604)
    with pytest.raises(ConfigError) as caught:
        refuse_exposed(data)
    assert str(caught.value) == (
        "the folder secrets is open to other users: its mode must be 0700; "
        "node can be read by other users: its mode must be 0600"
    )


def test_what_a_kill_left_half_written_is_removed(data: Path) -> None:
    (data / "secrets/master.key.0123.part").touch(0o600)
    sweep(data)
    assert [path.name for path in (data / "secrets").iterdir()] == ["master.key"]


def test_a_line_is_on_the_disk_and_half_a_line_before_it_harms_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(os.fstat(handle).st_ino))
    path = tmp_path / "journal"
    append_line(path, "one")
    assert synced == [path.stat().st_ino, tmp_path.stat().st_ino]
    append_line(path, "two")
    assert path.read_text() == "one\ntwo\n"
    path.write_text("one\nhal")
    append_line(path, "three")
    assert path.read_text() == "one\nhal\nthree\n"
    assert path.stat().st_mode & 0o777 == 0o600
