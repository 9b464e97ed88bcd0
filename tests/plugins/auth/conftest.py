"""A running Wellio with accounts alone, on either engine, and people who are signed in to it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import wellio_auth
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr
from wellio_auth.accounts import Accounts
from wellio_auth.models import NewAccount, Origin
from wellio_auth.passwords import Passwords
from wellio_auth.sessions import Sessions

from wellio import (
    WELLIO,
    Account,
    AccountStep,
    Config,
    ManualClock,
    Plugin,
    Tx,
    Wellio,
    create_app,
    hookimpl,
    rfc3339,
)
from wellio.testing.engines import ENGINES, Databases, EngineName

START_MS = 1_780_000_000_000
MASTER_KEY = "0b" * 32  # so that a password's hash can be made once for all tests
PASSWORD = "plum kettle orbit"
BCRYPT_COST = 10


@dataclass
class Person:
    """Somebody with an account and one session."""

    id: str
    email: str
    role: str
    session_id: str
    access: str
    refresh: str


class Practice:
    """A running Wellio, and what is needed to play scenarios on it."""

    def __init__(self, application: web.Application, client: Any, clock: ManualClock) -> None:
        self.app: Wellio = application[WELLIO]
        self.client = client
        self.clock = clock

    async def call(
        self,
        method: str,
        path: str,
        json: Any = None,
        *,
        as_: Person | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, Any]:
        """Send a request and return status and body; `as_` is a person or an access token."""
        token = as_.access if isinstance(as_, Person) else as_
        sent = {"Authorization": f"Bearer {token}"} if token is not None else {}
        async with self.client.request(
            method, f"/api/v1{path}", json=json, headers={**sent, **(headers or {})}
        ) as response:
            body = await response.json(content_type=None) if response.status != 204 else None
            return response.status, body

    async def person(self, role: str, name: str = "", **attributes: Any) -> Person:
        """Make an account and sign it in, without waiting for a hash each time."""
        name = name or role.title()
        email = f"{name.lower().replace(' ', '.')}@example.com"
        account = NewAccount(email, name, role, await _password_hash(self.app))
        user = await self.app.db.write(self.app.service(Accounts).create, account, attributes)
        return await self.sign_in(user.id)

    async def sign_in(self, user_id: str) -> Person:
        """Begin another session of an account."""
        user = await self.app.service(Accounts).get(user_id)
        sessions = self.app.service(Sessions)
        grant = await self.app.db.write(sessions.open, user, Origin("192.0.2.1", "phone"))
        answer = sessions.answer(grant)
        return Person(
            user.id,
            user.email,
            user.role,
            grant.session_id,
            answer["accessToken"],
            answer["refreshToken"],
        )

    async def works(self, person: Person | str) -> bool:
        """Tell whether an access token is good."""
        return (await self.call("GET", "/me", as_=person))[0] == 200

    def at(self, **ago: int) -> str:
        """Return the present instant as the wire has it."""
        return rfc3339(self.clock.now_ms() - sum(ago.values()))


_hashes: dict[str, str] = {}


async def _password_hash(app: Wellio) -> str:
    if PASSWORD not in _hashes:
        _hashes[PASSWORD] = await app.service(Passwords).hash(PASSWORD)
    return _hashes[PASSWORD]


class Steps:
    """A plugin that notes what the account steps get, and may refuse."""

    PLUGIN = Plugin(name="steps", version="1", requires=("auth",))

    def __init__(self) -> None:
        self.seen: list[tuple[str, dict[str, Any]]] = []
        self.refusal: Exception | None = None

    @hookimpl
    def register_account_steps(self, app: Wellio) -> list[AccountStep]:
        assert app.db
        return [self]

    async def on_account(self, tx: Tx, account: Account, attributes: Mapping[str, Any]) -> None:
        assert await tx.fetch_one("SELECT 1 FROM auth_v_user WHERE id = :id", id=account.id)
        if self.refusal is not None:
            raise self.refusal
        self.seen.append((account.role, dict(attributes)))


Start = Callable[..., Any]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> EngineName:
    name: EngineName = request.param
    return name


@pytest.fixture
def steps() -> Steps:
    return Steps()


@pytest.fixture
async def start(engine: EngineName, tmp_path: Path, steps: Steps) -> AsyncIterator[Start]:
    """Start the same practice; again after it was stopped, on the same data."""
    databases = Databases(engine, tmp_path)
    url, data_dir = await databases.create()
    clock = ManualClock(START_MS)

    @asynccontextmanager
    async def run(**settings: Any) -> AsyncIterator[Practice]:
        config = Config.model_validate(
            {
                "data_dir": data_dir,
                "database": {"url": SecretStr(url)},
                "secrets": {"master_key": MASTER_KEY},
                "setup": settings.pop("setup", {}),
                "plugins": {"auth": {"bcrypt_cost": BCRYPT_COST, **settings}},
            }
        )
        application = await create_app(config, plugins=[wellio_auth, steps], clock=clock)
        async with TestClient(TestServer(application)) as client:
            yield Practice(application, client, clock)

    yield run
    await databases.drop(url)


@pytest.fixture
async def practice(start: Start) -> AsyncIterator[Practice]:
    async with start() as running:
        yield running


Call = Callable[..., Awaitable[tuple[int, Any]]]
