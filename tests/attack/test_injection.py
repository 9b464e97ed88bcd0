"""A19: SQL in every parameter of every endpoint, on both engines.

No payload is an error of ours, none makes the database wait, none changes a row that the request
was not about, and text that may be any text comes back as it was sent. That no SQL is put together
from values is held by `tests/core/test_layout_sql.py`.
"""

import itertools
import random
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pytest

from tests.attack.snapshot import changes, snapshot
from tests.contract.rules import PUBLIC, RULES
from wellio.testing import Reply, World

pytestmark = pytest.mark.asyncio(loop_scope="module")

SLOW_S: Final = 0.2
WAIT_S: Final = 2  # what a payload asks the database to wait
#: What the core keeps of its own work, and the one row that is the practice's settings.
OTHER_TABLES: Final = (
    *("wellio_job", "wellio_cursor", "wellio_schedule", "wellio_idempotency", "practice_settings"),
)

QUOTES: Final = ("", "'", '"', "`", "')", "'))", "\\'", "%27", "\u02bc", "';", "]", "$$")
CONDITIONS: Final = (
    *(" OR 1=1", " AND 1=2", " OR 'a'='a", " OR 1=1 LIMIT 1 OFFSET 1", " IS NULL", " OR TRUE"),
    *(" UNION SELECT NULL", " UNION ALL SELECT id,email,password_hash,1 FROM auth_user"),
    *("; DROP TABLE auth_user", "; DELETE FROM practice_client", " AND (SELECT 1/0)=1"),
    *("; UPDATE auth_user SET role='owner'", "; ATTACH DATABASE '/tmp/x' AS x", "; VACUUM"),
    *(f"; SELECT pg_sleep({WAIT_S})", f" OR pg_sleep({WAIT_S}) IS NULL", " || (SELECT version())"),
    *(" OR LENGTH(HEX(RANDOMBLOB(500000000)))>0", " OR load_extension('x')", "::int"),
    *(" AND CAST((SELECT id FROM auth_user LIMIT 1) AS INT)=1", " ORDER BY 99", " LIKE '%"),
    *("; COPY auth_user TO PROGRAM 'id'", " MATCH 'a OR b'", " NEAR a*", " ->> '$.a'", " @> '{}'"),
    *(" {in ids}", " :id", " $1", " ?1"),
)
ENDINGS: Final = ("", "--", "-- -", "#", "/*", ";", ")", "'", " AND ('1'='1", "\x00", "%00")
PAYLOADS: Final = tuple(
    "1" + quote + condition + ending
    for quote, condition, ending in itertools.product(QUOTES, CONDITIONS, ENDINGS)
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a payload goes.

    Attributes:
        caller: Who sends it.
        method: How.
        path: Where to; the ids in it exist.
        query: The names of the query's parameters.
        fields: The names of the body's fields.
        body: The body.
        sent: What of the query is sent.
        headers: The headers.
    """

    caller: str
    method: str
    path: str
    query: tuple[str, ...]
    fields: tuple[str, ...]
    body: Any
    sent: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


async def test_a_few_payloads_change_nothing(world: World, seed: int) -> None:
    await inject(world, seed, 2)


@pytest.mark.prove
@pytest.mark.timeout(2400)
async def test_2_000_payloads_change_nothing(world: World, seed: int) -> None:
    await inject(world, seed, 60)


async def test_any_text_comes_back_as_it_was_sent(world: World, seed: int) -> None:
    some = random.Random(seed).sample([it for it in PAYLOADS if it.isprintable()], 20)  # noqa: S311 - reproducible
    for payload in some:
        made = await world.api("carl").post("/tags", {"name": payload[:60]}, status=201)
        assert made.data["name"] == payload[:60].strip()
        found = await world.api("carl").get("/clients", query={"q": payload[:100]}, status=200)
        assert found.data["items"] == []  # a pattern of LIKE it is not
        path = await world.fill("/conversations/{direct}/messages", "carls")
        sent = await world.api("carl").post(path, {"content": payload}, status=201)
        assert sent.data["content"] == payload


async def inject(world: World, seed: int, payloads_of_each: int) -> None:
    """Send so many payloads to every place, and look what they did."""
    rng = random.Random(seed)  # noqa: S311 - reproducible, not secret
    places = [place async for place in every_place(world)]
    before = await snapshot(world.app.app.db)
    statuses, used, slow = Counter[int](), set[str](), list[str]()
    for place in places:
        usual_s = await seconds(world, place)
        for payload in rng.sample(PAYLOADS, payloads_of_each):
            used.add(payload)
            for attack in with_payload(place, payload):
                # Slow once may be the machine; slow each time is the database.
                took, reply = await ask(world, attack)
                statuses[reply.status] += 1
                assert reply.status < 500, f"{attack}: {reply.content.decode()}"
                if took > usual_s + SLOW_S and min(await again(world, attack)) > usual_s + SLOW_S:
                    slow.append(f"{took:.2f} s: {attack}")
    print(
        f"\nA19 {sum(statuses.values())} injections, {len(used)} payloads, {len(places)} places:"
        f" {dict(sorted(statuses.items()))}"
    )
    assert not slow, "\n".join(slow[:20])
    about = [*(world.ids[name] for name in ("owner", "carl", "mia")), *await things(world)]
    gone = changes(before, await snapshot(world.app.app.db), about, OTHER_TABLES)
    assert not gone, "\n".join(gone[:20])
    assert {(await world.api(name).get("/me")).status for name in ("dana", "noah")} == {200}


async def every_place(world: World) -> AsyncIterator[Place]:
    """Yield each endpoint once, with a caller who may call it; what deletes comes last."""
    openapi = world.app.openapi["paths"]
    rules = [(rule.call, rule.path, rule.yes.split(), rule.body) for rule in RULES]
    rules += [(rule.call, rule.path, ["nobody"], rule.body) for rule in PUBLIC]
    each = {rule[0]: rule for rule in rules if rule[2]}.values()
    for call, path, callers, body in sorted(each, key=lambda rule: rule[0].startswith("DELETE")):
        method, _, template = call.partition(" ")
        parameters = openapi[template][method.lower()]["parameters"]
        yield Place(
            caller=next((one for one in ("carl", "owner", "mia") if one in callers), callers[0]),
            method=method,
            path=await world.fill(path, "carls"),
            query=tuple(it["name"] for it in parameters if it.get("in") == "query"),
            fields=fields_of(world, openapi[template][method.lower()]),
            body=await world.fill(body, "carls"),
        )


def fields_of(world: World, operation: Any) -> tuple[str, ...]:
    """Return the names of a body's fields."""
    if "requestBody" not in operation:
        return ()
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    schemas = world.app.openapi["components"]["schemas"]
    return tuple(schemas[schema["$ref"].rpartition("/")[2]]["properties"])


def with_payload(place: Place, payload: str) -> Iterator[Place]:
    """Put a payload into each parameter by turns."""
    for part in re.findall(r"[0-9a-f-]{36}", place.path):
        yield replace(place, path=place.path.replace(part, quoted(payload)))
    for name in place.query:
        yield replace(place, sent={name: payload})
    for name in place.fields:
        yield replace(place, body={**(place.body or {}), name: payload})
    for name in ("User-Agent", "X-Request-Id", "Idempotency-Key", "Authorization"):
        value = "".join(char for char in payload if " " <= char <= "~")
        yield replace(place, headers={name: value})


def quoted(payload: str) -> str:
    """Write a payload as one segment of a path."""
    return "".join(f"%{byte:02x}" for byte in payload.encode())


async def ask(world: World, place: Place) -> tuple[float, Reply]:
    """Send a request; return how long its answer took, in seconds."""
    if place.caller != "nobody" and "/auth/" in place.path:
        await world.sign_in(place.caller)  # the one before may have logged them out
    started = time.perf_counter()
    reply = await world.api(place.caller).request(
        place.method, place.path, place.body, query=place.sent, headers=place.headers
    )
    return time.perf_counter() - started, reply


async def seconds(world: World, place: Place) -> float:
    """Return how long a place takes without a payload, the longest of three times."""
    harmless = replace(place, headers={"User-Agent": "nobody"})
    return max([(await ask(world, harmless))[0] for _ in range(3)])


async def again(world: World, place: Place) -> list[float]:
    return [(await ask(world, place))[0] for _ in range(3)]


async def things(world: World) -> list[str]:
    """Return the ids of what the requests were about."""
    kinds = ("client", "tag", "direct", "group", "message", "invitation", "session")
    return [await world.id_of(kind, "carls") for kind in kinds]


async def test_there_are_enough_payloads() -> None:
    assert len(set(PAYLOADS)) >= 2_000
