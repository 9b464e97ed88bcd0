"""Passwords: long ones count in full, and hashing them never stops the loop or floods the box."""

import asyncio

import pytest
import wellio_auth
from wellio_auth.credentials.passwords import QUEUE, THREADS, Passwords

from wellio import TooManyRequests
from wellio.testing import TestApp
from wellio.testing.plugin import StartApp


@pytest.fixture
async def passwords(app: TestApp) -> Passwords:
    return app.app.service(Passwords)


async def test_every_character_counts(passwords: Passwords) -> None:
    long = "a" * 255
    stored = await passwords.hash(long + "b")
    assert stored.startswith("$2b$10$")
    assert await passwords.verify(long + "b", stored)
    assert not await passwords.verify(long + "c", stored)


async def test_a_hash_is_worth_nothing_without_the_pepper(
    passwords: Passwords, wellio_app: StartApp
) -> None:
    stored = await passwords.hash("plum kettle orbit")
    other = await wellio_app(plugins=[wellio_auth])  # another practice, with a root key of its own
    assert not await other.app.service(Passwords).verify("plum kettle orbit", stored)


async def test_nobody_has_no_password(passwords: Passwords) -> None:
    assert not await passwords.verify("", None)


async def test_the_loop_goes_on_while_ten_people_sign_in(passwords: Passwords) -> None:
    stored = await passwords.hash("plum kettle orbit")
    loop = asyncio.get_running_loop()
    lags: list[float] = []

    async def tick() -> None:
        while True:
            before = loop.time()
            await asyncio.sleep(0)
            lags.append(loop.time() - before)

    ticking = asyncio.create_task(tick())
    began = loop.time()
    results = await asyncio.gather(
        *(passwords.verify("plum kettle orbit", stored) for _ in range(10))
    )
    took = loop.time() - began
    ticking.cancel()
    assert all(results)
    # A blocked loop would tick not once in the time of a hash, and lag as long as all of them.
    assert len(lags) > 100
    assert max(lags) < took / 3


async def test_a_flood_is_turned_away(passwords: Passwords) -> None:
    flood = [passwords.verify("wrong", None) for _ in range(THREADS + QUEUE + 5)]
    results = await asyncio.gather(*flood, return_exceptions=True)
    assert sum(isinstance(result, TooManyRequests) for result in results) == 5
    assert results.count(False) == THREADS + QUEUE
    assert not await passwords.verify("wrong", None)
