"""A21, REST: what a page of somebody else's site can do with a visitor's browser.

`tests/core/http/test_cors.py` proves the list of origins. Here every endpoint is asked on behalf of
forty strangers, in the ways in which a page may ask without asking first; and whatever a browser
fetches by itself changes nothing.
"""

from collections.abc import Iterator

import pytest

from tests.attack.snapshot import additions, changes, snapshot
from tests.attack.wire import exchange, request
from tests.contract.rules import PUBLIC, RULES
from tests.core.http.test_cors import ALLOWED, STRANGERS
from wellio.testing import World

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.sqlite("a browser's rules, before any database"),
]

#: What a form may send, and a script without a preflight.
SIMPLE = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "")
ASKING = b"Access-Control-Request-Method: POST"
#: The answer that lets a page read, or send what it has to ask for.
PERMISSION = b"\r\naccess-control-"


def calls() -> Iterator[tuple[str, str, str]]:
    """Yield every endpoint's method and path, and who may call it."""
    for rule in RULES:
        if rule.yes:
            yield rule.call.partition(" ")[0], rule.path, rule.yes.split()[0]
    for public in PUBLIC:
        yield public.call.partition(" ")[0], public.path, "nobody"


def full(path: str) -> bytes:
    return (path[1:] if path.startswith("//") else f"/api/v1{path}").encode()


async def test_no_stranger_reads_an_answer_or_may_ask(world: World) -> None:
    strangers = [origin.encode() for origin in (*STRANGERS, *ALLOWED)]  # nobody is on the list here
    port, asked = world.app.config.server.port, 0
    for number, (method, path, caller) in enumerate(sorted(set(calls()))):
        target = full(await world.fill(path, "carls"))
        credential = world.people[caller]
        headers = [b"Authorization: Bearer " + credential.token.encode()] if credential else []
        if method not in {"GET", "HEAD"}:
            headers = []  # what changes something is not what this is about
        origin = strangers[number % len(strangers)]
        for data in (
            request(method, target, b"Origin: " + origin, *headers),
            request("OPTIONS", target, b"Origin: " + origin, ASKING),
        ):
            got = await exchange(port, data)
            asked += 1
            assert not any(PERMISSION in answer.lower() for answer in got.answers), (path, origin)
    assert asked >= 2 * len(strangers)


async def test_every_stranger_is_refused_at_one_endpoint(world: World) -> None:
    port = world.app.config.server.port
    token = world.people["carl"]
    assert token is not None
    head = b"Authorization: Bearer " + token.token.encode()
    for origin in STRANGERS:
        got = await exchange(
            port, request("GET", b"/api/v1/me", b"Origin: " + origin.encode(), head)
        )
        assert got.answers, origin
        assert not any(PERMISSION in answer.lower() for answer in got.answers), origin


async def test_what_a_form_sends_is_no_body(world: World) -> None:
    await world.app.settled()  # what its people's making began is done
    before = await snapshot(world.app.app.db)
    for rule in RULES:
        if not rule.yes or rule.body is None:
            continue
        method = rule.call.partition(" ")[0]
        for media_type in SIMPLE:
            reply = await world.api(rule.yes.split()[0]).request(
                method,
                await world.fill(rule.path, "carls"),
                content=b'{"name":"a","content":"b"}',
                headers={"Content-Type": media_type},
            )
            assert reply.status in {403, 404, 415}, f"{rule.call} {media_type}: {reply.status}"
    after = await snapshot(world.app.app.db)
    assert changes(before, after) == []


async def test_nothing_that_is_only_read_changes_anything(world: World) -> None:
    for kind in ("tag", "invitation", "direct", "group", "message", "client", "session"):
        await world.id_of(kind, "carls")
    await world.app.app.bus.settled()
    before = await snapshot(world.app.app.db)
    read = 0
    for method, path, caller in calls():
        if method != "GET":
            continue
        for verb in ("GET", "HEAD"):
            reply = await world.api(caller).request(verb, await world.fill(path, "carls"))
            assert reply.status in {200, 404}, path
            read += reply.status == 200
    await world.app.app.bus.settled()
    after = await snapshot(world.app.app.db)
    assert read > 30
    assert (changes(before, after), additions(before, after)) == ([], {})
