"""A13: a flood of logins with wrong passwords, from many networks, on a real server as shipped.

Passwords are worked on outside of the event loop, few at once and few in a second, so everybody
else hardly notices.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from tests.attack.target import Target, target
from tests.attack.test_slow import latencies, p99_of
from wellio.testing.engines import Databases, EngineName

#: What the loop may stand still, and what a machine that others use too may add to it.
LAG_MS: Final = 50.0
PER_S: Final = 200
AS_SHIPPED: Final = {
    "WELLIO_LIMITS__ENABLED": "true",
    "WELLIO_PLUGINS__AUTH__BCRYPT_COST": "12",
    "WELLIO_SERVER__TRUSTED_PROXIES": '["127.0.0.1"]',
    # The one that honest requests are measured by asks more than a person does.
    "WELLIO_LIMITS__PER_ACCOUNT": "100000+1000/s",
    "WELLIO_LIMITS__PER_ADDRESS": "100000+1000/s",
}


@pytest.fixture
def engine() -> EngineName:
    """Run on one engine: it is the work of passwords that is in question."""
    return "sqlite"


@pytest.mark.slow("it is a flood of passwords to hash")
async def test_a_short_flood_of_logins(
    wellio_databases: Callable[[EngineName, bool], Databases], engine: EngineName, tmp_path: Path
) -> None:
    """Count who is served while passwords are worked on: a slow machine is slow for both.

    Each hash is some thirty times the work of an honest request. In the loop it would hold up
    everybody, and not even one of them would be served for each hash.
    """
    async with target(wellio_databases, engine, tmp_path, AS_SHIPPED) as server:
        statuses = Counter[int]()
        attack = asyncio.create_task(log_in(server, 100, statuses, per_s=10_000))
        try:
            served = len(await latencies(server, attack))
        finally:
            attack.cancel()
            await asyncio.gather(attack, return_exceptions=True)
    print(f"\nA13 100 logins at once: {dict(statuses)}; {served} others served meanwhile")
    assert statuses.keys() == {401, 429}
    assert statuses[401] > 5  # some did reach the hash
    assert served > 3 * statuses[401]


@pytest.mark.prove
@pytest.mark.timeout(300)
async def test_a_minute_of_200_logins_a_second(
    wellio_databases: Callable[[EngineName, bool], Databases], engine: EngineName, tmp_path: Path
) -> None:
    async with target(wellio_databases, engine, tmp_path, AS_SHIPPED) as server:
        before, during = await flood(server, seconds=60)
    assert during <= max(2 * before, LAG_MS)


async def flood(server: Target, seconds: int) -> tuple[float, float]:
    """Return the p99 of honest requests in ms, before and during the flood."""
    before = p99_of(await latencies(server, asyncio.create_task(asyncio.sleep(2))))
    statuses = Counter[int]()
    attack = asyncio.create_task(log_in(server, PER_S * seconds, statuses))
    during = p99_of(await latencies(server, attack))
    await attack
    print(
        f"\nA13 {PER_S} logins/s for {seconds} s: {dict(statuses)};"
        f" others: p99 {during:.1f} ms ({before:.1f} before)"
    )
    assert statuses.keys() == {401, 429}
    assert statuses[401] > 5  # some did reach the hash
    return before, during


async def log_in(server: Target, count: int, statuses: Counter[int], per_s: int = PER_S) -> None:
    """Send so many logins at a steady pace, each network's turn after the others'."""
    loop = asyncio.get_running_loop()
    started, sent = loop.time(), []
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(server.url, connector=connector) as http:
        for number in range(count):
            await asyncio.sleep(max(0.0, started + number / per_s - loop.time()))
            sent.append(asyncio.create_task(_one(http, number, statuses)))
        await asyncio.gather(*sent)


async def _one(http: aiohttp.ClientSession, number: int, statuses: Counter[int]) -> None:
    body: Any = {"email": f"somebody{number}@target.example", "password": "the wrong kettles"}
    by = f"203.{number // 250 % 4}.{number % 250}.7"
    headers = {"X-Forwarded-For": by}
    async with http.post("/api/v1/auth/login", json=body, headers=headers) as answer:
        await answer.read()
        statuses[answer.status] += 1
