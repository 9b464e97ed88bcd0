"""A stranger's plugin, as a wheel beside Wellio's: installed, used, tested, and removed again."""

import json
import re
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.children import run
from tests.core.boot.processes import serve
from tests.e2e.practice import PASSWORDS, Rest, token_of
from tests.examples.conftest import Wheels
from tests.examples.installation import EXAMPLE, Installation
from wellio.testing import DEADLINE_S, Sockets

PRACTICE = {"name": "Calm Waters", "timeZone": "Europe/Berlin", "currency": "EUR", "locale": "en"}
OLGA = {"name": "Olga", "email": "olga@example.com", "password": PASSWORDS["olga"]}


@dataclass(frozen=True)
class Person:
    """Somebody by their token."""

    token: str


@pytest.fixture
def installed(wheels: Wheels, tmp_path: Path) -> Installation:
    return Installation.make(tmp_path / "venv", wheels.wellio, wheels.hello)


@asynccontextmanager
async def running(
    installed: Installation, folder: Path, port: int = 0
) -> AsyncIterator[tuple[str, list[str], Rest]]:
    """Run the installed `wellio serve`; yield its address, its notices and who asks it."""
    folder.mkdir(exist_ok=True)
    env = {"WELLIO_PLUGINS__AUTH__BCRYPT_COST": "10", "PYTHONPATH": ""}
    program = (str(installed.bin / "wellio"),)
    async with (
        serve(folder, "--port", str(port), program=program, env=env) as server,
        aiohttp.ClientSession(server.url) as session,
    ):
        yield server.url, server.notices, Rest(session)


async def _health(rest: Rest) -> Any:
    async with rest.session.get("/health") as response:
        return await response.json()


def _plugins(installed: Installation, folder: Path) -> Any:
    listed = installed.run("wellio", "plugins", "--json", cwd=folder)
    assert listed.returncode == 0, listed.stderr
    return json.loads(listed.stdout)


@pytest.mark.timeout(600)  # a server is started three times
@pytest.mark.slow("it builds a wheel and an environment for it")
async def test_it_is_installed_used_and_removed(
    installed: Installation, wheels: Wheels, tmp_path: Path, sockets: Sockets
) -> None:
    folder = tmp_path / "practice"
    async with running(installed, folder) as (url, notices, rest):
        assert (await _health(rest))["plugins"]["hello"] == {
            "status": "ok",
            "checks": {"tally": {"status": "ok"}},
        }
        setup = {"token": token_of(" ".join(notices)), "practice": PRACTICE, "owner": OLGA}
        olga = await rest("POST", "/setup", setup, status=201)
        carl = (await rest.invite(olga["accessToken"], "carl", "coach"))["accessToken"]
        mia = (await rest.invite(carl, "mia", "client"))["accessToken"]
        (record,) = (await rest("GET", "/clients", token=mia))["items"]
        wins = f"/clients/{record['id']}/wins"

        of_carl = await sockets.plain(url, Person(carl))
        of_mia = await sockets.plain(url, Person(mia))
        body = {"clientId": record["id"], "text": "Took the stairs."}
        assert (await of_mia.call("note_win", body))["ok"]
        heard = await of_carl.receive("win_noted")
        (win,) = (await rest("GET", wins, token=carl))["items"]
        assert win["id"] == heard["winId"]
        assert win["text"] == "Took the stairs."
        await sockets.close()
    of_hello = {it["name"]: it for it in _plugins(installed, folder)["plugins"]}["hello"]
    assert of_hello["origin"] == "wellio-plugin-hello 0.1.0"

    port = int(url.rpartition(":")[2])  # tokens are for one address
    installed.uninstall("wellio-plugin-hello")
    async with running(installed, folder, port) as (_, _, rest):
        assert "hello" not in (await _health(rest))["plugins"]
        await rest("GET", wins, token=carl, status=404)
        await rest("GET", "/clients", token=carl)
    left = _plugins(installed, folder)
    assert left["leftover"] == ["hello"]
    assert left["leftover_tables"] == ["hello_tally", "hello_win"]

    installed.install(wheels.hello)
    async with running(installed, folder, port) as (_, _, rest):
        assert (await rest("GET", wins, token=carl))["items"] == [win]


@pytest.mark.timeout(600)
@pytest.mark.slow("its tests run on both engines, in a process of their own")
def test_its_own_tests_pass_where_it_is_installed(installed: Installation, tmp_path: Path) -> None:
    place = tmp_path / "checkout"  # its source is not there: what is imported is the wheel
    place.mkdir()
    shutil.copy(EXAMPLE / "pyproject.toml", place)
    shutil.copytree(EXAMPLE / "tests", place / "tests")
    shown = installed.run("python", "-c", "import wellio_plugin_hello as it, wellio; "
                          "print(it.__file__, wellio.__file__)", cwd=place)  # fmt: skip
    assert all(str(installed.folder) in path for path in shown.stdout.split()), shown.stderr
    done = installed.run("pytest", "-v", cwd=place)
    assert done.returncode == 0, done.stdout
    passed = re.findall(r"::(\w+)\[(sqlite|postgres).*PASSED", done.stdout)
    written = "".join(path.read_text() for path in (place / "tests").glob("test_*.py"))
    names = re.findall(r"^(@pytest.mark.sqlite.*\n)?async def (test_\w+)", written, re.MULTILINE)
    assert set(passed) == {
        (name, engine)
        for marked, name in names
        for engine in ("sqlite", *(() if marked else ("postgres",)))
    }


@pytest.mark.slow("mypy reads Wellio's types anew, as a stranger's does")
def test_its_types_are_strict_where_it_is_installed(
    installed: Installation, tmp_path: Path
) -> None:
    """So Wellio's are too, and the chat's and the practice's, which it uses."""
    python = ("--python-executable", str(installed.bin / "python"))
    cache = ("--cache-dir", str(tmp_path / "cache"))
    words = ("mypy", "--strict", *python, *cache, "-p", "wellio_plugin_hello")
    checked = run(sys.executable, "-m", *words, cwd=tmp_path, limit_s=8 * DEADLINE_S)
    assert checked.returncode == 0, checked.stdout + checked.stderr
