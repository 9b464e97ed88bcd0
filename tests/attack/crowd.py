"""A crowd: a real server in a process of its own, and many people with accounts and groups on it.

The accounts are made in this process, in milliseconds; then the server starts on their database.
"""

import json
import os
import resource
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.core.boot.processes import Server, serve
from tests.fault.server import free_port
from wellio.testing import TestApp, User
from wellio.testing.apps import DEFAULTS
from wellio.testing.plugin import StartApp
from wellio.testing.users import Users

SEED: Final = int(os.environ.get("SEED", "1"))
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_SERIOUS: Final = {"warning", "error", "critical"}


@dataclass(frozen=True, slots=True)
class Crowd:
    """The server and the people.

    Attributes:
        server: The process.
        url: Where it listens; an address, so that no name is looked up for each socket.
        owner: The practice's owner.
        people: Clients, `n` of whom `n % groups` is the group.
        groups: The ids of the groups; the owner is in each of them.
        log: Where the server's log goes.
        started: How many lines its start has there; it says what it examined.
    """

    server: Server
    url: str
    owner: User
    people: list[User]
    groups: list[str]
    log: Path
    started: int

    @property
    def port(self) -> int:
        """Return where it listens on 127.0.0.1."""
        return int(self.url.rpartition(":")[2])

    def group_of(self, number: int) -> str:
        """Return the id of the group that a client is in."""
        return self.groups[number % len(self.groups)]

    def rss_kib(self) -> int:
        """Return the memory that the server holds."""
        status = Path(f"/proc/{self.server.process.pid}/status").read_text()
        [line] = [line for line in status.splitlines() if line.startswith("VmRSS:")]
        return int(line.split()[1])

    def cpu_s(self) -> float:
        """Return the processor time that it used."""
        fields = Path(f"/proc/{self.server.process.pid}/stat").read_text().rpartition(")")[2]
        return sum(map(int, fields.split()[11:13])) / _TICKS

    def complaints(self) -> list[dict[str, Any]]:
        """Return what it logged since its start that is no everyday matter."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines()[self.started :]]
        return [line for line in lines if line["level"] in _SERIOUS]


@asynccontextmanager
async def gathered(
    start: StartApp,
    folder: Path,
    *,
    people: int,
    groups: int,
    env: Mapping[str, str] | None = None,
) -> AsyncIterator[Crowd]:
    """Make the accounts and groups, and serve until the block ends.

    Args:
        start: The fixture `wellio_app`, which knows the engine.
        folder: Takes the log.
        people: How many clients.
        groups: How many groups they are in, each in one.
        env: Settings of the server; there are limits unless they say otherwise.
    """
    more_files()
    port = free_port()
    app = await start(settings={"server.port": port, "plugins.auth.access_token_s": 3600})
    users = Users()
    clients = [await users.make(app, "client") for _ in range(people)]
    owner = await users.make(app, "owner")
    ids = [await _group(app, owner, clients[number::groups]) for number in range(groups)]
    await app.stop()
    settings = {
        "WELLIO_DATA_DIR": str(app.config.data_dir),
        "WELLIO_DATABASE__URL": _secret(app.config.database.url),
        "WELLIO_LOG__FORMAT": "json",
        "WELLIO_SECRETS__MASTER_KEY": DEFAULTS["secrets.master_key"],
        **(env or {}),
    }
    async with serve(folder, "--port", str(port), env=settings) as server:
        url = f"http://127.0.0.1:{port}"
        log = folder / "serve.log"
        started = len(log.read_text().splitlines())
        yield Crowd(server, url, owner, clients, ids, log, started)


def more_files() -> None:
    """Let this process open as many files as its system allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def _group(app: TestApp, owner: User, members: list[User]) -> str:
    wish = {"kind": "group", "title": "Walkers", "memberIds": [user.id for user in members]}
    made = await app.api.as_(owner).post("/conversations", wish, status=201)
    return str(made.data["id"])


def _secret(value: Any) -> str:
    return str(value.get_secret_value())
