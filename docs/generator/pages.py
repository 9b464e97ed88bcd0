"""All the pages, made of one app that is never started."""

import asyncio
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from docs.generator import (
    commands,
    errors,
    events,
    hooks,
    permissions,
    reference,
    schema,
    settings,
    sockets,
)
from wellio import WELLIO, Wellio, create_app
from wellio.config.settings import load_config

FOLDER = Path(__file__).parents[1]


def pages() -> Mapping[str, str]:
    """Return every generated page by its name."""
    with tempfile.TemporaryDirectory() as folder:  # only this user can read it
        return asyncio.run(_pages(folder))


async def _pages(folder: str) -> Mapping[str, str]:
    config = load_config(Path(os.devnull), env={}, overrides={"data_dir": folder})
    app = (await create_app(config, workers=False))[WELLIO]
    try:
        return {
            "commands.md": commands.page(app),
            "config.md": settings.page(app),
            "errors.md": errors.page(app),
            "events.md": events.page(app),
            "hooks.md": hooks.page(app),
            "permissions.md": permissions.page(app),
            "reference.md": reference.page(app),
            "schema.md": await schema.page(app),
            "sockets.md": sockets.page(app),
        }
    finally:
        await close(app)


async def close(app: Wellio) -> None:
    """Let the databases of an app that never ran go."""
    await app.keys.close()
    await app.db.close()
