"""The control socket: who may use it, what it answers, and when nobody is there."""

import errno
import os
import socket
import stat
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from wellio.boot import control
from wellio.cli import Cli
from wellio.config.settings import Config
from wellio.errors import Conflict, Invalid, WellioError


class Sum(BaseModel):
    a: int
    b: int
    secret: SecretStr | None = None


async def add(app: Any, numbers: Sum) -> Mapping[str, Any]:
    """Add two numbers."""
    secret = numbers.secret.get_secret_value() if numbers.secret else None
    return {"sum": numbers.a + numbers.b, "secret": secret, "app": app.name}


async def refuse(app: Any, numbers: Sum) -> Mapping[str, Any]:
    """Refuse on purpose."""
    raise Conflict("There is one already.")


async def crash(app: Any, numbers: Sum) -> Mapping[str, Any]:
    """Fail by mistake."""
    raise RuntimeError("a detail for the log only")


def listening(data_dir: Path) -> AbstractAsyncContextManager[None]:
    cli = Cli()
    for name, run in {"add": add, "refuse": refuse, "crash": crash}.items():
        cli.operation(name, run, arguments=Sum)
    app: Any = SimpleNamespace(config=Config(data_dir=data_dir), name="the server")
    return control.listen(app, cli.operations)


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[Path]:
    async with listening(tmp_path):
        yield tmp_path


async def test_an_operation_runs_in_the_server(folder: Path) -> None:
    answer = await control.call(folder, "add", {"a": 1, "b": "2", "secret": "s"})
    assert answer == {"sum": 3, "secret": "s", "app": "the server"}


@pytest.mark.parametrize(
    "name, arguments, expected",
    [
        ("refuse", {"a": 1, "b": 2}, "There is one already."),
        ("crash", {"a": 1, "b": 2}, "crash failed inside the server: its log says why"),
        ("unheard", {}, "the running server does not know this command"),
    ],
)
async def test_refusals_are_one_line(
    folder: Path, name: str, arguments: dict[str, Any], expected: str
) -> None:
    with pytest.raises(WellioError) as caught:
        await control.call(folder, name, arguments)
    assert str(caught.value) == expected


async def test_it_tells_where_the_server_listens(folder: Path) -> None:
    assert await control.address(folder) == {"host": "127.0.0.1", "port": 3000}


async def test_wrong_arguments_are_all_named_and_not_echoed(folder: Path) -> None:
    with pytest.raises(Invalid) as caught:
        await control.call(folder, "add", {"a": "s3cret"})
    lines = str(caught.value).splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["a", "b"]
    assert "s3cret" not in str(caught.value)


async def test_only_the_owner_can_open_it(folder: Path) -> None:
    assert stat.S_IMODE((folder / "control.sock").stat().st_mode) == 0o600


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
async def test_another_user_is_refused_by_the_kernels_word() -> None:
    """Even with the file's mode opened, as by a careless chmod -R."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        async with listening(folder):
            (folder / "control.sock").chmod(0o666)
            os.seteuid(65534)
            try:
                with pytest.raises(WellioError, match="another user"):
                    await control.call(folder, "add", {"a": 1, "b": 2})
            finally:
                os.seteuid(0)


async def test_nobody_there(tmp_path: Path) -> None:
    assert not await control.is_running(tmp_path)
    async with listening(tmp_path):
        assert await control.is_running(tmp_path)
    assert not await control.is_running(tmp_path)
    assert not (tmp_path / "control.sock").exists()


async def test_what_a_killed_server_left_is_nobody_and_gives_way(tmp_path: Path) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / "control.sock"))
    left.close()
    with pytest.raises(control.NotRunningError):
        await control.call(tmp_path, "add", {"a": 1, "b": 2})
    async with listening(tmp_path):
        assert (await control.call(tmp_path, "add", {"a": 1, "b": 2}))["sum"] == 3


async def test_a_long_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Unix socket's address has room for about a hundred bytes."""
    deep = tmp_path / ("x" * 60) / ("y" * 60)
    assert not await control.is_running(deep)
    deep.mkdir(parents=True)
    assert not await control.is_running(deep)
    async with listening(deep):
        assert (await control.call(deep, "add", {"a": 1, "b": 2}))["sum"] == 3
        assert stat.S_IMODE((deep / "control.sock").stat().st_mode) == 0o600
    monkeypatch.setattr(control, "_DESCRIPTORS", tmp_path / "none")  # as where it is not Linux
    with pytest.raises(WellioError, match="too long"):
        await control.call(deep, "add", {})
    monkeypatch.chdir(deep.parent)
    async with listening(deep):
        assert (await control.call(deep, "add", {"a": 1, "b": 2}))["sum"] == 3


@pytest.mark.parametrize("number", [errno.EOPNOTSUPP, errno.EPERM, errno.EACCES])
async def test_a_folder_that_holds_no_sockets_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """As on a share of another machine."""

    class Unbound(socket.socket):
        def bind(self, _: object) -> None:
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr(socket, "socket", Unbound)
    with pytest.raises(WellioError, match=f"cannot hold the socket .*{os.strerror(number)}; put"):
        async with listening(tmp_path):
            pass


@asynccontextmanager
async def hanging_up(path: Path) -> AsyncIterator[None]:
    import asyncio

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_unix_server(hang_up, path)
    async with server:
        yield


async def test_a_server_that_goes_away_meanwhile(tmp_path: Path) -> None:
    async with hanging_up(tmp_path / "control.sock"):
        with pytest.raises(WellioError, match="the server stopped") as caught:
            await control.call(tmp_path, "add", {})
    assert not isinstance(caught.value, control.NotRunningError)
