"""Passwords: long ones count in full, and hashing them never stops the loop or floods the box."""

import asyncio
import time
from contextlib import suppress

import pytest
import wellio_auth
from wellio_auth.credentials.passwords import QUEUE, THREADS, Passwords

from wellio import Invalid, TooManyRequests
from wellio.testing import TestApp
from wellio.testing.plugin import StartApp

pytestmark = pytest.mark.sqlite("tests/contract calls every endpoint on both")


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


async def test_a_password_is_the_same_however_its_accents_are_encoded(
    passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    composed, apart = "Z\u00fcrich-caf\u00e9-1", "Zu\u0308rich-cafe\u0301-1"
    typed = (composed, apart, "Z\u00fcrich-cafe\u0301-1")
    for form in typed:
        stored = await passwords.hash(form)
        assert all([await passwords.verify(other, stored) for other in typed])
        assert not await passwords.verify("Zurich-cafe-1", stored)
    monkeypatch.setattr("wellio_auth.credentials.passwords.composed", lambda text: text)
    old = await passwords.hash(apart)  # as it was hashed before
    monkeypatch.undo()
    assert all([await passwords.verify(form, old) for form in (composed, apart)])


async def test_no_password_is_a_burden_to_look_at(passwords: Passwords) -> None:
    """What zxcvbn is slow at: signs that stand for letters, repetitions, and both together."""
    signs = "4@8({[<369&#!1/|0$5+7%2"
    worst = [
        *(
            signs * 11,
            signs + "password" * 20,
            (signs[:11] * 3 + "a") * 8,
            "a4@b8c(e3g6i1!l|o0s$" * 12,
        ),
        *(
            "a" * 256,
            "ab" * 128,
            ("a" * 8 + "b") * 28,
            "1!|7" * 64,
            "1991-01-01" * 25,
            "qwertyuiop" * 25,
        ),
        *(
            "1234567890" * 25,
            "".join(map(chr, range(33, 127))) * 2,
            "\u00e9" * 256,
            "password" * 32,
        ),
    ]
    for password in worst:
        began = time.process_time()
        with suppress(Invalid):
            await passwords.require_strong(
                "/password", password, "x" * 200, "x" * 60 + "@y.example"
            )
        assert time.process_time() - began < 1, password[:40]  # 0.1 s; without limits up to 6 s


async def test_what_everybody_guesses_first_is_refused(passwords: Passwords) -> None:
    first = ("password123", "P@$$w0rd123", "1234567890" * 3, "qwertyuiop", "a" * 12, "!@#$%^&*()")
    for password in first:
        with pytest.raises(Invalid):
            await passwords.require_strong("/password", password, "Anna Berg", "anna@x.example")


async def test_nobody_has_no_password(passwords: Passwords) -> None:
    assert not await passwords.verify("", None)


@pytest.mark.both_engines("what happens at once is the point")
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


@pytest.mark.both_engines("what happens at once is the point")
async def test_a_flood_is_turned_away(passwords: Passwords) -> None:
    flood = [passwords.verify("wrong", None) for _ in range(THREADS + QUEUE + 5)]
    results = await asyncio.gather(*flood, return_exceptions=True)
    assert sum(isinstance(result, TooManyRequests) for result in results) == 5
    assert results.count(False) == THREADS + QUEUE
    assert not await passwords.verify("wrong", None)
