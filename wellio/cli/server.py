"""Runs the app: listening, for one command, or only to look at it."""

import asyncio
import gc
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from aiohttp import web

from wellio.boot import control
from wellio.boot.access import refuse_foreign
from wellio.boot.app import WELLIO, Wellio
from wellio.boot.assembly import create_app
from wellio.boot.plugin import BrokenPluginError
from wellio.boot.plugins import Plugins
from wellio.boot.presence import is_there
from wellio.boot.server import bind, raise_file_limit, serving, started
from wellio.config.settings import AuditConfig, Config, DatabaseConfig, ServerConfig, StorageConfig
from wellio.demo.settings import of_folder
from wellio.errors import NoPractice, WellioError
from wellio.files.durability import make_folder
from wellio.http import Http
from wellio.observe.examinations.listing import at_start
from wellio.observe.log import configure_logging, get_logger

from .operations import operations_of
from .stopping import stop_signals

_HEALTH_TIMEOUT_S = 5
_NEW_OBJECTS = 20_000  # so many more made than freed begin a collection; Python's own is 700
_log = get_logger(__name__)
Greeting = Callable[[Wellio], Awaitable[str]]
Before = Callable[[Config, asyncio.Event], Awaitable[Greeting]]


def run(
    config: Config, *, as_json: bool, before: Before | None = None, is_new: bool = False
) -> None:
    """Serve until SIGTERM or SIGINT; a second signal ends the process at once.

    Args:
        config: The settings.
        as_json: Whether to say where it listens in JSON.
        before: Is done first, once the port is taken, until the event is set; what its answer says
            of the app is shown with the address.
        is_new: Whether to begin an empty practice in a folder that was used with another database.
    """
    configure_logging(config.log.level, config.log.format)
    raise_file_limit()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(config, as_json=as_json, before=before, is_new=is_new))


async def _serve(config: Config, *, as_json: bool, before: Before | None, is_new: bool) -> None:
    await refuse_second(config)
    listener, config = bind(config)
    stopping = stop_signals()
    with closing(listener):
        greeting = await before(config, stopping) if before else None
        create = partial(_create, config, is_new=is_new)
        async with serving(create, config, listener) as app:
            plugins = app.hooks.plugins
            for found in await at_start(app):
                _log.warning(found.detail, advice=found.advice)
            async with control.listen(app, operations_of(plugins)):
                notices = [*await _notices(app), *([await greeting(app)] if greeting else [])]
                _announce(config.server, notices, as_json=as_json)
                _spare_collections()
                await stopping.wait()


async def _notices(app: Wellio) -> list[str]:
    """Return what plugins have to say to whoever starts the server, and which are left out."""
    found = []
    for plugin, notices in app.hooks.by_plugin("register_notices").items():
        for notice in notices:
            try:
                found.append(await notice())
            except Exception as error:  # noqa: BLE001 - the server runs, whatever it is
                _log.error("notice failed", plugin=plugin, exc_info=error)
    if left_out := app.hooks.plugins.skipped:
        found.append(f"Left out, for they do not work: {', '.join(left_out)}. The log says why.")
    return [text for text in found if text]


@asynccontextmanager
async def running(
    config: Config, *, is_new: bool = False, may_begin: bool = False
) -> AsyncIterator[Wellio]:
    """Start the app for one command: its database and plugins, no workers, no socket.

    Args:
        config: The settings.
        is_new: Whether to make a practice where there is none.
        may_begin: Whether the command could, for what is said where there is none.

    Raises:
        NoPractice: There is none.
    """
    config = of_folder(config)
    if not is_new and not await is_there(config):
        raise NoPractice(config.data_dir, may_begin=may_begin)
    async with started(partial(_create_quietly, config, is_new=is_new), config) as runner:
        yield runner.app[WELLIO]


async def migrate(config: Config, *, is_new: bool = False) -> None:
    """Bring the database to this version's schema, as every start does.

    Raises:
        WellioError: A server runs on the data folder.
    """
    await refuse_second(config)
    await (await _create_quietly(of_folder(config), is_new=is_new))[WELLIO].db.close()


async def openapi(config: Config) -> Mapping[str, Any]:
    """Return the description of the API."""
    with tempfile.TemporaryDirectory() as folder:  # it needs no practice, and touches none
        app = (await _create_quietly(_apart(config, folder)))[WELLIO]
        await app.db.close()
        return app.service(Http).openapi


async def try_out(config: Config) -> Plugins:
    """Start an app on an empty database of its own, describe it, and end it; return its plugins.

    Raises:
        WellioError: What would stop a start.
    """
    with tempfile.TemporaryDirectory() as folder:
        apart = _apart(config, folder)
        async with started(partial(_create_quietly, apart, is_new=True), apart) as runner:
            app = runner.app[WELLIO]
            _ = app.service(Http).openapi
            return app.hooks.plugins


def _apart(config: Config, folder: str) -> Config:
    """Return the settings of an app that keeps what it writes in a folder that goes again."""
    place = {
        "data_dir": Path(folder),
        "database": DatabaseConfig(),
        "storage": StorageConfig(),
        "audit": AuditConfig(),
    }
    return config.model_copy(update=place)


async def health(config: Config) -> Mapping[str, Any]:
    """Return the running server's own report.

    Raises:
        WellioError: No server answers.
    """
    address = await _address(config)
    timeout = aiohttp.ClientTimeout(total=_HEALTH_TIMEOUT_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(f"{address}/health") as response,
        ):
            report: dict[str, Any] = orjson.loads(await response.read())
    except (aiohttp.ClientError, TimeoutError, orjson.JSONDecodeError) as error:
        raise WellioError(f"no Wellio answers at {address}") from error
    return report


async def _address(config: Config) -> str:
    """Return where the folder's server listens; without one, where the settings say."""
    host, port = config.server.host, config.server.port
    with suppress(WellioError, TimeoutError):  # then the settings have to do
        async with asyncio.timeout(_HEALTH_TIMEOUT_S):
            found = await control.address(config.data_dir)
            host, port = found["host"], found["port"]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _spare_collections() -> None:
    """Have the garbage collector leave alone what the start made, and look less often.

    Requests make hardly any cycles, and a collection stops everything: with Python's own settings
    they took 15 % of the time of a storm of messages.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, 20, 20)


async def _create(
    config: Config,
    broken: Sequence[BrokenPluginError] = (),
    *,
    workers: bool = True,
    is_new: bool = False,
) -> web.Application:
    try:
        await asyncio.to_thread(make_folder, config.data_dir)
        await asyncio.to_thread(refuse_foreign, config.data_dir)
        return await create_app(config, workers=workers, is_new=is_new, broken=broken)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise WellioError(
            f"the data folder {config.data_dir} cannot be used: {error.strerror}{where}"
        ) from error


async def _create_quietly(
    config: Config, broken: Sequence[BrokenPluginError] = (), *, is_new: bool = False
) -> web.Application:
    """Make the app for one command: no workers, and no line of the log that is not a warning."""
    configure_logging("warning", config.log.format)
    return await _create(config, broken, workers=False, is_new=is_new)


async def refuse_second(config: Config) -> None:
    """Stop if a server runs on the data folder.

    Raises:
        WellioError: One does.
    """
    if await control.is_running(config.data_dir):
        raise WellioError(f"a server runs on {config.data_dir}: stop it first")


def _announce(server: ServerConfig, notices: Sequence[str], *, as_json: bool) -> None:
    url, local = server.url, server.model_copy(update={"public_url": None}).url
    if as_json:
        line = orjson.dumps({"url": url, "local": local, "notices": notices}).decode()
        sys.stdout.write(line + "\n")
    else:
        from rich.console import Console
        from rich.panel import Panel

        where = [f"Wellio runs at {url}", f"Read and try its API at {url}/docs"]
        where += [f"On this machine it is {local}"] if local != url else []
        text = "\n".join([*where, *notices])
        # As wide as its longest line, so that no link is broken in two.
        width = max(len(line) for line in text.splitlines()) + 8
        console = Console(highlight=False, markup=False, emoji=False)
        if console.is_terminal and console.width < width:
            console.print("", text, "", sep="\n", soft_wrap=True)  # a box would fall to pieces
        else:
            console.width = width
            console.print(Panel(text, padding=(1, 3), width=width))
    sys.stdout.flush()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # Windows
        return None
    return uvloop.new_event_loop
