"""Wellio as a target: its server on one processor, and the file that tells drivers of it."""

import asyncio
import os
import secrets
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.practice import LOGIN, PASSWORD, Practice, make
from bench.scratch import Scratch, stop

_HOUR_S: Final = 3600
_START_S: Final = 60.0
_HTTP = "/api/v1"


@dataclass(frozen=True, slots=True)
class Started:
    """A server that answered.

    Attributes:
        process: Its process.
        seconds: How long that took from its start.
        resident_mb: Its memory by then.
    """

    process: subprocess.Popen[bytes]
    seconds: float
    resident_mb: float


def settings(port: int, database: str | None) -> dict[str, str]:
    """Return the environment of the measured server: no limits, and tokens that last."""
    env = {
        "WELLIO_SERVER__PORT": str(port),
        "WELLIO_LIMITS__ENABLED": "false",
        "WELLIO_LOG__LEVEL": "warning",
        "WELLIO_PLUGINS__AUTH__ACCESS_TOKEN_S": str(_HOUR_S),
        "WELLIO_PLUGINS__CHAT__GROUP_MEMBERS": "1000",
    }
    return env | ({"DATABASE_URL": database} if database else {})


def serve(folder: Path, env: dict[str, str], log: Path, cpu: str = "0") -> Started:
    """Start `wellio serve` on one processor and wait until it is ready."""
    command = ["taskset", "-c", cpu, sys.executable, "-m", "wellio", "serve", "--data", str(folder)]
    with log.open("ab") as output:
        began = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 - our own program
            command, env={**os.environ, **env}, stdout=output, stderr=output, start_new_session=True
        )
    url = f"http://127.0.0.1:{env['WELLIO_SERVER__PORT']}/readyz"
    while time.perf_counter() - began < _START_S:
        try:
            with urllib.request.urlopen(url, timeout=2):
                seconds = time.perf_counter() - began
                return Started(process, seconds, _resident_mb(process.pid))
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.004)
    stop(process.pid)
    raise SystemExit(f"Wellio did not start: {log.read_text()[-2000:]}")


def start_target(
    scratch: Scratch, name: str, port: int, *, database: str | None = None, growth: int = 0
) -> None:
    """Fill a practice, start its server, and write `<scratch>/targets/<name>.json`."""
    folder = scratch.folder / f"{name}-{secrets.token_hex(4)}"
    folder.mkdir(mode=0o700)
    env = settings(port, database)
    practice = asyncio.run(make(folder, env, growth))
    started = serve(folder, env, scratch.folder / f"{name}.log")
    scratch.write_target(name, target(name, port, started.process.pid, practice))


def target(name: str, port: int, pid: int, practice: Practice) -> dict[str, Any]:
    """Return a target file's content, in the form that `../shared/peers` reads."""
    owner = {"Authorization": f"Bearer {practice.people[0].token}"}

    def get(path: str) -> dict[str, Any]:
        return {"method": "GET", "path": f"{_HTTP}{path}", "headers": owner}

    def post(path: str, body: dict[str, Any]) -> dict[str, Any]:
        return {"method": "POST", "path": f"{_HTTP}{path}", "headers": owner, "body": body}

    http: dict[str, Any] = {
        "health": {"method": "GET", "path": "/livez"},
        "read_one": [get(f"/messages/{one}") for one in practice.messages],
        "list50": [get(f"/conversations/{one}/messages?limit=50") for one in practice.read],
        "create": [
            post(f"/conversations/{one}/messages", {"content": "hello there " * 6})
            for one in practice.written
        ],
        "login": post("/auth/login", {"email": LOGIN, "password": PASSWORD}),
    }
    for op, conversation in (("list50_10k", practice.small), ("list50_big", practice.big)):
        if conversation:
            http[op] = get(f"/conversations/{conversation}/messages?limit=50")
    clients = [
        {"token": one.token, "room": practice.pairs[n // 2]}
        for n, one in enumerate(practice.people)
    ]
    return {
        "name": name,
        "base": f"http://127.0.0.1:{port}",
        "pid": pid,
        "http": http,
        "chat": {
            "kind": "sio",
            "path": "/socket.io/",
            "join": None,
            "room_field": "conversationId",
            "clients": clients,
            "fanout": [{**one, "room": practice.fan} for one in clients[:500]],
        },
    }


def _resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
