"""A10: phones on bad networks refresh, over HTTP, on both engines, and none is ever signed out.

`tests/plugins/auth/test_refresh*.py` prove the single moves and what a thief gets. Here a phone's
app, its background task and its notification handler share one store and nothing else; requests and
answers get lost, and come twice. They keep the rule that `docs/api.md` gives: a request is written
down before it is sent and repeated until it is answered, and a 409 means "read the store again".
"""

import asyncio
import random
from dataclasses import dataclass, field

import pytest
from wellio_auth.accounts.service import Accounts
from wellio_auth.sessions.models import Origin
from wellio_auth.sessions.service import Sessions

from wellio.testing import Api, Reply, World
from wellio.testing.world import SIGNED_IN

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROTATIONS = 5
AT_ONCE = 20


async def test_some_phones_stay_signed_in(world: World, seed: int) -> None:
    await race(world, seed, 30)


@pytest.mark.prove
@pytest.mark.timeout(1800)
async def test_a_thousand_phones_stay_signed_in(world: World, seed: int) -> None:
    await race(world, seed, 1000)


@dataclass
class Phone:
    """What one phone has in its store, and who takes part.

    Attributes:
        api: The way to the server.
        rng: The network's moods.
        refresh_token: The newest that was answered.
        token: The access token beside it.
        requests: How many were sent.
        races: In how many of them somebody else was faster.
        refusals: The codes of what nobody wants to read: any of them is a log-out.
    """

    api: Api
    rng: random.Random
    refresh_token: str
    token: str
    requests: int = 0
    races: int = 0
    refusals: list[str] = field(default_factory=list)

    async def wake(self, parts: int) -> None:
        """Let so many parts of the app find, in the same instant, that they need a new token."""
        found = self.refresh_token
        await asyncio.gather(*(self._exchange(found, self._request_id()) for _ in range(parts)))

    async def _exchange(self, found: str, request_id: str) -> None:
        while self.refresh_token == found and not self.refusals:
            mood = self.rng.choice(["good", "good", "no way there", "no way back", "twice"])
            if mood == "no way there":
                await asyncio.sleep(0)
                continue
            copies = 2 if mood == "twice" else 1
            replies = await asyncio.gather(*(self._send(found, request_id) for _ in range(copies)))
            if mood != "no way back":
                self._take(found, replies[0])

    async def _send(self, token: str, request_id: str) -> Reply:
        self.requests += 1
        body = {"refreshToken": token, "requestId": request_id}
        return await self.api.post("/auth/refresh", body)

    def _take(self, found: str, reply: Reply) -> None:
        if reply.status == 200:
            if self.refresh_token == found:
                self.refresh_token = reply.data["refreshToken"]
                self.token = reply.data["accessToken"]
        elif reply.data["code"] == "refresh_in_progress":
            self.races += 1  # the store has it by now, or soon
        else:
            self.refusals.append(reply.data["code"])

    def _request_id(self) -> str:
        return f"{self.rng.getrandbits(128):032x}"


async def race(world: World, seed: int, count: int) -> None:
    """Simulate so many phones, each with a few refreshes, and look who is signed out."""
    people = [world.ids[name] for name in SIGNED_IN]  # each of them has several phones
    turn, rng = asyncio.Semaphore(AT_ONCE), random.Random(seed)  # noqa: S311 - reproducible
    seeds = [rng.getrandbits(64) for _ in range(count)]

    async def simulate(number: int) -> Phone:
        async with turn:
            phone = await new_phone(world, people[number % len(people)], seeds[number])
            for _ in range(ROTATIONS):
                await phone.wake(phone.rng.choice([1, 1, 2, 3]))
            reply = await world.app.api.get("/me", headers=bearer(phone.token))
            if reply.status != 200:
                phone.refusals.append(reply.data["code"])
            await world.app.api.post("/auth/logout", headers=bearer(phone.token))
        return phone

    phones = await asyncio.gather(*map(simulate, range(count)))
    refusals = [code for phone in phones for code in phone.refusals]
    sent, races = sum(it.requests for it in phones), sum(it.races for it in phones)
    print(f"\nA10 {count} phones, {sent} refreshes, {races} races: {len(refusals)} log-outs")
    assert not refusals, refusals[:20]
    assert races > count / 10
    assert len({phone.refresh_token for phone in phones}) == count


async def new_phone(world: World, user_id: str, seed: int) -> Phone:
    """Sign somebody in on one more phone, without the work of a password."""
    sessions = world.app.app.service(Sessions)
    user = await world.app.app.service(Accounts).get(user_id)
    answer = sessions.answer(await world.app.app.db.write(sessions.open, user, Origin("", "phone")))
    rng = random.Random(seed)  # noqa: S311 - reproducible, not secret
    return Phone(world.app.api, rng, answer.refresh_token, answer.access_token)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
