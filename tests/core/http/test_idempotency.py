"""A POST with an `Idempotency-Key` has its effect once, and one answer, whatever is killed when."""

import asyncio
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.children import child
from tests.core.http.keyed_app import REFUSALS, START, Deaths, Person, ThingApi, ThingPlugin
from wellio import ManualClock
from wellio.testing import DEADLINE_S, Api, Reply, StartApp, TestApp
from wellio.testing.engines import Databases, EngineName

pytestmark = pytest.mark.sqlite("tests/contract repeats every POST on both")

ROOT = Path(__file__).parents[3]
ANN, BOB = Person("ann"), Person("bob")
DAY_MS = 24 * 3_600_000
LEASE_MS = 60_000
KEPT = ["invalid", "missing", "gone", "conflict", "forbidden"]
NOT_KEPT = sorted(REFUSALS.keys() - set(KEPT))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
async def app(wellio_app: StartApp, clock: ManualClock) -> TestApp:
    return await wellio_app(plugins=[ThingPlugin()], clock=clock)


def things(app: TestApp) -> ThingApi:
    return app.app.service(ThingApi)


async def make(
    app: TestApp, path: str = "/things", name: str = "a", key: str = "k", **options: Any
) -> Reply:
    api: Api = app.api.as_(options.pop("as_", ANN))
    body = None if path == "/things/none" else {"name": name}
    return await api.post(path, body, headers={"Idempotency-Key": key}, **options)


async def names(app: TestApp) -> list[str]:
    return list((await app.api.as_(ANN).get("/things", status=200)).data["names"])


def essence(reply: Reply) -> tuple[int, bytes, str | None, str | None]:
    headers = reply.headers
    return reply.status, reply.content, headers.get("Location"), headers.get("Content-Type")


def is_replayed(reply: Reply) -> bool:
    return reply.headers.get("Idempotent-Replayed") == "true"


@pytest.mark.parametrize("is_restarted", [False, True])
@pytest.mark.parametrize(
    "way", ["", "/batched", "/none", "/quiet", "/prepared", "/again", "/aside"]
)
async def test_the_same_request_again_is_answered_as_before(
    app: TestApp, way: str, is_restarted: bool
) -> None:
    first = await make(app, f"/things{way}")
    assert first.status in {201, 204}
    before = await names(app)
    if is_restarted:
        await app.restart()
    runs = things(app).runs
    again = await make(app, f"/things{way}")
    assert essence(again) == essence(first)
    assert (is_replayed(first), is_replayed(again)) == (False, True)
    assert things(app).runs == runs
    assert await names(app) == before
    assert before.count("a") == (0 if way == "/none" else 1)
    assert not any("undone" in name for name in before)


async def test_another_request_may_not_use_the_key(app: TestApp) -> None:
    await make(app, status=201)
    for path, name in [("/things", "b"), ("/things/batched", "a"), ("/things?a=1", "a")]:
        assert (await make(app, path, name, status=422)).code == "idempotency_key_reused"
    assert await names(app) == ["a"]
    await make(app, name="b", key="K", status=201)


async def test_the_same_json_is_the_same_request_however_it_is_written(app: TestApp) -> None:
    first = await make(app, status=201)
    for content in (b'{ "name" : "a" }', b'{"name":"\\u0061"}\n'):
        headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
        again = await app.api.as_(ANN).post("/things", content=content, headers=headers, status=201)
        assert (essence(again), is_replayed(again)) == (essence(first), True)
    assert await names(app) == ["a"]


async def test_the_key_of_another_caller_is_another(app: TestApp) -> None:
    first = await make(app, status=201)
    other = await make(app, as_=BOB, name="b", status=201)
    assert not is_replayed(other)
    assert essence(await make(app)) == essence(first)
    assert essence(await make(app, as_=BOB, name="b")) == essence(other)


@pytest.mark.both_engines("what happens at once, or is killed, is the point")
async def test_while_the_first_runs_others_are_told_to_wait(app: TestApp) -> None:
    running = asyncio.create_task(make(app, "/things/slow"))
    await asyncio.wait_for(things(app).at_gate.wait(), DEADLINE_S)
    waiting = await make(app, "/things/slow", status=409)
    assert waiting.code == "idempotency_in_progress"
    assert waiting.headers["Retry-After"] == "1"
    assert (await make(app, "/things/slow", "b")).code == "idempotency_key_reused"
    things(app).gate.set()
    first = await running
    assert essence(await make(app, "/things/slow")) == essence(first)
    assert await names(app) == ["a"]


@pytest.mark.both_engines("what happens at once, or is killed, is the point")
@pytest.mark.parametrize("way", ["", "/batched"])
async def test_of_fifty_at_once_one_has_the_effect(app: TestApp, way: str) -> None:
    replies = await asyncio.gather(*(make(app, f"/things{way}") for _ in range(50)))
    counts = Counter(map(essence, (it for it in replies if it.status != 409)))
    assert len(counts) == 1
    assert {it.code for it in replies} <= {None, "idempotency_in_progress"}
    assert sum(not is_replayed(it) for it in replies if it.status == 201) == 1
    assert await names(app) == ["a"]


async def test_a_day_later_the_key_is_free_and_its_row_is_gone(
    app: TestApp, clock: ManualClock
) -> None:
    first = await make(app, status=201)
    await make(app, key="other", status=201)
    clock.advance(ms=DAY_MS - 1)
    assert is_replayed(await make(app))
    clock.advance(ms=1)
    later = await make(app, status=201)
    assert essence(later) != essence(first)
    assert await rows(app) == 2
    clock.advance(ms=2 * 3_600_000)
    await app.app.bus.settled()
    assert await rows(app) == 1
    assert is_replayed(await make(app))


async def rows(app: TestApp) -> int:
    row = await app.app.db.fetch_one("SELECT count(*) AS n FROM wellio_idempotency")
    return int(row["n"]) if row else 0


@pytest.mark.both_engines("what happens at once, or is killed, is the point")
async def test_who_takes_over_a_key_keeps_the_slow_one_from_its_effect(
    app: TestApp, clock: ManualClock
) -> None:
    slow = asyncio.create_task(make(app, "/things/slow"))
    await asyncio.wait_for(things(app).at_gate.wait(), DEADLINE_S)
    things(app).at_gate.clear()
    clock.advance(ms=LEASE_MS - 1)
    await make(app, "/things/slow", status=409)
    clock.advance(ms=1)
    quick = asyncio.create_task(make(app, "/things/slow"))
    await asyncio.wait_for(things(app).at_gate.wait(), DEADLINE_S)
    things(app).gate.set()
    replies = [await slow, await quick]
    assert sorted(it.status for it in replies) == [201, 409]
    assert await names(app) == ["a"]
    assert is_replayed(await make(app, "/things/slow", status=201))


@pytest.mark.parametrize("refusal", [*KEPT, *NOT_KEPT])
async def test_a_refusal_is_kept_unless_a_retry_may_fare_better(app: TestApp, refusal: str) -> None:
    first, again = await make(app, name=refusal), await make(app, name=refusal)
    assert first.status >= 400
    assert is_replayed(again) == (refusal in KEPT)
    assert things(app).runs == (1 if refusal in KEPT else 2)
    if refusal in KEPT:
        assert essence(again) == essence(first)


async def test_a_refusal_out_of_a_batch_leaves_nothing_behind(app: TestApp) -> None:
    first = await make(app, "/things/batched", "gone", status=410)
    assert essence(await make(app, "/things/batched", "gone")) == essence(first)
    assert await names(app) == []


async def test_a_request_that_does_not_reach_its_handler_claims_nothing(app: TestApp) -> None:
    key = {"Idempotency-Key": "k"}
    await app.api.as_(ANN).post("/things", {"nome": "a"}, headers=key, status=422)
    await app.api.as_(ANN).post("/things", content=b"{", headers=key, status=415)
    await app.api.post("/things", {"name": "a"}, headers=key, status=401)
    assert await rows(app) == 0
    await make(app, status=201)


@pytest.mark.parametrize("key", ["", " ", "k" * 256, "schlüssel", "a\tb"])
async def test_what_is_no_key_is_refused(app: TestApp, key: str) -> None:
    refused = await make(app, key=key, status=400)
    assert refused.code == "bad_idempotency_key"
    assert await names(app) == []
    await make(app, key="k" * 255, status=201)


async def test_where_no_answer_is_kept_the_header_means_nothing(app: TestApp) -> None:
    for path in ("/things/secret", "/things/public"):
        first = await make(app, path, key="k" * 300, status=201)
        again = await make(app, path, key="k" * 300, status=201)
        assert essence(first) != essence(again)
    for method in ("GET", "HEAD"):
        for number in (1, 2):
            await make(app, name=str(number), key=f"{method}{number}", status=201)
            got = await app.api.as_(ANN).request(
                method, "/things", headers={"Idempotency-Key": "get"}, status=200
            )
            assert not is_replayed(got)
    assert await rows(app) == 4


async def test_an_effect_that_is_there_is_answered_even_if_its_handler_failed(
    app: TestApp,
) -> None:
    await make(app, "/things/late", status=400)
    again = await make(app, "/things/late", status=201)
    assert is_replayed(again)
    assert await names(app) == ["a"]


async def test_a_handler_that_breaks_the_rules_fails_before_anybody_relies_on_it(
    app: TestApp,
) -> None:
    await make(app, "/things/twice", key="1", status=500)
    assert await names(app) == ["first a"]
    await make(app, "/things/liar", key="2", status=500)


async def test_a_row_tells_nobody_anything(app: TestApp) -> None:
    await make(app, name="a canary", key="the key of ann", status=201)
    [row] = await app.app.db.fetch_all("SELECT * FROM wellio_idempotency")
    stored = repr([bytes(it) if isinstance(it, memoryview) else it for it in row])
    assert "canary" in repr(await names(app))
    assert [word for word in ("canary", "ann", "things", "Location") if word in stored] == []


@pytest.mark.both_engines("what happens at once, or is killed, is the point")
@pytest.mark.parametrize("death", [Deaths.IN_BODY, Deaths.COMMITTED, Deaths.WRITTEN])
async def test_a_killed_server_has_done_both_or_neither(
    engine: EngineName,
    wellio_databases: Callable[[EngineName, bool], Databases],
    clock: ManualClock,
    death: str,
) -> None:
    databases = wellio_databases(engine, False)
    url, folder = await databases.create()
    app = TestApp({"database.url": url, "data_dir": folder}, [ThingPlugin()], clock)
    try:
        command = (sys.executable, "-m", "tests.core.http.keyed_app", url, str(folder), death)
        async with child(*command, cwd=ROOT) as victim:
            assert await victim.wait() == -signal.SIGKILL
        await app.start()
        is_done = death != Deaths.IN_BODY
        assert await names(app) == ([death] if is_done else [])
        reply = await make(app, name=death)
        if not is_done:
            assert reply.code == "idempotency_in_progress"
            clock.advance(ms=LEASE_MS)
            reply = await make(app, name=death)
        assert (reply.status, is_replayed(reply)) == (201, is_done)
        assert await names(app) == [death]
    finally:
        await app.stop()
        await databases.drop(url)
