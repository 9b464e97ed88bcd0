"""The ring of master keys: the newest one seals, the older ones still open what they sealed.

It lies in `<data>/secrets/master.key` (mode 0600), a key in each line and the newest first, or
comes from the setting `[secrets] master_key`, with commas between. What is sealed names its key,
so a new key can be put in front at any time, and an old one taken out once nothing names it.
"""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Self

from wellio.clock import parse_rfc3339, rfc3339
from wellio.config.strength import is_monotonous
from wellio.errors import ConfigError, WellioError

from .box import KEY_BYTES, BoxError, hkdf, open_box, shut
from .secret_files import FOLDER, replace_secret, write_secret

FILE: Final = "master.key"
EXPECTED: Final = f"expected {KEY_BYTES * 2} hexadecimal digits (openssl rand -hex {KEY_BYTES})"
_ID_BYTES: Final = 8
_RETIRED: Final = " retired "


@dataclass(frozen=True, slots=True)
class MasterKey:
    """One key of the ring.

    Attributes:
        secret: The key itself: 32 random bytes.
        retired_at: When a newer one took its place, in milliseconds UTC; None where nobody noted
            it, as in a setting.
    """

    secret: bytes = field(repr=False)
    retired_at: int | None = None

    @classmethod
    def parse(cls, text: str, retired_at: int | None = None) -> Self:
        """Read a key.

        Raises:
            ValueError: It is no key, or one that somebody could guess; the message says so.
        """
        try:
            secret = bytes.fromhex(text)
        except ValueError:
            secret = b""
        if len(secret) != KEY_BYTES:
            raise ValueError(EXPECTED)
        if is_monotonous(secret):
            raise ValueError(f"{EXPECTED}; these digits are not random")
        return cls(secret, retired_at)

    @property
    def id(self) -> bytes:
        """Return the key's short name, which tells nothing about the key."""
        return hashlib.sha256(b"wellio/key id" + self.secret).digest()[:_ID_BYTES]


class MasterRing:
    """The master keys of a practice.

    Attributes:
        path: The file that holds them; None when a setting does.
    """

    def __init__(self, keys: Sequence[MasterKey], path: Path | None = None) -> None:
        self._keys = tuple(keys)
        self.path = path

    @classmethod
    def of_setting(cls, text: str) -> Self:
        """Read a ring out of a setting.

        Raises:
            ValueError: One of its keys is none.
        """
        keys = [MasterKey.parse(part.strip()) for part in text.split(",")]
        return cls(_distinct(keys))

    @classmethod
    def of_folder(cls, data_dir: Path, *, is_used: bool = False) -> Self:
        """Read the ring out of the data folder, making its first key if there is none.

        Args:
            data_dir: The folder.
            is_used: Whether there is a database that was used with a key: then none is made, for it
                would be a wrong one in the place of the right one.

        Raises:
            ConfigError: The file is malformed, and the message names the line; or it is missing.
        """
        path = data_dir / FOLDER / FILE
        if not path.exists():
            if is_used:
                raise ConfigError(
                    f"{path} is missing, and this database was used with a master key: "
                    "put the file back from where you keep it, or set secrets.master_key"
                )
            write_secret(path, cls.new_key_text())
        return cls(_distinct(_parse(path.read_text())), path)

    @staticmethod
    def new_key_text() -> str:
        """Return a new key as a file or a setting has it."""
        return secrets.token_hex(KEY_BYTES)

    @property
    def keys(self) -> Sequence[MasterKey]:
        """Return all keys, the newest first."""
        return self._keys

    @property
    def newest(self) -> MasterKey:
        """Return the key that seals."""
        return self._keys[0]

    def add(self, now_ms: int) -> None:
        """Put a new key in front; it seals only once its file is on the disk. It blocks.

        Raises:
            WellioError: The ring is a setting, which only its owner can change.
        """
        older = [
            key if key.retired_at is not None else replace(key, retired_at=now_ms)
            for key in self._keys
        ]
        self._store([MasterKey.parse(self.new_key_text()), *older])

    def drop(self, retired_until: int) -> int:
        """Forget the keys that were retired until then, and return how many. It blocks.

        Raises:
            WellioError: The ring is a setting.
        """
        kept = [
            key for key in self._keys if key.retired_at is None or key.retired_at > retired_until
        ]
        dropped = len(self._keys) - len(kept)
        if dropped:
            self._store(kept)
        return dropped

    def seal(self, purpose: str, plain: bytes, *context: str) -> bytes:
        """Encrypt under the newest key; it opens only for the same purpose and context."""
        key = self.newest
        return key.id + shut(hkdf(key.secret, purpose), plain, purpose, *context)

    def unseal(self, purpose: str, sealed: bytes, *context: str) -> bytes:
        """Decrypt what `seal` made for the same purpose and context.

        Raises:
            WellioError: It was made with a key that is not here, for something else, or changed.
        """
        for key in self._keys:
            if key.id == sealed[:_ID_BYTES]:
                try:
                    box = sealed[_ID_BYTES:]
                    return open_box(hkdf(key.secret, purpose), box, purpose, *context)
                except BoxError:
                    break
        raise WellioError(
            f"a stored secret ({purpose}) does not open with this practice's master key"
        )

    def reseal(self, purpose: str, sealed: bytes, *context: str) -> bytes | None:
        """Seal anew what an older key sealed; None where the newest did.

        Raises:
            WellioError: It does not open.
        """
        if sealed[:_ID_BYTES] == self.newest.id:
            return None
        return self.seal(purpose, self.unseal(purpose, sealed, *context), *context)

    def _store(self, keys: Sequence[MasterKey]) -> None:
        if self.path is None:
            raise WellioError("the master key is a setting: change it where it is set")
        replace_secret(self.path, "\n".join(map(_line, keys)))
        self._keys = tuple(keys)


def has_master_key(data_dir: Path) -> bool:
    """Tell whether a folder has a ring in it."""
    return (data_dir / FOLDER / FILE).exists()


def _line(key: MasterKey) -> str:
    retired = f"{_RETIRED}{rfc3339(key.retired_at)}" if key.retired_at is not None else ""
    return key.secret.hex() + retired


def _parse(text: str) -> Iterable[MasterKey]:
    lines = text.splitlines() or [""]
    for number, line in enumerate(lines, 1):
        digits, mark, retired = line.strip().partition(_RETIRED)
        try:
            yield MasterKey.parse(digits, parse_rfc3339(retired) if mark else None)
        except ValueError as error:
            raise ConfigError(f"{FILE}, line {number}: {error}") from None


def _distinct(keys: Iterable[MasterKey]) -> list[MasterKey]:
    """Leave out a key that stands there again."""
    distinct: dict[bytes, MasterKey] = {}
    for key in keys:
        distinct.setdefault(key.secret, key)
    return list(distinct.values())
