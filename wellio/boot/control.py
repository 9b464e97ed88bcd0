"""The control socket: the command line's way to a server that already runs on the data folder.

Only the server writes to its database, so commands hand it their operation over
`<data>/control.sock`, as `POST /operations {"name", "arguments"}`. The socket belongs to the user
who runs the server (mode 0600), and the server asks the kernel who is at the other end. `GET
/address` tells where the server listens.
"""

import os
import socket
import struct
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import orjson
from aiohttp import web

from wellio.cli.output import explain
from wellio.errors import Invalid, WellioError
from wellio.observe.log import get_logger

if TYPE_CHECKING:
    from wellio.cli.operations import Operation

    from .app import Wellio

_log = get_logger("control")
_NAME = "control.sock"
_DESCRIPTORS = Path("/proc/self/fd")
_MAX_PATH = 100  # the kernel's limit is 108 bytes on Linux, 104 on macOS


class NotRunningError(WellioError):
    """No server runs on the data folder."""


async def call(data_dir: Path, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Have the running server do an operation.

    Args:
        data_dir: The data folder that server and command share.
        name: The operation's name.
        arguments: Its arguments, not validated yet.

    Raises:
        NotRunningError: There is no server; nothing was done.
        Invalid: The arguments are wrong.
        WellioError: The server refused, or stopped meanwhile.
    """
    body = orjson.dumps({"name": name, "arguments": arguments})
    answer = await _ask(data_dir, "POST", "operations", body)
    if "error" in answer:
        raise (Invalid if answer.get("isWrongCall") else WellioError)(answer["error"])
    result: dict[str, Any] = answer["result"]
    return result


async def address(data_dir: Path) -> dict[str, Any]:
    """Return `host` and `port` of the running server, whichever settings it was started with.

    Raises:
        NotRunningError: There is no server.
        WellioError: It stopped meanwhile.
    """
    return await _ask(data_dir, "GET", "address")


async def is_running(data_dir: Path) -> bool:
    """Tell whether a server answers on the data folder's socket."""
    try:
        await call(data_dir, "", {})
    except NotRunningError:
        return False
    except WellioError:
        return True  # it answered that there is no such operation
    return True


async def _ask(data_dir: Path, method: str, path: str, body: bytes | None = None) -> dict[str, Any]:
    timeout = aiohttp.ClientTimeout(total=None)
    try:
        with _reachable(data_dir) as address:
            async with (
                aiohttp.ClientSession(
                    connector=aiohttp.UnixConnector(path=address), timeout=timeout
                ) as session,
                session.request(method, f"http://control/{path}", data=body) as response,
            ):
                answer: dict[str, Any] = orjson.loads(await response.read())
                return answer
    except (aiohttp.ClientConnectorError, FileNotFoundError, NotADirectoryError) as error:
        raise NotRunningError(f"no server runs on {data_dir}") from error
    except aiohttp.ClientError as error:
        raise WellioError("the server stopped while it worked on this") from error


@asynccontextmanager
async def listen(app: "Wellio", operations: Mapping[str, "Operation"]) -> AsyncIterator[None]:
    """Serve the operations on the data folder's socket until the block ends."""
    data_dir = app.config.data_dir
    control, handler = web.Application(), _Handler(app, operations)
    control.router.add_post("/operations", handler.handle)
    control.router.add_get("/address", handler.tell_address)
    runner = web.AppRunner(
        control, access_log=None, shutdown_timeout=app.config.server.shutdown_timeout_s
    )
    await runner.setup()
    try:
        await web.SockSite(runner, _private_socket(data_dir)).start()
        yield
    finally:
        (data_dir / _NAME).unlink(missing_ok=True)
        await runner.cleanup()


class _Handler:
    """Answers one request with `{"result"}` or `{"error"}`."""

    def __init__(self, app: "Wellio", operations: Mapping[str, "Operation"]) -> None:
        self._app = app
        self._operations = operations

    async def handle(self, request: web.Request) -> web.Response:
        """Answer a request from this machine."""
        answer: dict[str, Any]
        asked = orjson.loads(await request.read())
        operation = self._operations.get(asked["name"])
        if _peer_uid(request) not in {None, os.getuid(), 0}:
            answer = {"error": "the server belongs to another user"}
        elif operation is None:
            answer = {"error": "the running server does not know this command"}
        else:
            answer = await self._run(operation, asked["arguments"])
        return _json(answer)

    async def tell_address(self, request: web.Request) -> web.Response:
        """Say where the server listens."""
        server = self._app.config.server
        return _json({"host": server.host, "port": server.port})

    async def _run(self, operation: "Operation", arguments: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return {"result": await operation.run(self._app, operation.check(arguments))}
        except WellioError as error:
            return {"error": explain(error), "isWrongCall": isinstance(error, Invalid)}
        except Exception:  # noqa: BLE001 - the server goes on; its log has the traceback
            _log.exception("operation failed", operation=operation.name)
            return {"error": f"{operation.name} failed inside the server: its log says why"}


def _json(answer: Mapping[str, Any]) -> web.Response:
    return web.Response(body=orjson.dumps(answer), content_type="application/json")


@contextmanager
def _reachable(data_dir: Path) -> Iterator[str]:
    """Yield the socket's path in a form that has room in an address: a folder may lie deep.

    Raises:
        WellioError: There is none.
    """
    path = data_dir / _NAME
    relative = os.path.relpath(path)
    short = next((it for it in (str(path), relative) if len(os.fsencode(it)) <= _MAX_PATH), None)
    if short is not None:
        yield short
        return
    if not _DESCRIPTORS.is_dir():  # it is Linux's
        raise WellioError(f"the path of the data folder is too long for a socket: {data_dir}")
    descriptor = os.open(data_dir, os.O_RDONLY)
    try:
        yield f"{_DESCRIPTORS}/{descriptor}/{_NAME}"
    finally:
        os.close(descriptor)


def _private_socket(data_dir: Path) -> socket.socket:
    """Bind a socket that only its owner can open, in place of one that a killed server left.

    Raises:
        WellioError: The folder cannot hold one.
    """
    (data_dir / _NAME).unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    mask = os.umask(0o177)
    try:
        with _reachable(data_dir) as address:
            listener.bind(address)
    except OSError as error:
        listener.close()
        raise WellioError(
            f"the data folder {data_dir} cannot hold the socket by which commands reach the "
            f"server: {error.strerror}; put data_dir on a disk of this machine"
        ) from error
    finally:
        os.umask(mask)
    return listener


def _peer_uid(request: web.Request) -> int | None:
    """Return the user at the other end; None where the kernel cannot tell (it is not Linux)."""
    if request.transport is None or not hasattr(socket, "SO_PEERCRED"):
        return None
    peer = request.transport.get_extra_info("socket")
    size = struct.calcsize("3i")
    _, uid, _ = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    return int(uid)
