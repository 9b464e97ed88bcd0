"""`wellio serve --reload`, for who writes code: each change starts the server anew.

The server is a process of its own. A change of code or settings ends it as SIGTERM does, so its
clients come back by themselves; one that cannot start says why, and waits for the next change.
"""

import asyncio
import signal
import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from wellio.boot.plugin_sources import GROUP
from wellio.config.settings import FILE_NAME, load_config
from wellio.errors import ConfigError

_LOOK_S: Final = 0.3
_SUFFIXES: Final = {".py", ".sql", ".toml"}
_WORD: Final = "--reload"

Stamps = dict[Path, int]


def supervise(config: Path | None) -> int:
    """Run the present command line's server again and again, until SIGTERM or SIGINT.

    Args:
        config: The file of settings that it reads.

    Returns:
        The last server's exit code.
    """
    command = [sys.executable, "-m", "wellio", *(it for it in sys.argv[1:] if it != _WORD)]
    return asyncio.run(_supervise(command, config))


async def _supervise(command: Sequence[str], config: Path | None) -> int:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    while True:
        before = await asyncio.to_thread(_stamps, config)
        server = await asyncio.create_subprocess_exec(*command)
        ended = asyncio.create_task(server.wait())
        changed = asyncio.create_task(_change(config, before))
        stop = asyncio.create_task(stopping.wait())
        await asyncio.wait((ended, changed, stop), return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            server.terminate()
        elif await ended:  # it has said why; else somebody ended it
            await asyncio.wait((changed, stop), return_when=asyncio.FIRST_COMPLETED)
        code = await ended
        is_over = not changed.done()
        for task in (changed, stop):
            task.cancel()
        if is_over:
            return code


async def _change(config: Path | None, before: Stamps) -> None:
    while await asyncio.to_thread(_stamps, config) == before:  # noqa: ASYNC110 - files have no event
        await asyncio.sleep(_LOOK_S)


def _stamps(config: Path | None) -> Stamps:
    """Return when each file that the server reads was changed last."""
    stamps: Stamps = {}
    for place in _places(config):
        files = place.rglob("*") if place.is_dir() else [place]
        for file in files:
            if file.suffix in _SUFFIXES:
                try:
                    stamps[file] = file.stat().st_mtime_ns
                except FileNotFoundError:  # it went away just now, which is a change too
                    continue
    return stamps


def _places(config: Path | None) -> Iterable[Path]:
    """Return the settings, the core's folder and those of the plugins."""
    yield config or Path(FILE_NAME)
    yield Path(__file__).parents[1]
    for point in entry_points(group=GROUP):
        spec = find_spec(point.module)
        if spec is not None and spec.origin is not None:
            yield Path(spec.origin).parent if spec.submodule_search_locations else Path(spec.origin)
    try:
        folder = load_config(config).loader.path
    except ConfigError:  # the server says what is wrong with it
        return
    if folder is not None:
        yield folder
