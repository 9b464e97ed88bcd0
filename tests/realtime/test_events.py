"""Socket events: schemas, permissions and problems in acknowledgements."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from tests.realtime.conftest import Serve
from tests.realtime.practice_app import HUB, SOCKETS, Sockets, create_app
from tests.realtime.test_plain_websocket import ask, enter
from wellio.errors import PluginError
from wellio.realtime import EventRouter, Hub, emits
from wellio.testing import DEADLINE_S
from wellio.wire import Wire

PROBLEMS: list[tuple[str, str, Any, int, str]] = [
    ("alice", "nothing", None, 404, "unknown_event"),
    ("alice", "__class__", None, 404, "unknown_event"),
    ("alice", "refuse", None, 409, "local_id_reused"),
    ("alice", "send_message", {"content": 7}, 422, "invalid_request"),
    ("alice", "send_message", {}, 422, "invalid_request"),
    ("alice", "send_message", "text", 422, "invalid_request"),
    ("alice", "send_message", None, 422, "invalid_request"),
    ("alice", "send_message", {"content": "x", "more": 1}, 422, "invalid_request"),
    ("guest", "send_message", {"content": "x"}, 403, "forbidden"),
    ("guest", "send_message", {}, 403, "forbidden"),
]


@pytest.mark.parametrize("case", PROBLEMS, ids=lambda case: f"{case[0]} {case[1]} {case[2]}")
async def test_problems(serve: Serve, case: tuple[str, str, Any, int, str]) -> None:
    token, event, data, status, code = case
    ws = await enter(await serve(create_app()), token)
    ack = await ask(ws, event, data)
    assert ack["ok"] is False
    assert (ack["error"]["status"], ack["error"]["code"]) == (status, code)
    assert ack["error"]["requestId"]


async def test_every_wrong_field_is_named_and_no_input_echoed(serve: Serve) -> None:
    ws = await enter(await serve(create_app()), "alice")
    error = (await ask(ws, "send_message", {"content": ["secret"], "more": "secret"}))["error"]
    assert sorted(e["pointer"] for e in error["errors"]) == ["/content", "/more"]
    assert "secret" not in str(error)


@pytest.mark.parametrize(
    "value, code", [("\ud800", "invalid"), (2**63, "too_large"), (10**3000, "too_large")]
)
async def test_what_nothing_can_hold_is_a_wrong_field(
    serve: Serve, value: object, code: str
) -> None:
    ws = await enter(await serve(create_app()), "alice")
    error = (await ask(ws, "send_message", {"content": value}))["error"]
    assert error["status"] == 422
    assert [(it["pointer"], it["code"]) for it in error["errors"]] == [("/content", code)]


async def test_a_bug_is_logged_without_the_payload(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    ws = await enter(await serve(create_app()), "alice")
    ack = await ask(ws, "break", {"content": "secret"})
    assert (ack["error"]["status"], ack["error"]["code"]) == (500, "internal_error")
    assert "RuntimeError: a bug" in caplog.text
    assert "secret" not in caplog.text
    assert "a bug" not in str(ack)
    assert (await ask(ws, "send_message", {"content": "still here"}))["ok"]
    caplog.clear()


async def test_a_bug_in_authentication(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    peer = await serve(create_app())
    ws = await peer.websocket("/socket.io/")
    await ws.send('40{"token":"boom"}')
    assert await ws.closed() == 1013
    assert "RuntimeError: a bug" in caplog.text
    caplog.clear()


async def test_permissions_are_those_of_the_moment(serve: Serve) -> None:
    app = create_app()
    ws = await enter(await serve(app), "alice")
    assert (await ask(ws, "send_message", {"content": "x"}))["ok"]
    (client,) = app[HUB].clients("alice")
    client.actor = replace(client.actor, permissions=frozenset())
    assert (await ask(ws, "send_message", {"content": "x"}))["error"]["status"] == 403


async def test_an_event_without_a_permission_is_closed_to_keys(serve: Serve) -> None:
    app = create_app()
    ws = await enter(await serve(app), "alice")
    (client,) = app[HUB].clients("alice")
    client.actor = replace(client.actor, key_id="k1")
    assert (await ask(ws, "send_message", {"content": "x"}))["ok"]
    assert (await ask(ws, "refuse"))["error"]["status"] == 403


async def test_handlers_begin_in_the_order_of_arrival(serve: Serve) -> None:
    app = create_app()
    ws = await enter(await serve(app), "alice")
    sent = [str(n) for n in range(300)]
    await ws.send(*(f'{{"event":"send_message","data":{{"content":"{n}"}}}}' for n in sent))
    await ask(ws, "send_message", {"content": "last"})
    assert app[SOCKETS].handled == [*sent, "last"]


async def test_reading_stops_while_too_much_is_being_handled(serve: Serve) -> None:
    app = create_app()
    peer = await serve(app)
    ws = await enter(peer, "alice")
    await ws.send(*['{"event":"wait","id":1}'] * 200)
    sockets = app[SOCKETS]
    async with asyncio.timeout(DEADLINE_S):
        await sockets.reached(64)
    assert await ask(
        await enter(peer, "bob"), "refuse"
    )  # the server has gone on, but not with alice's events
    assert sockets.waiting == 64
    sockets.gate.set()
    for _ in range(200):
        assert await ws.receive()


async def test_events_are_counted(serve: Serve) -> None:
    counted: list[tuple[str, str]] = []
    app = create_app(observe=lambda name, outcome, _: counted.append((name, outcome)))
    ws = await enter(await serve(app), "alice")
    for event in ("send_message", "refuse", "made up by the client"):
        await ask(ws, event, {"content": "x"})
    assert counted == [
        ("send_message", "ok"),
        ("refuse", "local_id_reused"),
        ("unknown", "unknown_event"),
    ]


def test_one_handler_for_an_event() -> None:
    router = EventRouter([Sockets(Hub())])
    assert router.events[-1].name == "wait"
    with pytest.raises(PluginError, match="ask_back has two handlers"):
        router.add(Sockets(Hub()))


class Note(Wire):
    """A note was taken."""


class Other(Wire):
    """Something else."""


def test_an_event_that_the_server_sends_has_one_form() -> None:
    @emits("note", Note)
    @emits("other", Other)
    class First:
        pass

    @emits("note", Note)
    class Again(First):
        pass

    @emits("note", Other)
    class Different:
        pass

    router = EventRouter([First(), Again()])
    assert [(it.name, it.data) for it in router.emitted] == [("note", Note), ("other", Other)]
    with pytest.raises(PluginError, match="note is declared twice"):
        router.add(Different())
