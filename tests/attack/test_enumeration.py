"""A12: who has an account cannot be told from an answer: not from a byte, not from its time.

Asked in turns that are drawn by lot; a Welch t-test compares the times. It has to find an answer
that leaves the work of a password out, and it does.
"""

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable
from statistics import fmean, variance
from typing import Any, Final

import bcrypt
import orjson
import pytest
from wellio_auth.credentials.passwords import Passwords

from tests.attack.wire import exchange, request
from wellio.testing import TestApp
from wellio.testing.plugin import MakeUser, StartApp

T_LIMIT: Final = 4.5
#: Both requests and all answers have this id, so that every byte may be compared.
FIXED_ID: Final = b"X-Request-Id: enumeration-test-1"


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def app(wellio_app: StartApp) -> TestApp:
    # As real passwords are, and as cheap as they may be.
    return await wellio_app(settings={"plugins.auth.bcrypt_cost": 10})


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have each hash take a quarter: what else a login does stands out the more."""
    salt = bcrypt.gensalt
    monkeypatch.setattr("bcrypt.gensalt", lambda cost: salt(cost - 2 if cost >= 10 else cost))


async def emails_of(app: TestApp, make_user: MakeUser) -> tuple[str, str, str]:
    """Return the address of somebody, of somebody who is disabled, and of nobody."""
    owner = await make_user("owner", email="somebody@practice.example")
    gone = await make_user("client", email="formerly@practice.example")
    await app.api.as_(owner).patch(f"/users/{gone.id}", {"status": "disabled"}, status=200)
    for user in (owner, gone):  # whose password is as costly as it is outside of tests
        hashed = await app.app.service(Passwords).hash(user.password)
        await app.app.db.write(_store, user.id, hashed)
    return owner.email, gone.email, "stranger@practice.example"


async def _store(tx: Any, user_id: str, hashed: str) -> None:
    sql = "UPDATE auth_user SET password_hash = :hashed WHERE id = :id"
    await tx.execute(sql, hashed=hashed, id=user_id)


async def log_in(app: TestApp, email: str) -> bytes:
    """Try a wrong password; return every byte of the answer but the time of day."""
    body = orjson.dumps({"email": email, "password": "the wrong kettles"})
    data = request(
        "POST", b"/api/v1/auth/login", b"Content-Type: application/json", FIXED_ID, body=body
    )
    [answer] = (await exchange(app.config.server.port, data)).answers
    return b"\r\n".join(line for line in answer.split(b"\r\n") if not line.startswith(b"Date: "))


async def test_every_byte_of_a_refused_login_is_the_same(app: TestApp, make_user: MakeUser) -> None:
    answers = {await log_in(app, email) for email in await emails_of(app, make_user)}
    assert len(answers) == 1
    assert answers.pop().startswith(b"HTTP/1.1 401 ")


async def test_every_byte_of_a_limit_is_the_same(wellio_app: StartApp, make_user: MakeUser) -> None:
    settings = {
        "limits.enabled": True,
        "plugins.auth.attempts_per_account": "3+0.1/s",
        "plugins.auth.bcrypt_cost": 10,
    }
    app = await wellio_app(settings=settings)
    owner = await make_user("owner")
    emails = (owner.email, "stranger@practice.example")
    tries = [[(await log_in(app, email))[:13] for _ in range(5)] for email in emails]
    assert tries[1] == [b"HTTP/1.1 401 "] * 3 + [b"HTTP/1.1 429 "] * 2
    assert tries[0][-1] == tries[1][-1]


async def test_a_used_link_looks_like_one_that_never_was(app: TestApp, make_user: MakeUser) -> None:
    owner, coach = await make_user("owner"), await make_user("coach")
    wishes = [{"email": f"new-{it}@practice.example", "role": "client"} for it in "ab"]
    links = [(await app.api.as_(owner).post("/invitations", it, status=201)).data for it in wishes]
    known = {"email": owner.email, "role": "client"}
    links.append((await app.api.as_(coach).post("/invitations", known, status=201)).data)
    tokens = [made["link"].partition("#token=")[2] for made in links]
    redeem = {"name": "New", "password": "seven plum kettles"}
    await app.api.post("/invitations/redeem", {**redeem, "token": tokens[0]}, status=201)
    await app.api.as_(owner).delete(f"/invitations/{links[1]['id']}", status=204)
    answers = set()
    for token in (*tokens, "a-token-that-never-was", ""):
        reply = await app.api.post("/invitations/redeem", {**redeem, "token": token}, status=410)
        answers.add((reply.data["code"], reply.data["detail"], reply.data["title"]))
    assert len(answers) == 1


@pytest.mark.sqlite("the time is bcrypt's; `make prove` has both")
@pytest.mark.usefixtures("quick")
async def test_the_time_of_a_few_logins_tells_nothing(app: TestApp, make_user: MakeUser) -> None:
    await compare(app, await emails_of(app, make_user), 60)


@pytest.mark.prove
@pytest.mark.timeout(1800)
async def test_the_time_of_2_000_logins_tells_nothing(app: TestApp, make_user: MakeUser) -> None:
    await compare(app, await emails_of(app, make_user), 2_000)


@pytest.mark.sqlite("the time is bcrypt's")
async def test_a_login_that_leaves_the_work_out_is_found(
    app: TestApp, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, _, unknown = await emails_of(app, make_user)
    verify = Passwords.verify

    async def hasty(self: Passwords, password: str, stored: str | None) -> bool:
        return stored is not None and await verify(self, password, stored)

    monkeypatch.setattr(Passwords, "verify", hasty)
    assert abs(await welch(lambda email: log_in(app, email), known, unknown, 20)) > T_LIMIT


async def compare(app: TestApp, emails: tuple[str, str, str], times: int) -> None:
    known, disabled, unknown = emails
    for email in (known, disabled, unknown):
        await log_in(app, email)  # what is only slow the first time
    for name, one in (("known", known), ("disabled", disabled)):
        t = await welch(lambda email: log_in(app, email), one, unknown, times)
        print(f"\nA12 {name} against unknown, {times} + {times} logins: t = {t:.2f}")
        assert abs(t) < T_LIMIT
        if times > 100:
            break  # the other one takes the same way


async def welch(ask: Callable[[str], Awaitable[object]], one: str, other: str, times: int) -> float:
    """Ask both so often, in an order that is drawn by lot; return Welch's t of their times.

    B. L. Welch, "The generalization of Student's problem when several different population
    variances are involved", Biometrika 34 (1947).
    """
    order = [one, other] * times
    random.Random(times).shuffle(order)  # noqa: S311 - only mixed
    taken: dict[str, list[float]] = {one: [], other: []}
    for which in order:
        started = time.perf_counter()
        await ask(which)
        taken[which].append(time.perf_counter() - started)
        await asyncio.sleep(0)
    a, b = taken[one], taken[other]
    return (fmean(a) - fmean(b)) / math.sqrt(variance(a) / len(a) + variance(b) / len(b))
