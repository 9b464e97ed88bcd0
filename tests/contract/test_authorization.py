"""Every endpoint and socket event refuses nobody, the wrong role, and somebody else's object.

The table is `access.py`; what it leaves out fails here.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import pytest
import socketio

from tests.contract.access import EVENTS, PUBLIC, RULES, SCOPES, Rule
from tests.contract.exposure import overexposed
from tests.contract.world import KEYS, REFUSED, SIGNED_IN, World, leaked, person, session_of
from wellio.realtime import EventRouter
from wellio.testing import DEADLINE_S, Reply, Socket, Sockets

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONNECTING = (*SIGNED_IN, *KEYS)
CALLERS = (*REFUSED, *CONNECTING)
PROTOCOLS = ("plain", "io")
#: Who is in a conversation that something is sent to, and may read it.
HEARING = {"carl", "dana", "mia", "noah", "carl's key", "carl's chatting key"}
#: Headers that differ from request to request.
OF_THE_MOMENT = {"date", "x-request-id"}


def operations(world: World) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Find what the router serves."""
    for path, methods in world.app.app.http.openapi["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def events(world: World) -> Mapping[str, str | None]:
    """Return the permission that each socket event needs."""
    asked = world.app.app.plugins.ask("register_socket_events", app=world.app.app)
    router = EventRouter([item for _, answer in asked for item in answer])
    return {event.name: event.permission for event in router.events}


async def test_every_endpoint_is_in_the_table(world: World) -> None:
    served = {(call, operation.get("security") == []) for call, operation in operations(world)}
    listed = {(rule.call, False) for rule in RULES} | {(rule.call, True) for rule in PUBLIC}
    assert served == listed


async def test_every_socket_event_is_in_the_table(world: World) -> None:
    assert sorted(events(world)) == sorted(rule.call for rule in EVENTS)


async def test_the_table_says_what_every_key_needs(world: World) -> None:
    needed = {name: permission for name, permission in events(world).items() if permission}
    for call, operation in operations(world):
        for scheme in operation.get("security", ()):
            if "apiKey" in scheme:
                needed[call] = "".join(scheme["apiKey"]) or "*"
    assert needed == SCOPES
    of_a_coach = world.app.app.permissions["coach"] & world.app.app.scopes
    assert of_a_coach == set(KEYS["carl's key"][1])


async def test_it_is_a_large_table() -> None:
    """Security test A7 asks for 3,000 cells; each is tried on both engines."""
    requests = sum(len(rule.targets) for rule in RULES) * len(CALLERS)
    public = len(PUBLIC) * len(CALLERS)
    messages = sum(len(rule.targets) for rule in EVENTS) * len(CONNECTING) * len(PROTOCOLS)
    cells = requests + public + messages
    print(f"{cells} cells: {requests} requests, {public} public, {messages} socket events")
    assert cells >= 3_000


@dataclass(frozen=True)
class Cell:
    """One caller, one call, one thing."""

    rule: Rule
    caller: str
    target: str
    path: str
    body: Any

    @property
    def expected(self) -> tuple[int, ...]:
        return self.rule.expected(self.caller, self.target)

    @property
    def method(self) -> str:
        return self.rule.call.partition(" ")[0]

    @property
    def changes_nothing(self) -> bool:
        return self.method == "GET" or min(self.expected) >= 400


async def cells(world: World, rule: Rule, target: str) -> list[Cell]:
    """Return a row of the table: what everybody asks for."""
    return [
        Cell(
            rule,
            caller,
            target,
            await world.fill(rule.path, target),
            await world.fill(rule.body, target),
        )
        for caller in CALLERS
    ]


async def test_every_cell_of_the_table(world: World) -> None:
    wrong: list[str] = []
    missing: dict[str, set[str]] = defaultdict(set)

    async def ask(cell: Cell) -> None:
        reply = await world.api(cell.caller).request(cell.method, cell.path, cell.body)
        where = f"{cell.caller}: {cell.rule.call} of {cell.target}"
        if reply.status not in cell.expected:
            wrong.append(f"{where}: {reply.status}, {cell.expected}")
        wrong.extend(f"{where}: reads {it}" for it in leaked(reply.content.decode(), cell.caller))
        user_id = world.ids.get(person(cell.caller))
        shown = overexposed(reply, cell.rule.call, cell.caller, user_id)
        wrong.extend(f"{where}: {it}" for it in shown)
        if reply.status == 404:
            missing[cell.rule.call].add(_anonymous(reply))
        if reply.status < 300:
            await world.replace(cell.rule.uses_up, cell.caller)

    for rule in RULES:
        for target in rule.targets:
            row = await cells(world, rule, target)
            await asyncio.gather(*(ask(cell) for cell in row if cell.changes_nothing))
            for cell in row:
                if not cell.changes_nothing:
                    # What one used up is another thing for the next.
                    path, body = [await world.fill(it, target) for it in (rule.path, rule.body)]
                    await ask(replace(cell, path=path, body=body))
    assert wrong == []
    assert {call: answers for call, answers in missing.items() if len(answers) > 1} == {}


async def test_public_endpoints_look_at_no_credential(world: World) -> None:
    wrong = []
    for rule in PUBLIC:
        method = rule.call.partition(" ")[0]
        for caller in CALLERS:
            reply = await world.api(caller).request(method, rule.path, rule.body)
            if reply.status != rule.status or leaked(reply.content.decode(), caller):
                wrong.append(f"{caller}: {rule.call}: {reply.status}")
    assert wrong == []


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_every_socket_event_of_everybody(
    world: World, sockets: Sockets, protocol: str
) -> None:
    wrong: list[str] = []
    missing: dict[str, set[str]] = defaultdict(set)
    connect: Callable[..., Awaitable[Socket]] = getattr(sockets, protocol)
    opened = {caller: await connect(world.app.url, world.people[caller]) for caller in CONNECTING}
    for rule in EVENTS:
        for target in rule.targets:
            for caller, socket in opened.items():
                body = await world.fill(rule.body, target)
                if rule.call == "send_message":
                    body["content"] = f"chat-of-{target}"
                ack = await socket.call(rule.call, body)
                status = 200 if ack["ok"] else ack["error"]["status"]
                expected = rule.expected(caller, target)
                if status not in expected:
                    wrong.append(f"{caller}: {rule.call} of {target}: {status}, {expected}")
                if leaked(str(ack), caller):
                    wrong.append(f"{caller} reads too much in {rule.call} of {target}")
                if status == 404:
                    missing[rule.call].add(str({**ack["error"], "requestId": ""}))
    for caller in HEARING:
        await opened[caller].receive("new_message")
    for caller, socket in opened.items():
        if protocol == "plain":  # what was sent to it before the answer is here by then
            await socket.call("nothing", None)
        wrong += [f"{caller} is told {secret}" for secret in leaked(str(socket.received), caller)]
    assert wrong == []
    assert {call: answers for call, answers in missing.items() if len(answers) > 1} == {}
    for caller in opened.keys() - HEARING:
        events_heard = {event for event, _ in opened[caller].received}
        assert events_heard <= {"presence"}, caller


BAD_TOKENS: tuple[Any, ...] = ({}, {"token": 7}, {"token": ""}, {"token": "forged"})


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_bad_credentials_open_no_socket(world: World, protocol: str) -> None:
    refuse = _refused_plain if protocol == "plain" else _refused_io
    bad = [{"token": it.token} for name in REFUSED if (it := world.people[name]) is not None]
    for auth in (*bad, *BAD_TOKENS):
        problem = await refuse(world.app.url, auth)
        assert problem["status"] == 401, auth
        assert set(problem) == {"type", "title", "status", "detail", "code", "requestId"}
        assert "forged" not in str(problem)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_what_ends_a_session_ends_its_socket(
    world: World, sockets: Sockets, protocol: str
) -> None:
    connect: Callable[..., Awaitable[Socket]] = getattr(sockets, protocol)
    nora = f"/users/{world.ids['nora']}"
    for end in ("logout", "revoke", "disable"):
        await world.sign_in("nora", "other device")
        ending = world.people["other device"]
        assert ending is not None
        socket = await connect(world.app.url, ending)
        match end:
            case "logout":
                await world.api("other device").post("/auth/logout", status=204)
            case "revoke":
                path = f"/auth/sessions/{session_of(ending)}"
                await world.api("nora").delete(path, status=204)
            case "disable":
                await world.api("owner").patch(nora, {"status": "disabled"}, status=200)
        async with asyncio.timeout(DEADLINE_S):
            assert await socket.receive("session_revoked") == {"reason": "session_revoked"}
            await socket.closed.wait()
        await world.api("other device").get("/me", status=401)
    await world.api("owner").patch(nora, {"status": "active"}, status=200)
    await world.api("nora").get("/me", status=401)
    await world.sign_in("nora")


def _anonymous(reply: Reply) -> str:
    """Return a problem, headers and all, without what differs from request to request."""
    headers = {name.lower(): value for name, value in reply.headers.items()}
    lasting = {name: headers[name] for name in sorted(headers.keys() - OF_THE_MOMENT)}
    # A request's id is not always of one length.
    lasting["content-length"] = str(int(headers["content-length"]) - len(reply.data["requestId"]))
    return str(({**reply.data, "requestId": ""}, lasting))


async def _refused_plain(url: str, auth: Any) -> dict[str, Any]:
    """Be refused by `/ws`, and return the problem."""
    async with (
        aiohttp.ClientSession(url) as session,
        session.ws_connect("/ws") as connection,
    ):
        await connection.send_json({"event": "auth", "data": auth, "id": 1})
        frame = await connection.receive_json(timeout=DEADLINE_S)
        assert (await connection.receive(timeout=DEADLINE_S)).type is aiohttp.WSMsgType.CLOSE
        assert connection.close_code == 4401
    assert (frame["event"], frame["data"]["ok"]) == ("ack", False)
    return dict(frame["data"]["error"])


async def _refused_io(url: str, auth: Any) -> dict[str, Any]:
    """Be refused by Socket.IO, and return the problem."""
    client = socketio.AsyncClient(reconnection=False)
    errors: list[Any] = []
    client.on("connect_error", errors.append)
    with pytest.raises(socketio.exceptions.ConnectionError):
        await client.connect(url, auth=auth, wait_timeout=DEADLINE_S)
    await client.disconnect()
    return dict(errors[0]["data"])
