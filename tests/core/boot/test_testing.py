"""The shipped fixtures: they must fail a test that they should fail, and wait as they should."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import socketio
from aiohttp import web

from tests.children import run
from wellio import (
    Ack,
    Actor,
    Client,
    Event,
    Plugin,
    Unauthorized,
    Wellio,
    Wire,
    created,
    emits,
    endpoint,
    hookimpl,
    new_id,
    socket_event,
)
from wellio.testing import DEADLINE_S, Api, Recorder, Scenario, Sockets, StartApp, TestApp

pytestmark = pytest.mark.sqlite("test_shared_app.py has the fixtures on both")


class NoteTaken(Event, name="note.taken", about=None):
    """A note was taken."""


class Note(Wire):
    text: str


class ShoutAck(Ack):
    text: str


class Heard(Note):
    """Somebody shouted."""

    by: str


class Person:
    """Somebody whose token is their name."""

    def __init__(self, name: str) -> None:
        self.token = name


class Tokens:
    async def from_request(self, request: web.Request) -> Actor | None:
        header = request.headers.get("Authorization")
        return await self.from_token(header.removeprefix("Bearer ")) if header else None

    async def from_token(self, token: str) -> Actor | None:
        if token == "forged":
            raise Unauthorized
        return Actor(token, "client", None, frozenset())


@emits("heard", Heard)
class Notes:
    """Endpoints and events that do what they say, and one that does not."""

    def __init__(self, app: Wellio) -> None:
        self.app = app

    @endpoint(
        "POST",
        "/notes",
        body=Note,
        returns=Note,
        status=201,
        summary="Take a note.",
        signed_in=True,
    )
    async def take(self, request: web.Request, body: Note) -> Any:
        await self.app.db.write(self.app.bus.publish, NoteTaken(actor_id=new_id()))
        return created({"text": body.text}, "/notes/1")

    @endpoint("GET", "/liar", public=True, returns=Note, summary="Break the promise.")
    async def lie(self, request: web.Request) -> Mapping[str, Any]:
        return {"text": 7}

    @socket_event("shout", body=Note, ack=ShoutAck, signed_in=True)
    async def shout(self, client: Client, body: Note) -> dict[str, Any]:
        self.app.hub.emit(["ann", "bob"], "heard", {"text": body.text, "by": client.actor.user_id})
        return {"text": body.text}

    @socket_event("whisper", body=Note, signed_in=True)
    async def whisper(self, client: Client, body: Note) -> dict[str, Any]:
        """Break the promise of the event or of the acknowledgement, or promise nothing."""
        what = {"heard": {"text": 7}, "unheard": {}}
        if body.text in what:
            client.emit(body.text, what[body.text])
            return {}
        return {"text": body.text}


class NotesPlugin:
    PLUGIN = Plugin("notes", "1.0")

    @hookimpl
    def register_events(self) -> Sequence[type[Event]]:
        return [NoteTaken]

    @hookimpl
    def register_routes(self, app: Wellio) -> Sequence[object]:
        return [Notes(app)]

    @hookimpl
    def register_socket_events(self, app: Wellio) -> Sequence[object]:
        return [Notes(app)]

    @hookimpl
    def register_authenticators(self, app: Wellio) -> Sequence[object]:
        return [Tokens()]


@pytest.fixture
async def app(wellio_app: StartApp) -> TestApp:
    return await wellio_app(plugins=[NotesPlugin()])


ANN, BOB = Person("ann"), Person("bob")
TAKE = Scenario(
    "ann takes a note",
    "POST",
    "/notes",
    as_="ann",
    body={"text": "{word}"},
    status=201,
    contains=('"text":"hello"',),
    absent=("secret",),
    events=("note.taken",),
)


async def test_a_scenario_that_holds(app: TestApp) -> None:
    reply = await TAKE.run(app, {"ann": ANN}, {"word": "hello"})
    assert reply.data == {"text": "hello"}
    assert app.bus.names == ["note.taken"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": 200},
        {"contains": ("bye",)},
        {"absent": ("hello",)},
        {"events": ()},
        {"events": ("note.taken", "note.taken")},
        {"code": "conflict"},
        {"as_": None},
    ],
    ids=str,
)
async def test_a_scenario_that_does_not_hold(app: TestApp, wrong: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        await replace(TAKE, **wrong).run(app, {"ann": ANN}, {"word": "hello"})


async def test_a_404_that_is_asserted_is_that_of_a_route(app: TestApp) -> None:
    reply = await app.api.as_(ANN).get("/ntoes")
    assert reply.code == "not_found"
    with pytest.raises(AssertionError, match="there is no such route"):
        await app.api.as_(ANN).get("/ntoes", status=404)
    with pytest.raises(AssertionError, match="there is no such route"):
        await Scenario("misspelt", "GET", "/ntoes", as_="ann", status=404).run(app, {"ann": ANN})


async def test_an_answer_that_is_not_as_described_fails_the_test(app: TestApp) -> None:
    with pytest.raises(AssertionError, match="not as documented"):
        await app.api.get("/liar")
    with pytest.raises(AssertionError, match="path is not documented"):
        await app.api.get("//socket.io/?EIO=4&transport=polling")


async def test_a_status_that_is_named_is_asserted(app: TestApp) -> None:
    await app.api.post("/notes", {"text": "x"}, status=401)
    with pytest.raises(AssertionError, match="POST /api/v1/notes: 401"):
        await app.api.post("/notes", {"text": "x"}, status=201)
    assert (await app.api.as_(ANN).post("/notes", {"txt": "x"})).status == 422


async def test_data_and_address_outlive_a_restart(app: TestApp) -> None:
    before, url = app.app, app.url
    await app.api.as_(ANN).post("/notes", {"text": "x"}, status=201)
    await app.restart()
    assert app.app is not before
    assert (app.url, app.bus.names) == (url, [])
    row = await app.app.db.fetch_one("SELECT count(*) AS n FROM wellio_event")
    assert row
    assert row["n"] == 1


async def test_apps_do_not_share_anything(wellio_app: StartApp, engine: str) -> None:
    one, two = await wellio_app(plugins=[NotesPlugin()]), await wellio_app(plugins=[NotesPlugin()])
    await one.api.as_(ANN).post("/notes", {"text": "x"}, status=201)
    assert (one.bus.names, two.bus.names) == (["note.taken"], [])
    assert one.url != two.url
    assert one.app.db.engine == engine
    assert await wellio_app.first() is one


async def test_api_and_bus_are_those_of_the_first_app(
    app: TestApp, api: Api, bus: Recorder
) -> None:
    assert api.session is app.api.session
    assert bus is app.bus


@pytest.mark.parametrize("kind", ["plain", "io"])
async def test_sockets_call_and_receive(
    app: TestApp, sockets: Sockets, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = getattr(sockets, kind)
    ann, bob = await connect(app.url, ANN), await connect(app.url, BOB)
    assert await ann.call("shout", {"text": "one"}) == {"ok": True, "text": "one"}
    assert await bob.call("shout", {"text": "two"}) == {"ok": True, "text": "two"}
    assert await bob.receive("heard", by="bob") == {"text": "two", "by": "bob"}
    assert await bob.receive("heard") == {"text": "one", "by": "ann"}
    assert not (await ann.call("shout", {}))["ok"]
    monkeypatch.setattr("wellio.testing.sockets.DEADLINE_S", 0.05)
    with pytest.raises(TimeoutError):
        await bob.receive("heard")


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("heard", "event heard is not as declared: .*'by' is a required property"),
        ("unheard", "no @emits declares it"),
        ("x", "acknowledgement of whisper is not as declared"),
    ],
)
async def test_what_goes_over_a_socket_is_as_declared(
    app: TestApp, sockets: Sockets, text: str, complaint: str
) -> None:
    ann = await sockets.plain(app.url, ANN)
    with pytest.raises(AssertionError, match=complaint):
        await ann.call("whisper", {"text": text})
    assert (await ann.call("shout", {"text": "x"}))["ok"]


async def test_who_is_refused_gets_no_socket(app: TestApp, sockets: Sockets) -> None:
    with pytest.raises(AssertionError):
        await sockets.plain(app.url, Person("forged"))
    with pytest.raises(socketio.exceptions.ConnectionError):
        await sockets.io(app.url, Person("forged"))


async def test_a_socket_tells_that_the_server_went(app: TestApp, sockets: Sockets) -> None:
    plain, io = await sockets.plain(app.url, ANN), await sockets.io(app.url, BOB)
    await app.stop()
    async with asyncio.timeout(DEADLINE_S):
        await plain.closed.wait()
        await io.closed.wait()
    assert plain.connection.close_code == 1012


#: Runs pytest as if what `wellio[testing]` brings were not installed.
WITHOUT = """
import importlib.machinery, sys
import pytest

class Finder(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        absent = {"jsonschema", "pytest_aiohttp", "pytest_asyncio"}
        return None if name.partition(".")[0] in absent else super().find_spec(name, path, target)

sys.meta_path[:] = [Finder if it is importlib.machinery.PathFinder else it for it in sys.meta_path]
others = [f"-pno:{name}" for name in ("aiohttp", "asyncio", "hypothesispytest", "schemathesis")]
sys.exit(pytest.main(["-q", "-pno:cacheprovider", *others]))
"""


def test_without_what_it_needs_other_tests_go_on(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "def test_of_somebody_else(): pass\ndef test_of_wellio(make_user): pass\n"
    )
    done = run(sys.executable, "-c", WITHOUT, cwd=tmp_path)
    assert 'pip install "wellio[testing]"' in done.stdout, done.stdout + done.stderr
    assert "1 passed, 1 error" in done.stdout
