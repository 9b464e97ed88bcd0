"""`wellio serve`, as a process of its own, from its start to its end."""

import asyncio
import contextlib
import json
import os
import re
import resource
import signal
import socket
import stat
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from tests.children import child
from tests.core.boot.processes import WELLIO, Server, environment, serve, wellio
from wellio.boot.server import bind
from wellio.config.settings import load_config
from wellio.testing import DEADLINE_S
from wellio.testing.apps import NO_FILE


@pytest.fixture
async def server(folder: Path) -> AsyncIterator[Server]:
    async with serve(folder) as server:
        yield server


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what only another process can bring about."""
    async with asyncio.timeout(DEADLINE_S):
        while not await is_so():  # noqa: ASYNC110 - no event of ours reaches into that process
            await asyncio.sleep(0.01)


async def until_begun(folder: Path) -> None:
    """Wait until the server works on `/slow`."""
    await until(lambda: asyncio.to_thread((folder / "data/begun").exists))


async def test_serve_from_start_to_sigterm(folder: Path) -> None:
    data = folder / "data"
    patient = {"WELLIO_SERVER__SHUTDOWN_TIMEOUT_S": str(2 * DEADLINE_S)}
    async with serve(folder, env=patient) as server, aiohttp.ClientSession(server.url) as session:
        for path in ("/livez", "/readyz", "/health"):
            async with session.get(path) as response:
                assert response.status == 200, path
        modes = {path: stat.S_IMODE((data / path).stat().st_mode) for path in ("", "control.sock")}
        assert modes == {"": 0o700, "control.sock": 0o600}
        assert stat.S_IMODE((data / "secrets/master.key").stat().st_mode) == 0o600
        assert await server.stop() == 0  # the idle connection is not waited for
    assert not (data / "control.sock").exists()


async def test_the_set_up_link_is_announced_with_the_real_port(server: Server) -> None:
    assert not server.url.endswith(":0")
    assert re.search(rf"{re.escape(server.url)}/setup#token=\S{{32,}}", "\n".join(server.notices))


async def test_it_opens_as_many_files_as_the_system_allows(folder: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))  # it inherits ours
    try:
        async with serve(folder) as server:
            limits = Path(f"/proc/{server.process.pid}/limits").read_text()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    [line] = [line for line in limits.splitlines() if line.startswith("Max open files")]
    assert int(line.split()[3]) == min(hard, 65_536)


@pytest.mark.skipif(
    not hasattr(socket, "TCP_NOTSENT_LOWAT"), reason="this system has no such thing"
)
def test_the_kernel_holds_little_for_who_does_not_read() -> None:
    listener, config = bind(load_config(NO_FILE, env={}, overrides={"server.port": 0}))
    with listener, socket.create_connection(("localhost", config.server.port)):
        connection, _ = listener.accept()
        with connection:
            connection.setblocking(False)
            taken = 0
            with contextlib.suppress(BlockingIOError):
                while taken < 1_000_000:
                    taken += connection.send(b"x" * 1_000)
    assert taken < 1_000_000  # 4 MB without it, on Linux


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
        assert await running == 204
    assert await server.ended() == 0


async def test_a_request_that_never_ends_does_not_hold_the_stop(folder: Path) -> None:
    env = {"WELLIO_SERVER__SHUTDOWN_TIMEOUT_S": "0.3"}
    async with serve(folder, env=env) as server, aiohttp.ClientSession(server.url) as session:
        running = asyncio.create_task(_fails(session, "/slow"))
        await until_begun(folder)
        begun = time.monotonic()
        assert await server.stop() == 0
        assert time.monotonic() - begun < 9  # the default is 10 s
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


def test_a_port_in_use_is_one_clear_line_and_leaves_no_trace(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refused = wellio("serve", "--port", str(port), cwd=folder)
    assert refused.returncode == 1
    assert refused.stderr == (
        f"wellio: cannot listen on 127.0.0.1:{port}: Address already in use; "
        "--port or WELLIO_SERVER__PORT takes another\n"
    )
    assert not (folder / "data").exists()


async def test_warnings_and_what_people_read(folder: Path) -> None:
    """Without --json there is a box; what is odd in the settings is a line of the log."""
    env = {"REDIS_URL": "redis://h", "WELLIO_PLUGINS__GONE__X": "1", "WELLIO_LOG__FORMAT": "json"}
    async with child(
        *(*WELLIO, "serve", "--port", "0"),
        env=environment(env),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    ) as process:
        assert process.stdout
        shown = await process.stdout.readuntil("╯".encode())
        process.terminate()
        _, log = await process.communicate()
    assert process.returncode == 0
    assert re.search(r"Wellio runs at http://localhost:\d+ ", shown.decode())
    assert re.search(r"/setup#token=\S{32,} ", shown.decode())
    assert "/docs " in shown.decode()
    lines = [json.loads(line) for line in log.splitlines()]
    warnings = [line["event"].partition(" ")[0] for line in lines if line["level"] == "warning"]
    assert warnings == ["REDIS_URL", "plugins.gone:"]


async def test_on_a_narrow_terminal_the_link_is_a_line_of_its_own(folder: Path) -> None:
    """A box that is wider than the terminal would fall to pieces."""
    ours, theirs = os.openpty()
    shown = b""
    try:
        async with child(
            *(*WELLIO, "serve", "--port", "0"),
            env=environment({"COLUMNS": "80", "TERM": "xterm", "WELLIO_LOG__FORMAT": "json"}),
            cwd=folder,
            stdout=theirs,
            stderr=asyncio.subprocess.DEVNULL,
        ):
            os.close(theirs)
            while b"takes the token." not in shown:
                shown += await asyncio.to_thread(os.read, ours, 65_536)  # fails when it has ended
    finally:
        os.close(ours)
    lines = shown.decode().splitlines()
    assert "│" not in shown.decode()
    assert [
        line for line in lines if re.fullmatch(r"http://localhost:\d+/setup#token=\S{32,}", line)
    ]
