"""Fills an empty practice with the demo, in a process of its own or before a server starts.

A practice is a demo when its folder says so: `secrets/demo.json` has who may sign in, and the one
password that all of them have. It is random, so that no two demos share it.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from wellio.app import WELLIO, Wellio, create_app
from wellio.clock import SystemClock
from wellio.config import Config, LimitsConfig
from wellio.errors import WellioError
from wellio.hookspecs import DemoPart
from wellio.keys.secret_files import FOLDER, replace_secret
from wellio.server import started

from .clock import DemoClock
from .life import DAY_MS, Demo, DemoSize
from .people import DemoPerson
from .settings import in_demo

FILE: Final = "demo.json"
SEED: Final = 1
_SYLLABLES: Final = [c + v for c in "bdfgklmnprstvz" for v in "aeiou"]
_WORDS, _WORD_LENGTH = 4, 3  # 73 bits


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


def read(config: Config) -> DemoPractice | None:
    """Return what the folder says of its demo, if it holds one.

    Raises:
        WellioError: Something stopped while it was filled, or its data are in another database.
    """
    data_dir = config.data_dir
    path = data_dir / FOLDER / FILE
    if not path.exists():
        return None
    found: dict[str, Any] = orjson.loads(path.read_bytes())
    practice = DemoPractice(**{**found, "logins": [Login(**it) for it in found["logins"]]})
    if not practice.ended_at:
        raise WellioError(f"the demo in {data_dir} was not finished: delete the folder")
    if practice.database != _database(config):
        raise WellioError(
            f"the demo of {data_dir} lies in another database: name that one by --database-url, "
            "or another folder by --data"
        )
    return practice


async def fill(
    config: Config,
    *,
    size: DemoSize | None = None,
    seed: int = SEED,
    end_ms: int | None = None,
    plugins: Sequence[object] | None = None,
) -> DemoPractice:
    """Fill an empty practice.

    Args:
        config: Its settings.
        size: How much; four coaches, forty clients and two years by default.
        seed: With the same one and the same end, the same life is lived.
        end_ms: When it ends; now by default.
        plugins: Exactly these; None takes all that are installed.

    Raises:
        WellioError: There is somebody in the practice already.
    """
    end_ms = SystemClock().now_ms() if end_ms is None else end_ms
    quick = in_demo(config, plugins).model_copy(update={"limits": LimitsConfig(enabled=False)})
    await _refuse_life(quick, plugins)
    # In a task of its own, which takes the clock's hands along when it ends.
    return await asyncio.create_task(_fill(quick, size or DemoSize(), seed, end_ms, plugins))


async def _fill(
    config: Config, size: DemoSize, seed: int, end_ms: int, plugins: Sequence[object] | None
) -> DemoPractice:
    clock = DemoClock(end_ms - size.days * DAY_MS)
    application = await create_app(config, plugins=plugins, clock=clock, workers=False)
    app = application[WELLIO]
    async with started(application, config):
        demo = Demo(app, clock, size, seed, end_ms, _password())
        path = config.data_dir / FOLDER / FILE
        database = _database(config)
        _write(path, DemoPractice(demo.password, [], 0, 0, database))
        for part in demo_parts(app):
            await asyncio.to_thread(part.plan, demo)  # two years take a second
        count = await demo.live()
        practice = DemoPractice(demo.password, _logins(demo.people), end_ms, count, database)
        _write(path, practice)
        await app.audit.seal()
    return practice


def demo_parts(app: Wellio) -> list[DemoPart]:
    """Return every plugin's part, in plugin order."""
    return [part for _, parts in app.plugins.ask("register_demo", app=app) for part in parts]


async def _refuse_life(config: Config, plugins: Sequence[object] | None) -> None:
    """Look at the practice by the true time, before the past is let in."""
    await asyncio.to_thread(_make_folder, config.data_dir)
    app = (await create_app(config, plugins=plugins, workers=False))[WELLIO]
    try:
        for part in demo_parts(app):
            if obstacle := await part.obstacle():
                where = "the database" if config.database.url else str(config.data_dir)
                raise WellioError(f"a demo needs an empty practice: {where} {obstacle}")
    finally:
        await app.db.close()


def _database(config: Config) -> str:
    """Return what tells databases apart; "" for the one in the folder. It may hold a password."""
    url = config.database.url
    return "" if url is None else hashlib.sha256(url.get_secret_value().encode()).hexdigest()[:16]


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise WellioError(f"the data folder {path} cannot be used: {error.strerror}") from error


def _password() -> str:
    """Return a password that can be read out and typed."""
    words = ("".join(map(secrets.choice, [_SYLLABLES] * _WORD_LENGTH)) for _ in range(_WORDS))
    return "-".join(words)


def _logins(people: list[DemoPerson]) -> list[Login]:
    return [
        Login(person.name, person.role, person.email)
        for person in people
        if person.user_id and person.can_sign_in
    ]


def _write(path: Path, practice: DemoPractice) -> None:
    replace_secret(path, orjson.dumps(asdict(practice)).decode())
