"""`wellio serve --reload`: the server follows the code, also through what cannot start."""

import asyncio
import json
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import aiohttp
import pytest

from tests.children import child
from tests.core.boot.processes import WELLIO, environment
from wellio.testing import DEADLINE_S

PLUGIN = '''
from wellio import Plugin, endpoint, hookimpl

PLUGIN = Plugin("words", "1", summary="Says a word.")


class Api:
    @endpoint("GET", "//word", public=True, returns=dict[str, str])
    async def word(self, request):
        """Say it."""
        return {"word": "WORD"}


@hookimpl
def register_routes(app):
    return [Api()]
'''


def following(folder: Path) -> AbstractAsyncContextManager[asyncio.subprocess.Process]:
    return child(
        *(*WELLIO, "serve", "--reload", "--port", "0", "--json"),
        limit_s=4 * DEADLINE_S,
        cwd=folder,
        env=environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def word_of(process: asyncio.subprocess.Process) -> tuple[str, str]:
    """Return where the next server listens, and the word that it says."""
    assert process.stdout
    url = json.loads(await process.stdout.readline())["url"]
    async with aiohttp.ClientSession() as session, session.get(f"{url}/word") as response:
        return url, (await response.json())["word"]


@pytest.mark.parametrize("broken", ["PLUGIN = ", None])
@pytest.mark.slow("each change starts a server")
async def test_each_change_starts_the_server_anew(tmp_path: Path, broken: str | None) -> None:
    (tmp_path / "plugins").mkdir()
    plugin, settings = tmp_path / "plugins/words.py", tmp_path / "config.toml"
    plugin.write_text(PLUGIN.replace("WORD", "one"))
    settings.write_text("loader.path = 'plugins'\n")
    async with following(tmp_path) as process:
        assert process.stderr
        first, word = await word_of(process)
        assert word == "one"
        if broken is None:
            settings.write_text("loader.path = 'plugins'\ncolour = 1\n")
        else:
            plugin.write_text(broken)
        said = b""
        while not said.startswith(b"wellio: "):
            said = await process.stderr.readline()
            assert said, "it ended"  # at the end `readline` returns without a pause, for ever
        plugin.write_text(PLUGIN.replace("WORD", "two"))
        if broken is None:
            settings.write_text("loader.path = 'plugins'\n")
        second, word = await word_of(process)
        assert word == "two"
        process.terminate()
        assert await process.wait() == 0
    for url in (first, second):
        with pytest.raises(aiohttp.ClientConnectorError):
            async with aiohttp.ClientSession() as session, session.get(url):
                pass
