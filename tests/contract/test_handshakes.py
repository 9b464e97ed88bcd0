"""Who is on their way in while their way in ends: as if they had come after it.

Those who are in are closed by the change (`test_liveness.py`); those who come later are refused by
it. Between the two lies the time in which a credential is proven: here the database is slow.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from wellio_auth.accounts import store as account_store
from wellio_auth.api_keys import store as key_store

from tests.contract.test_liveness import change_eve, connect, refusal
from wellio.testing import DEADLINE_S, Sockets, World
from wellio.testing.world import Credential

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.sqlite("what is slow stands before the database"),
]
COMERS = {"comer": "plain", "other comer": "io"}


class Slow:
    """Holds back one call for each protocol, from when it is told to until it may let go."""

    def __init__(self) -> None:
        self._let_go = asyncio.Event()
        self._held = asyncio.Semaphore(0)
        self._left = 0

    def after(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return a call whose result comes late."""

        async def late(*arguments: Any) -> Any:
            result = await call(*arguments)
            await self.hold()
            return result

        return late

    async def hold(self) -> None:
        if self._left:
            self._left -= 1
            self._held.release()
            await self._let_go.wait()

    def begin(self) -> None:
        self._left = len(COMERS)

    async def holds(self) -> None:
        """Wait until they are held."""
        async with asyncio.timeout(DEADLINE_S):
            for _ in range(len(COMERS)):
                await self._held.acquire()

    def let_go(self) -> None:
        self._let_go.set()


@pytest.fixture
def slow(world: World, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Slow:
    """Make one step of a handshake slow."""
    slow, db = Slow(), world.app.app.db
    write = db.write

    async def write_slowly(body: Any, *arguments: Any) -> Any:
        if body is key_store.mark_used:
            await slow.hold()
        return await write(body, *arguments)

    match request.param:
        case "session is read":
            late = slow.after(account_store.user_of_session)
            monkeypatch.setattr(account_store, "user_of_session", late)
        case "key is read":
            monkeypatch.setattr(key_store, "holder_of", slow.after(key_store.holder_of))
        case "use is noted":
            monkeypatch.setattr(db, "write", write_slowly)
    return slow


async def _make_session(world: World, comer: str) -> str:
    return f"/auth/sessions/{await world.sign_in('eve', comer)}"


async def _make_key(world: World, comer: str) -> str:
    body = {"note": comer, "scopes": ["chat.read", "chat.send"]}
    key = (await world.api("eve").post("/api-keys", body, status=201)).data
    world.people[comer] = Credential(key["key"])
    return f"/api-keys/{key['id']}"


CHANGES = {
    "session is read": ("demoted", "disabled", "revoked", "logged out"),
    "key is read": ("demoted", "made a client", "disabled", "revoked"),
    "use is noted": ("demoted", "made a client", "disabled", "revoked"),
}


@pytest.mark.parametrize(
    ("slow", "change"),
    [(step, change) for step, changes in CHANGES.items() for change in changes],
    indirect=["slow"],
)
async def test_a_proof_from_before_a_change_opens_nothing_after_it(
    world: World,
    shared_sockets: Sockets,
    slow: Slow,
    change: str,
    request: pytest.FixtureRequest,
) -> None:
    group = await world.fill("{group}", "carls")
    is_key = request.node.callspec.params["slow"] != "session is read"
    make = _make_key if is_key else _make_session
    ways_in = [await make(world, comer) for comer in COMERS]
    speaker = await connect(world, shared_sockets.plain, "carl")
    slow.begin()
    coming = [
        asyncio.create_task(connect(world, getattr(shared_sockets, protocol), comer))
        for comer, protocol in COMERS.items()
    ]
    await slow.holds()
    try:
        match change:
            case "demoted":
                await change_eve(world, role="assistant")
            case "made a client":
                await change_eve(world, role="client")
            case "disabled":
                await change_eve(world, status="disabled")
            case "revoked":
                for path in ways_in:
                    await world.api("eve").delete(path, status=204)
            case "logged out":
                for comer in COMERS:
                    await world.api(comer).post("/auth/logout", status=204)
        slow.let_go()
        came = await asyncio.gather(*coming, return_exceptions=True)
        inside = [socket for socket in came if not isinstance(socket, BaseException)]
        assert len(inside) == (len(COMERS) if change == "demoted" else 0), came
        assert await refusal(speaker, "send_message", group, content="For members") == 200
        for socket in inside:
            assert await refusal(socket, "send_message", group, content="May I?") == 403
            assert {event for event, _ in socket.received} <= {"presence"}
    finally:
        slow.let_go()
        await change_eve(world, status="active", role="coach")
        await world.sign_in("eve")
