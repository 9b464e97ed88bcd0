"""Fills an empty practice with the demo, in a process of its own or before a server starts."""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from aiohttp import web

from wellio.boot.app import WELLIO
from wellio.boot.assembly import create_app
from wellio.boot.hookspecs import DemoPart
from wellio.boot.loader import load_plugins
from wellio.boot.plugin import BrokenPluginError
from wellio.boot.server import started
from wellio.clock import SystemClock
from wellio.config.settings import Config, LimitsConfig
from wellio.errors import WellioError

from .clock import DemoClock
from .life import DAY_MS, Demo, DemoFailed, DemoSize
from .people import DemoPerson
from .record import DemoPractice, Login, database_of, read, write
from .settings import in_demo
from .vacancy import refuse_begun, refuse_used

SEED: Final = 1
_SYLLABLES: Final = [c + v for c in "bdfgklmnprstvz" for v in "aeiou"]
_WORDS, _WORD_LENGTH = 4, 3  # 73 bits


async def fill(
    config: Config,
    *,
    size: DemoSize | None = None,
    seed: int = SEED,
    end_ms: int | None = None,
    plugins: Sequence[object] | None = None,
) -> DemoPractice:
    """Fill an empty folder, and an empty database if that is elsewhere.

    From the first thing that it writes, the folder says that it is a demo's.

    Args:
        config: Its settings.
        size: How much; four coaches, forty clients and two years by default.
        seed: With the same one and the same end, the same life is lived.
        end_ms: When it ends; now by default.
        plugins: Exactly these; None takes all that are installed.

    Raises:
        WellioError: There is something already; it is as it was.
    """
    end_ms = SystemClock().now_ms() if end_ms is None else end_ms
    config = in_demo(config, plugins).model_copy(update={"limits": LimitsConfig(enabled=False)})
    if plugins is None:
        _refuse_silence(config)
    await asyncio.to_thread(_refuse_used, config)
    await refuse_begun(config)
    await asyncio.to_thread(_make_folder, config.data_dir)
    begun = DemoPractice(_password(), [], 0, 0, database_of(config))
    await asyncio.to_thread(write, config, begun)
    # In a task of its own, which takes the clock's hands along when it ends.
    filling = _fill(config, begun, size or DemoSize(), seed, end_ms, plugins)
    return await asyncio.create_task(filling)


async def _fill(
    config: Config,
    begun: DemoPractice,
    size: DemoSize,
    seed: int,
    end_ms: int,
    plugins: Sequence[object] | None,
) -> DemoPractice:
    clock = DemoClock(end_ms - size.days * DAY_MS)

    async def create(broken: Sequence[BrokenPluginError]) -> web.Application:
        return await create_app(config, plugins=plugins, clock=clock, workers=False, broken=broken)

    async with started(create, config) as runner:
        app = runner.app[WELLIO]
        parts = app.hooks.of("register_demo")
        await _refuse_life(config, parts)
        demo = Demo(app, clock, size, seed, end_ms, begun.password)
        for part in parts:
            await asyncio.to_thread(_plan, part, demo)  # two years take a second
        count = await demo.live()
        await app.bus.settled()  # the mails that it wants lie in its mailbox then
        logins = _logins(demo.people)
        practice = replace(begun, logins=logins, ended_at=end_ms, events=count)
        await asyncio.to_thread(write, config, practice)
        await app.audit.seal()
    return practice


def _plan(part: DemoPart, demo: Demo) -> None:
    try:
        part.plan(demo)
    except Exception as error:
        raise DemoFailed(part.plan, error, None) from error


def _refuse_silence(config: Config) -> None:
    """Stop before anything is written if no plugin that is installed has anything to tell."""
    loaded = load_plugins(config).loaded
    if not any(hasattr(entry.module, "register_demo") for entry in loaded):
        raise WellioError(
            "there is nobody to fill a demo with: no plugin that is loaded has register_demo "
            "(is `demo` in [loader] disabled?)"
        )


def _refuse_used(config: Config) -> None:
    """Stop at whatever is there, a demo or somebody's practice."""
    if read(config) is not None:
        data = config.data_dir
        raise WellioError(
            f"{data} is a demo already: `wellio serve --demo --data {data}` shows who may sign in"
        )
    refuse_used(config.data_dir)


async def _refuse_life(config: Config, parts: Sequence[DemoPart]) -> None:
    """Stop if a plugin has something that it keeps elsewhere."""
    for part in parts:
        if obstacle := await part.obstacle():
            where = "the database" if config.database.url else str(config.data_dir)
            raise WellioError(f"a demo needs an empty practice: {where} {obstacle}")


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
