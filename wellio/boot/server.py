"""Puts an app behind a socket, and takes it away again without losing a request."""

import errno
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager, closing

from aiohttp import web

from wellio.config.settings import Config
from wellio.errors import WellioError
from wellio.http import Runner
from wellio.observe.log import get_logger

from .app import WELLIO, Wellio
from .plugin import BrokenPluginError

# What the kernel takes for a peer beyond what that has room for; else it takes megabytes, and who
# does not read is noticed late. Connections inherit it.
_UNSENT_BYTES = 131_072

# As many sockets as one process serves, with room to spare.
_MAX_OPEN_FILES = 65_536

_log = get_logger(__name__)


def raise_file_limit() -> None:
    """Let the process open as many files as its system allows, since each socket is one.

    The usual limit of 1,024 is for programs that call `select`; every process may lift its own.
    """
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _MAX_OPEN_FILES)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):
        _log.warning("the limit of open files stays", limit=soft)


def bind(config: Config) -> tuple[socket.socket, Config]:
    """Take the port, before anything is opened.

    Returns:
        The socket, not listening yet, and the settings with the port that it has: with port 0 only
        the kernel knows it, and links need it.

    Raises:
        WellioError: The address is not this machine's, or the port is in use.
    """
    host, port = config.server.host, config.server.port
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with ExitStack() as on_failure:
            listener = on_failure.enter_context(socket.socket(family, kind, protocol))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if hasattr(socket, "TCP_NOTSENT_LOWAT"):  # Linux and macOS
                listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_BYTES)
            listener.bind(address)
            listener.listen(128)  # here, because only this fails for a port that is in use
            on_failure.pop_all()
    except OSError as error:
        another = "; --port or WELLIO_SERVER__PORT takes another"
        hint = another if error.errno == errno.EADDRINUSE else ""
        raise WellioError(f"cannot listen on {host}:{port}: {error.strerror}{hint}") from error
    server = config.server.model_copy(update={"port": listener.getsockname()[1]})
    return listener, config.model_copy(update={"server": server})


Create = Callable[[Sequence[BrokenPluginError]], Awaitable[web.Application]]
"""Makes an app without the plugins that were found broken, as `create_app` does."""


@asynccontextmanager
async def started(create: Create, config: Config) -> AsyncIterator[web.AppRunner]:
    """Start an app without a socket; at the end everything of it is closed.

    The end refuses new connections, closes sockets with 1012, gives running requests
    `shutdown_timeout_s`, ends the plugins in reverse order, and closes the database.

    Args:
        create: Makes the app, another one where a plugin's lifespan cannot start and
            `[loader] on_error` allows to leave it out.
        config: The settings.
    """
    broken: list[BrokenPluginError] = []
    while True:
        runner = Runner(await create(broken), config.server)
        try:
            try:
                await runner.setup()
            except BrokenPluginError as error:
                broken.append(error)
                continue
            yield runner
            return
        finally:
            await runner.cleanup()


@asynccontextmanager
async def serving(create: Create, config: Config, listener: socket.socket) -> AsyncIterator[Wellio]:
    """Start an app, as `started` does, and let it answer on a socket that `bind` took."""
    with closing(listener):
        async with started(create, config) as runner:
            await web.SockSite(runner, listener).start()
            yield runner.app[WELLIO]
