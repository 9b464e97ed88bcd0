"""`wellio serve --demo` and `wellio seed --demo`: a practice to look around in."""

import asyncio
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from wellio.boot.app import Wellio
from wellio.boot.presence import has_practice
from wellio.clock import SystemClock, rfc3339
from wellio.config.settings import Config, DatabaseConfig
from wellio.demo import DemoSize
from wellio.demo.filling import fill
from wellio.demo.record import DemoPractice, database_name, read, removal
from wellio.demo.settings import in_demo
from wellio.errors import WellioError
from wellio.observe.log import configure_logging, get_logger

from .commands import settings
from .server import Greeting, refuse_second
from .stopping import stop_signals, unless_stopped

FOLDER: Final = Path("data-demo")
_CLIENTS_SHOWN: Final = 3
_STALE_MS: Final = 3 * 86_400_000
_log = get_logger(__name__)


def demo_settings(
    config: Path | None, data: Path | None, given: Mapping[str, Any] | None = None
) -> Config:
    """Read the settings; the data lie apart from a real practice's, unless an option says where."""
    given = given or {}
    found = in_demo(settings(config, data or FOLDER, given))
    if given.get("database.url") is None:
        found = found.model_copy(update={"database": DatabaseConfig()})
    return found


async def before_serving(config: Config, stopping: asyncio.Event) -> Greeting:
    """Fill the folder unless it holds a demo already; return what tells who may sign in.

    Args:
        config: The settings.
        stopping: Breaks it off.

    Raises:
        WellioError: The folder is somebody's, was filled half, or has lost its database.
    """
    practice = read(config)
    if practice is None:
        _log.info("filling the demo practice, which takes a few seconds")
        practice = await unless_stopped(stopping, fill(config), _broken_off(config))
    elif not await has_practice(config):
        raise _lost(config)
    return partial(_greet, config, practice)


async def seed(config: Config, size: DemoSize, number: int) -> Mapping[str, Any]:
    """Fill an empty practice, and return what `wellio seed --demo` prints.

    Args:
        config: The settings.
        size: How much there shall be.
        number: The seed.

    Raises:
        WellioError: A server runs on the data folder, or it is not empty; or a signal came.
    """
    configure_logging("warning", config.log.format)
    await refuse_second(config)
    filling = fill(config, size=size, seed=number)
    practice = await unless_stopped(stop_signals(), filling, _broken_off(config))
    return {
        "data": str(config.data_dir),
        "events": practice.events,
        "password": practice.password,
        "logins": [
            {"role": login.role, "name": login.name, "email": login.email}
            for login in practice.logins
        ],
    }


async def _greet(config: Config, practice: DemoPractice, app: Wellio) -> str:
    """Return the notice, unless the people whom it would name are gone."""
    parts = app.hooks.of("register_demo")
    if practice.logins and parts and not [part for part in parts if await part.obstacle()]:
        raise _lost(config)
    return _notice(config, practice)


def _broken_off(config: Config) -> str:
    return f"stopped before the demo was finished: {removal(config)} before the next start"


def _lost(config: Config) -> WellioError:
    lost = f"the people of the demo in {config.data_dir} are gone from {database_name(config)}"
    return WellioError(f"{lost}: {removal(config)}")


def _notice(config: Config, practice: DemoPractice) -> str:
    """Return who may sign in, for whoever starts the server."""
    staff = [login for login in practice.logins if login.role != "client"]
    clients = [login for login in practice.logins if login.role == "client"]
    shown = [*staff, *clients[:_CLIENTS_SHOWN]]
    width = max(len(login.name) for login in shown)
    lines = [
        "",
        "This is a demo: everybody in it is made up, and no mail leaves this machine.",
        f"The password of all of them: {practice.password}",
        "",
        *(f"{login.role:<10} {login.name:<{width}}  {login.email}" for login in shown),
    ]
    if len(clients) > _CLIENTS_SHOWN:
        more = len(clients) - _CLIENTS_SHOWN
        lines.append(f"and {more} more clients; the owner sees all of them")
    if practice.ended_at < SystemClock().now_ms() - _STALE_MS:
        ended = rfc3339(practice.ended_at)[:10]
        lines += ["", f"It ends on {ended}: {removal(config)} for one that ends today."]
    return "\n".join(lines)
