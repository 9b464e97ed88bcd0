"""The client that `docs/api.md` recommends stays connected through whatever passes.

It runs as it stands there, with the official library.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest
from wellio_auth.credentials.service import Credentials

from tests.children import child
from tests.realtime.node_client import NODE, TESTS, install
from wellio import ManualClock, Unavailable
from wellio.testing import DEADLINE_S, MakeUser, Sockets, StartApp, TestApp, User
from wellio.testing.users import sign_in

pytestmark = pytest.mark.sqlite("the database is away by a switch in front of it")
API = TESTS.parent / "docs" / "api.md"
START_MS = 1_780_000_000_000
LOST = "lost"
TOKEN_LIFE_MS = 600_000


class RecommendedClient:
    """The client, which says what becomes of it."""

    def __init__(self, lines: asyncio.StreamReader) -> None:
        self._lines = lines

    async def says(self, *expected: str) -> None:
        for line in expected:
            assert await self._line() == line

    async def is_back(self) -> None:
        """See it lose its connection, and come back by itself."""
        await self.says(LOST)
        await self.comes_back()

    async def comes_back(self) -> None:
        """See it come in, at once or after being refused."""
        while (line := await self._line()) == LOST:
            pass
        assert line == "connect"

    async def _line(self) -> str:
        return (await self._lines.readline()).decode().strip()


@asynccontextmanager
async def connected(
    app: TestApp, user: User, folder: Path, transports: Sequence[str]
) -> AsyncIterator[RecommendedClient]:
    (code,) = re.findall(r"```js\n(let session = .*?)```", API.read_text(), re.DOTALL)
    (folder / "client.js").write_text(code)
    session = json.dumps({"accessToken": user.token, "refreshToken": user.refresh_token})
    script = Path(__file__).parent / "recommended_client.mjs"
    await asyncio.to_thread(install)
    pipe = asyncio.subprocess.PIPE
    command: tuple[str | Path, ...] = (
        NODE,
        script,
        app.url,
        session,
        folder / "client.js",
        *transports,
    )
    async with child(*command, limit_s=2 * DEADLINE_S, stdout=pipe) as process:
        assert process.stdout is not None
        client = RecommendedClient(process.stdout)
        await client.says("connect")
        yield client


@asynccontextmanager
async def database_away(app: TestApp, missed_by: str) -> AsyncIterator[None]:
    """Have no database during the block, and until it was missed.

    Args:
        app: Whose database it is.
        missed_by: What must have asked for it, as its SQL or its name has it.
    """
    missed = asyncio.Event()

    async def refuse(wanted: Any, *_: Any, **__: Any) -> NoReturn:
        if missed_by in str(wanted):
            missed.set()
        raise Unavailable("The database cannot be reached now.")

    with pytest.MonkeyPatch.context() as patch:
        for name in ("fetch_one", "fetch_all", "write"):
            patch.setattr(app.app.db, name, refuse)
        yield
        async with asyncio.timeout(DEADLINE_S):
            await missed.wait()


def drop(app: TestApp, user: User) -> None:
    """Break somebody's connections off, and have their tokens proven anew."""
    app.app.service(Credentials).forget(user_id=user.id)
    for client in app.app.hub.clients(user.id):
        client.drop("test")


@pytest.mark.parametrize("transports", [("polling", "websocket"), ("polling",)], ids=len)
async def test_it_stays_through_what_passes_and_ends_with_its_session(
    wellio_app: StartApp,
    make_user: MakeUser,
    sockets: Sockets,
    tmp_path: Path,
    transports: Sequence[str],
) -> None:
    clock = ManualClock(START_MS)
    app = await wellio_app(
        clock=clock, settings={"limits.enabled": True, "limits.sockets_per_account": 2}
    )
    owner, coach = await make_user("owner"), await make_user("coach")
    async with connected(app, coach, tmp_path, transports) as client:
        # The database is away.
        async with database_away(app, missed_by="FROM auth_session"):
            drop(app, coach)
        await client.is_back()
        # Another role: the same token, other rights.
        for role in ("assistant", "coach"):
            await app.api.as_(owner).patch(f"/users/{coach.id}", {"role": role}, status=200)
            await client.says("told role_changed")
            await client.is_back()
        # Too many sockets of the account, all of them alive, until one of them leaves.
        drop(app, coach)
        others = [await sockets.plain(app.url, coach) for _ in range(2)]
        await client.says(LOST, LOST)
        await others[0].close()
        await client.comes_back()
        # A restart.
        await app.restart()
        await client.is_back()
        # The access token has expired.
        clock.advance(TOKEN_LIFE_MS)
        drop(app, coach)
        await client.says(LOST, "refused token_expired", "connect")
        # It has expired, and the database is away as well.
        clock.advance(TOKEN_LIFE_MS)
        async with database_away(app, missed_by="Sessions._refresh"):
            drop(app, coach)
        await client.says(LOST, "refused token_expired")
        await client.says("refused token_expired", "connect")
        # The session ends.
        owner = await sign_in(app, owner.email)
        await app.api.as_(owner).patch(f"/users/{coach.id}", {"status": "disabled"}, status=200)
        await client.says("told disabled", "sign in", "disconnect io server disconnect")
