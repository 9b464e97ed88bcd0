"""A real server and real people: `wellio serve` as a process, and REST as anybody would send it."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.core.boot.processes import Server, serve
from wellio.testing.engines import Databases, EngineName

PASSWORDS = {name: f"{name} has nine kettles, no lid" for name in ("olga", "carl", "mia")}
OpenDatabases = Callable[[EngineName, bool], Databases]


@dataclass
class Rest:
    """Sends requests to a server as whoever a token belongs to."""

    session: aiohttp.ClientSession

    async def __call__(
        self, method: str, path: str, body: Any = None, token: str = "", *, status: int = 200
    ) -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self.session.request(
            method, f"/api/v1{path}", json=body, headers=headers
        ) as response:
            text = await response.text()
            assert response.status == status, f"{method} {path}: {response.status} {text}"
            return await response.json() if text else None

    async def log_in(self, name: str) -> Any:
        body = {"email": f"{name}@example.com", "password": PASSWORDS[name]}
        return await self("POST", "/auth/login", body)

    async def invite(self, token: str, name: str, role: str) -> Any:
        """Invite somebody, redeem the link as them, and return their login."""
        invitation = {"email": f"{name}@example.com", "role": role}
        made = await self("POST", "/invitations", invitation, token, status=201)
        redemption = {"token": token_of(made["link"]), "name": name.title()}
        redemption["password"] = PASSWORDS[name]
        return await self("POST", "/invitations/redeem", redemption, status=201)


def token_of(text: str) -> str:
    """Return the token of the link in a text."""
    found = re.search(r"#token=(\S+)", text)
    assert found, text
    return found[1]


@dataclass
class Place:
    """Where a practice's data is."""

    folder: Path
    url: str

    @asynccontextmanager
    async def serve(self, port: int = 0) -> AsyncIterator[tuple[Server, Rest]]:
        """Run the server on it."""
        env = {"WELLIO_DATABASE__URL": self.url, "WELLIO_PLUGINS__AUTH__BCRYPT_COST": "10"}
        async with (
            serve(self.folder, "--port", str(port), env=env) as server,
            aiohttp.ClientSession(server.url) as session,
        ):
            yield server, Rest(session)


@asynccontextmanager
async def empty_place(
    databases: OpenDatabases, engine: EngineName, folder: Path
) -> AsyncIterator[Place]:
    """Make an empty database, and a folder without settings."""
    of_engine = databases(engine, False)
    url, _ = await of_engine.create()
    try:
        yield Place(folder, url)
    finally:
        await of_engine.drop(url)
