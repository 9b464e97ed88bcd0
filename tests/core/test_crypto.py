"""The master key is made once, kept to its owner, and every purpose has a key of its own."""

import os
import stat
from pathlib import Path

import pytest

from wellio import ConfigError, Crypto, WellioError
from wellio.crypto import load_master_key


def test_the_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    key = load_master_key(tmp_path, None)
    assert len(key) == 32
    assert load_master_key(tmp_path, None) == key
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
    load_master_key(tmp_path, None)
    assert synced == [
        (path.stat().st_ino, False),  # whole and on the disk before it has its name
        (path.parent.stat().st_ino, True),
        (tmp_path.stat().st_ino, True),
    ]
    assert list(path.parent.iterdir()) == [path]


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    load_master_key(tmp_path, None)
    (tmp_path / "secrets" / "master.key").chmod(0o644)
    with pytest.raises(ConfigError, match=r"master\.key.*0600"):
        load_master_key(tmp_path, None)


@pytest.mark.parametrize("text", ["", "00", "zz" * 32, "00" * 33])
def test_a_malformed_key_is_refused_by_the_settings_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"secrets\.master_key: expected 64") as caught:
        load_master_key(tmp_path, text)
    assert not text or text not in str(caught.value)


def test_each_purpose_has_its_own_key() -> None:
    crypto = Crypto(b"k" * 32)
    assert crypto.derive("auth.refresh") == Crypto(b"k" * 32).derive("auth.refresh")
    assert crypto.derive("auth.refresh") != crypto.derive("auth.pepper")
    assert crypto.derive("auth.refresh") != Crypto(b"l" * 32).derive("auth.refresh")
    assert len(crypto.derive("auth.refresh", 48)) == 48


def test_what_is_sealed_opens_only_unchanged_with_the_same_key_and_purpose() -> None:
    crypto = Crypto(b"k" * 32)
    sealed = crypto.seal("auth.key", b"private")
    assert crypto.unseal("auth.key", sealed) == b"private"
    assert crypto.seal("auth.key", b"private") != sealed
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for other, purpose, body in [
        (crypto, "auth.other", sealed),
        (Crypto(b"l" * 32), "auth.key", sealed),
        (crypto, "auth.key", changed),
        (crypto, "auth.key", b""),
    ]:
        with pytest.raises(WellioError, match="does not open"):
            other.unseal(purpose, body)
