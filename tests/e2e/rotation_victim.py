"""Rotates the keys of a practice until it is killed: `python -m tests.e2e.rotation_victim`.

Its arguments are the settings as JSON, and the step at which it dies. A step is the moment before
or after something reached the disk or the database.
"""

import asyncio
import json
import os
import signal
import sys
from itertools import count
from typing import Any

from tests.fault.patching import wrap
from wellio.cli.server import running
from wellio.config.settings import load_config
from wellio.db.postgres import PostgresDatabase
from wellio.db.sqlite import SqliteDatabase
from wellio.keys.rotation import Rotation
from wellio.testing.apps import NO_FILE
from wellio.testing.deadline import patient_writes

_steps = count(1)


def step(last: int) -> None:
    """Count a step, and die at the last one."""
    if next(_steps) == last:
        os.kill(os.getpid(), signal.SIGKILL)


def dying(call: Any, last: int) -> Any:
    """Make a step of what comes before a call, and one of what comes after it."""

    def sync(*args: Any) -> Any:
        step(last)
        result = call(*args)
        step(last)
        return result

    return sync


def dying_later(call: Any, last: int) -> Any:
    """Do the same with a coroutine."""

    async def later(*args: Any, **kwargs: Any) -> Any:
        step(last)
        result = await call(*args, **kwargs)
        step(last)
        return result

    return later


async def main(settings: str, last: int) -> None:
    """Rotate, and say so if that came to its end."""
    config = load_config(NO_FILE, env={}, overrides=json.loads(settings))
    async with running(config) as app:
        wrap(os, "fsync", lambda call: dying(call, last))
        for engine in (SqliteDatabase, PostgresDatabase):
            wrap(engine, "write", lambda call: dying_later(call, last))
        await app.service(Rotation).rotate()
    print("rotated", flush=True)


if __name__ == "__main__":
    with patient_writes():
        asyncio.run(main(sys.argv[1], int(sys.argv[2])))
