"""The command line, in processes of its own."""

import asyncio
import json
import re
import signal
import socket
import stat
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.core.boot.processes import Server, serve, wellio
from wellio import control

#: A plugin of one file: commands that tell where they ran, and a request that takes its time.
PLUGIN = '''
"""What the tests of the command line look at."""

import asyncio, os
from pathlib import Path
from pydantic import BaseModel, SecretStr
from wellio import NoArguments, Plugin, endpoint, hookimpl

PLUGIN = Plugin("probe", "2.5", summary="Looks at the command line.")


class Words(BaseModel, use_attribute_docstrings=True):
    text: str
    """What is said."""
    loud: bool = False
    also: list[str] = []
    secret: SecretStr | None = None


async def where(app, _):
    """Tell in which process this runs."""
    return {"pid": os.getpid()}


async def say(app, words):
    """Say something."""
    secret = words.secret.get_secret_value() if words.secret else None
    return {"text": words.text, "loud": words.loud, "also": words.also, "secret": secret}


class Api:
    def __init__(self, folder):
        self.folder = folder

    @endpoint("GET", "//slow", public=True, returns=None, summary="Takes its time.")
    async def slow(self, request):
        (self.folder / "begun").touch()
        while not (self.folder / "go").exists():
            await asyncio.sleep(0.01)
        return {}


@hookimpl
def register_routes(app):
    return [Api(app.config.data_dir)]


@hookimpl
def register_commands(cli):
    cli.operation("probe where", where, arguments=NoArguments)
    cli.operation("probe say", say, arguments=Words)
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a current folder with a `config.toml` that adds the plugin above."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins/probe.py").write_text(PLUGIN)
    (tmp_path / "config.toml").write_text("loader.path = 'plugins'\n")
    return tmp_path


@pytest.fixture
async def server(folder: Path) -> AsyncIterator[Server]:
    async with serve(folder) as server:
        yield server


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what only another process can bring about."""
    async with asyncio.timeout(10):
        while not await is_so():  # noqa: ASYNC110 - no event of ours reaches into that process
            await asyncio.sleep(0.01)


async def until_begun(folder: Path) -> None:
    """Wait until the server works on `/slow`."""
    await until(lambda: asyncio.to_thread((folder / "data/begun").exists))


# -- serve ---------------------------------------------------------------------------------------


async def test_serve_from_start_to_sigterm(folder: Path, server: Server) -> None:
    data = folder / "data"
    async with aiohttp.ClientSession(server.url) as session:
        for path in ("/livez", "/readyz", "/health"):
            async with session.get(path) as response:
                assert response.status == 200, path
        modes = {path: stat.S_IMODE((data / path).stat().st_mode) for path in ("", "control.sock")}
        assert modes == {"": 0o700, "control.sock": 0o600}
        assert stat.S_IMODE((data / "secrets/master.key").stat().st_mode) == 0o600
        begun = time.monotonic()
        assert await server.stop() == 0
        assert time.monotonic() - begun < 5
    assert not (data / "control.sock").exists()


async def test_the_set_up_link_is_announced_with_the_real_port(server: Server) -> None:
    assert not server.url.endswith(":0")
    assert re.search(rf"{re.escape(server.url)}/setup#token=\S{{32,}}", "\n".join(server.notices))


async def test_sigint_is_as_good_as_sigterm(server: Server) -> None:
    assert await server.stop(signal.SIGINT) == 0


async def test_a_request_that_runs_is_finished_and_no_new_one_begun(
    folder: Path, server: Server
) -> None:
    async with aiohttp.ClientSession(server.url) as session:

        async def slow() -> int:
            async with session.get("/slow") as response:
                return response.status

        running = asyncio.create_task(slow())
        await until_begun(folder)
        server.process.terminate()
        await until(partial(_is_closed, server.url))
        (folder / "data/go").touch()
        assert await running in {200, 204}
    assert await server.ended() == 0


async def test_a_request_that_never_ends_does_not_hold_the_stop(folder: Path) -> None:
    env = {"WELLIO_SERVER__SHUTDOWN_TIMEOUT_S": "0.3"}
    async with serve(folder, env=env) as server, aiohttp.ClientSession(server.url) as session:
        running = asyncio.create_task(_fails(session, "/slow"))
        await until_begun(folder)
        begun = time.monotonic()
        assert await server.stop() == 0
        assert time.monotonic() - begun < 5
        assert await running


async def _is_closed(url: str) -> bool:
    host, _, port = url.removeprefix("http://").partition(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except OSError:
        return True
    writer.close()
    return False


async def _fails(session: aiohttp.ClientSession, path: str) -> bool:
    try:
        async with session.get(path) as response:
            return response.status >= 500
    except aiohttp.ClientError:
        return True


async def test_a_second_server_on_the_folder_is_refused(folder: Path, server: Server) -> None:
    second = wellio("serve", "--port", "0", cwd=folder)
    assert (second.returncode, second.stdout) == (1, "")
    assert second.stderr == "wellio: a server runs on data: stop it first\n"
    async with aiohttp.ClientSession(server.url) as session, session.get("/livez") as response:
        assert response.status == 200


def test_a_port_in_use_is_one_clear_line_and_leaves_no_trace(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refused = wellio("serve", "--port", str(port), cwd=folder)
    assert refused.returncode == 1
    assert refused.stderr == f"wellio: cannot listen on 127.0.0.1:{port}: Address already in use\n"
    assert not (folder / "data").exists()


# -- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "variable, value, expected",
    [
        ("WELLIO_SERVER__PORT", "s3cret", "server.port: expected a valid integer"),
        ("WELLIO_SERVR__PORT", "1", "servr.port: unknown setting; did you mean server?"),
        ("WELLIO_PLUGINS__PROBE__X", "s3cret", "plugins.probe.x: unknown setting"),
        ("JWT_SECRET", "s3cret", "JWT_SECRET: expected 32 bytes or more"),
    ],
)
@pytest.mark.parametrize("command", ["serve", "config check"])
def test_a_wrong_setting_stops_with_its_name(
    folder: Path, command: str, variable: str, value: str, expected: str
) -> None:
    refused = wellio(*command.split(), cwd=folder, env={variable: value})
    assert refused.returncode == 1
    assert refused.stderr == f"wellio: these settings are wrong:\n  {expected}\n"
    assert not (folder / "data").exists()


def test_a_broken_plugin_is_one_line(folder: Path) -> None:
    (folder / "plugins/probe.py").write_text("import a_module_that_nobody_has\n")
    refused = wellio("serve", cwd=folder)
    assert refused.returncode == 1
    assert refused.stderr == (
        "wellio: plugin probe (plugins/probe.py): "
        "ModuleNotFoundError: No module named 'a_module_that_nobody_has'\n"
    )
    assert "probe" not in wellio("--help", cwd=folder).stdout


@pytest.mark.parametrize(
    "arguments", ["unheard-of", "serve --unheard-of", "probe say", "probe say --text x --loud y"]
)
def test_a_wrong_call_is_code_2(folder: Path, arguments: str) -> None:
    assert wellio(*arguments.split(), cwd=folder).returncode == 2


# -- commands ------------------------------------------------------------------------------------


def test_help_lists_the_commands_of_core_and_plugins(folder: Path) -> None:
    shown = wellio("--help", cwd=folder)
    assert shown.returncode == 0
    for command in ("serve", "health", "migrate", "config", "openapi", "plugins", "outbox"):
        assert re.search(rf"\b{command}\b", shown.stdout)
    assert "Say something." in wellio("probe", "--help", cwd=folder).stdout
    assert "What is said." in wellio("probe", "say", "--help", cwd=folder).stdout


def test_options_follow_the_model(folder: Path) -> None:
    said = wellio(
        *("probe", "say", "--text", "x", "--loud", "--also", "a", "--also", "b"),
        *("--secret-stdin", "--json"),
        cwd=folder,
        stdin=" a secret \n",
    )
    assert json.loads(said.stdout) == {
        "text": "x",
        "loud": True,
        "also": ["a", "b"],
        "secret": " a secret ",
    }


async def test_an_operation_runs_in_the_server_while_there_is_one(folder: Path) -> None:
    def where() -> Any:
        return json.loads(wellio("probe", "where", "--json", cwd=folder).stdout)["pid"]

    async with serve(folder) as server:
        assert await asyncio.to_thread(where) == server.process.pid
        assert await server.stop() == 0
    assert where() != server.process.pid


async def test_an_operation_waits_for_nobody_who_holds_the_folder(folder: Path) -> None:
    """A server that is just starting has the lock, and no socket yet."""
    async with serve(folder):
        (folder / "data/control.sock").unlink()
        refused = await asyncio.to_thread(wellio, "probe", "where", cwd=folder)
    assert refused.returncode == 1
    assert "already serves" in refused.stderr
    assert "Traceback" not in refused.stderr


async def test_migrate_refuses_while_a_server_runs(folder: Path) -> None:
    for _ in range(2):
        done = wellio("migrate", "--json", cwd=folder)
        assert (done.returncode, json.loads(done.stdout)) == (0, {"status": "up to date"})
    async with serve(folder):
        assert await control.is_running(folder / "data")
        refused = await asyncio.to_thread(wellio, "migrate", cwd=folder)
    assert refused.returncode == 1
    assert refused.stderr == "wellio: a server runs on data: stop it first\n"


async def test_health_is_for_containers(folder: Path) -> None:
    async with serve(folder) as server:
        env = {"WELLIO_SERVER__PORT": server.url.rpartition(":")[2]}
        well = await asyncio.to_thread(wellio, "health", "--json", cwd=folder, env=env)
        assert well.returncode == 0
        assert json.loads(well.stdout)["status"] == "ok"
        await server.stop()
    gone = wellio("health", cwd=folder, env=env)
    assert gone.returncode == 1
    assert (
        gone.stderr
        == f"wellio: no Wellio answers at {server.url.replace('localhost', '127.0.0.1')}\n"
    )


def test_plugins_are_listed_in_their_order(folder: Path) -> None:
    listed = json.loads(wellio("plugins", "--json", cwd=folder).stdout)
    names = [plugin["name"] for plugin in listed["plugins"]]
    assert names.index("auth") < names.index("practice") < names.index("chat")
    probe = next(plugin for plugin in listed["plugins"] if plugin["name"] == "probe")
    assert (probe["version"], probe["origin"]) == ("2.5", "plugins/probe.py")
    assert (listed["skipped"], listed["leftover"]) == ([], [])
    assert "Looks at the command line." in wellio("plugins", cwd=folder).stdout


def test_a_removed_plugins_tables_are_listed(folder: Path) -> None:
    wellio("migrate", cwd=folder)
    listed = wellio("plugins", "--json", cwd=folder, env={"WELLIO_LOADER__DISABLED": '["chat"]'})
    assert json.loads(listed.stdout)["leftover"] == ["chat"]


def test_the_outbox_is_shown(folder: Path) -> None:
    shown = json.loads(wellio("outbox", "--retry", "--json", cwd=folder).stdout)
    assert shown["retried"] == 0
    assert shown["jobs"][0]["dead"] == 0
    assert (shown["parked"], shown["dead"]) == ([], [])


def test_config_check_warns(folder: Path) -> None:
    env = {"WELLIO_PLUGINS__GONE__X": "1", "REDIS_URL": "redis://h"}
    checked = wellio("config", "check", "--json", cwd=folder, env=env)
    report = json.loads(checked.stdout)
    assert (checked.returncode, report["status"]) == (0, "ok")
    assert [warning.partition(" ")[0] for warning in report["warnings"]] == [
        "REDIS_URL",
        "plugins.gone:",
    ]


def test_openapi_describes_plugins_and_touches_nothing(folder: Path) -> None:
    described = json.loads(wellio("openapi", cwd=folder).stdout)
    assert described["openapi"].startswith("3.1")
    assert "/slow" in described["paths"]
    assert not (folder / "data").exists()


def test_every_command_takes_another_folder_and_file(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    done = wellio(
        *("probe", "where", "--json", "--config", str(folder / "config.toml")),
        *("--data", str(tmp_path / "practice")),
        cwd=folder,
    )
    assert "pid" in json.loads(done.stdout)
    assert (tmp_path / "practice/wellio.db").exists()
    assert not (folder / "data").exists()
