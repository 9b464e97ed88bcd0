"""What a folder says of its demo: `secrets/demo.json`.

It has who may sign in, and the one password that all of them have. It is random, so that no two
demos share it.
"""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from wellio.config.settings import Config
from wellio.errors import WellioError
from wellio.keys.secret_files import FOLDER, replace_secret

FILE: Final = "demo.json"


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody who may sign in.

    Attributes:
        name: Their name.
        role: Their role.
        email: Their address.
    """

    name: str
    role: str
    email: str


@dataclass(frozen=True, slots=True)
class DemoPractice:
    """A practice that was filled.

    Attributes:
        password: Everybody's.
        logins: Who may sign in with it.
        ended_at: Until when it was lived, in milliseconds UTC; 0 while it is being filled.
        events: How many things happened.
        database: A hash of where it is, if that is another place than the folder.
    """

    password: str
    logins: list[Login]
    ended_at: int
    events: int
    database: str


def holds_demo(data_dir: Path) -> bool:
    """Tell whether a folder is a demo's, finished or not."""
    return path_of(data_dir).exists()


def read(config: Config) -> DemoPractice | None:
    """Return what the folder says of its demo, if it holds one.

    Raises:
        WellioError: Something stopped while it was filled, or its data are in another database.
    """
    data_dir = config.data_dir
    if not holds_demo(data_dir):
        return None
    practice = _practice(data_dir)
    if not practice.ended_at:
        raise WellioError(f"the demo in {data_dir} was not finished: {removal(config)}")
    if practice.database != database_of(config):
        raise WellioError(
            f"the demo of {data_dir} lies in another database: name that one by --database-url, "
            "or another folder by --data"
        )
    return practice


def lies_in_folder(data_dir: Path) -> bool:
    """Tell whether the demo of a folder has its database there."""
    return not _practice(data_dir).database


def write(config: Config, practice: DemoPractice) -> None:
    """Write down what the folder says from now on."""
    replace_secret(path_of(config.data_dir), orjson.dumps(asdict(practice)).decode())


def removal(config: Config) -> str:
    """Return what has to be done before the folder can hold another demo."""
    advice = f"delete {config.data_dir}"
    return f"{advice} and empty {database_name(config)}" if config.database.url else advice


def database_name(config: Config) -> str:
    """Return what people call the database; its URL may hold a password."""
    if config.database.url is None:
        return str(config.data_dir / "wellio.db")
    url = config.database.url.get_secret_value()
    if url.startswith("sqlite:///"):
        return url.removeprefix("sqlite:///")
    return f"the database {urlsplit(url).path.lstrip('/')}"


def path_of(data_dir: Path) -> Path:
    """Return where a folder says it."""
    return data_dir / FOLDER / FILE


def database_of(config: Config) -> str:
    """Return what tells databases apart; "" for the one in the folder. It may hold a password."""
    url = config.database.url
    return "" if url is None else hashlib.sha256(url.get_secret_value().encode()).hexdigest()[:16]


def _practice(data_dir: Path) -> DemoPractice:
    found: dict[str, Any] = orjson.loads(path_of(data_dir).read_bytes())
    return DemoPractice(**{**found, "logins": [Login(**it) for it in found["logins"]]})
