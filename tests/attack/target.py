"""The target: a real server in a process of its own, with one person of every role in its practice.

Its times are short, so that what waits for the rest of a request ends while somebody watches, and
it has no rate limits, so that an attack gets as deep as it can; a test's own settings win.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp

from tests.core.boot.processes import serve
from wellio.testing.engines import Databases, EngineName

OpenDatabases = Callable[[EngineName, bool], Databases]
OWNER_EMAIL: Final = "owner@target.example"
PASSWORD: Final = "seven plum kettles, no lid"
SETTINGS: Final = {
    "WELLIO_LIMITS__ENABLED": "false",
    "WELLIO_LOG__FORMAT": "json",
    "WELLIO_PLUGINS__AUTH__ACCESS_TOKEN_S": "3600",
    "WELLIO_PLUGINS__AUTH__BCRYPT_COST": "10",
    "WELLIO_SERVER__BODY_TIMEOUT_S": "2",
    "WELLIO_SERVER__HEAD_TIMEOUT_S": "2",
    "WELLIO_SETUP__OWNER_EMAIL": OWNER_EMAIL,
    "WELLIO_SETUP__OWNER_PASSWORD": PASSWORD,
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the practice.

    Attributes:
        id: The account's id.
        email: The address that signs in.
        token: An access token that outlives the test.
    """

    id: str
    email: str
    token: str


@dataclass(frozen=True, slots=True)
class Target:
    """The server.

    Attributes:
        url: Where it listens.
        port: The same, on 127.0.0.1.
        pid: Its process.
        people: One of each role, by role.
        log: Its log.
    """

    url: str
    port: int
    pid: int
    people: Mapping[str, Person]
    log: Path

    def rss_mb(self) -> float:
        """Return the memory that the process holds, in MiB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        [line] = [line for line in status.splitlines() if line.startswith("VmRSS:")]
        return int(line.split()[1]) / 1024

    def logged(self, since: int = 0) -> str:
        """Return what it logged after so many bytes."""
        return self.log.read_bytes()[since:].decode()

    async def openapi(self) -> Any:
        """Return the description of its API."""
        async with aiohttp.ClientSession() as http, http.get(f"{self.url}/openapi.json") as answer:
            return await answer.json()

    async def sign_in(self, person: Person) -> Person:
        """Begin one more session of somebody's."""
        return await _sign_in(self.url, person.email)

    async def answers(self) -> bool:
        """Tell whether it still serves everybody."""
        for person in self.people.values():
            headers = {"Authorization": f"Bearer {(await self.sign_in(person)).token}"}
            async with (
                aiohttp.ClientSession(headers=headers) as http,
                http.get(f"{self.url}/api/v1/me") as answer,
            ):
                if answer.status != 200:
                    return False
        return True


@asynccontextmanager
async def target(
    databases: OpenDatabases,
    engine: EngineName,
    folder: Path,
    settings: Mapping[str, str] | None = None,
) -> AsyncIterator[Target]:
    """Serve until the block ends; `settings` are environment variables."""
    of_engine = databases(engine, True)
    url, _ = await of_engine.create()
    env = {**SETTINGS, "WELLIO_DATABASE__URL": url, **(settings or {})}
    try:
        async with serve(folder, env=env) as server:
            people = {"owner": await _sign_in(server.url, OWNER_EMAIL)}
            for role in ("coach", "assistant", "client"):
                people[role] = await _invite(server.url, people["owner"], role)
            port = int(server.url.rpartition(":")[2])
            log = folder / "serve.log"
            yield Target(server.url, port, server.process.pid, people, log)
    finally:
        await of_engine.drop(url)


async def _sign_in(url: str, email: str) -> Person:
    return _person(await post(url, "/auth/login", {"email": email, "password": PASSWORD}))


async def _invite(url: str, owner: Person, role: str) -> Person:
    wish = {"email": f"{role}@target.example", "role": role}
    made = await post(url, "/invitations", wish, owner)
    token = made["link"].partition("#token=")[2]
    answer = {"token": token, "name": role.title(), "password": PASSWORD}
    return _person(await post(url, "/invitations/redeem", answer))


def _person(signed_in: Mapping[str, Any]) -> Person:
    user = signed_in["user"]
    return Person(user["id"], user["email"], signed_in["accessToken"])


async def post(url: str, path: str, body: Any, actor: Person | None = None) -> Any:
    """Send what must succeed, as somebody, and return the answer."""
    headers = {"Authorization": f"Bearer {actor.token}"} if actor else {}
    async with (
        aiohttp.ClientSession(url, headers=headers) as http,
        http.post(f"/api/v1{path}", json=body) as answer,
    ):
        assert answer.status in {200, 201}, await answer.text()
        return await answer.json()
