"""A26: secrets and what people write, as canaries through the whole API, on both engines.

Each is a word that stands nowhere else. Afterwards they are looked for where they have no business:
in the log at its most talkative, in what everybody may read, in every refusal, in the event log, in
the job rows, and in any other place of the database than the columns that hold them.
"""

import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import pytest
import pytest_asyncio
from aiohttp import web

from tests.attack.snapshot import snapshot
from tests.contract.conftest import START_MS
from tests.contract.rules import RULES, TABLES
from tests.core.http.small_app import Lines, logged
from wellio import ManualClock, Plugin, Wellio, endpoint, hookimpl
from wellio.testing import Sockets, World
from wellio.testing.engines import EngineName
from wellio.testing.plugin import StartApp
from wellio.testing.users import PASSWORD

pytestmark = pytest.mark.asyncio(loop_scope="module")

MASTER_KEY: Final = hashlib.sha256(b"canary").hexdigest()
METRICS_TOKEN: Final = "canary-of-prometheus"
JWT_SECRET: Final = hashlib.sha256(b"another canary").hexdigest()
NEW_PASSWORD: Final = "Canary password, seven kettles"
WORD: Final = "Zxq7Canary"
#: The columns that hold what people write, and nothing else may.
HOLDERS: Final = {
    *("auth_user", "auth_session", "auth_invitation", "practice_client", "practice_tag"),
    *("practice_settings", "chat_message", "chat_conversation"),
}


class FailingApi:
    """Fails with everything in its hands."""

    @endpoint("POST", "/canaries/fail", public=True, status=204)
    async def fail(self, request: web.Request) -> None:
        """Raise an error that quotes what was sent."""
        secret = await request.text()
        raise ValueError(f"cannot read {secret}", request.headers.get("Authorization"))


class FailingPlugin:
    """Brings it."""

    PLUGIN = Plugin(name="failing", version="1")

    @hookimpl
    def register_routes(self, app: Wellio) -> list[object]:
        return [FailingApi()]


@dataclass
class Canaries:
    """What must not be found.

    Attributes:
        words: Each canary by its name.
    """

    words: dict[str, str] = field(default_factory=dict)

    def found_in(self, text: str) -> list[str]:
        """Return which of them stand in a text, in whatever case."""
        lower = text.lower()
        return [name for name, word in self.words.items() if word.lower() in lower]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lines(engine: EngineName) -> AsyncIterator[Lines]:
    """Collect what each engine's run logs."""
    with logged("debug") as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(engine: EngineName, wellio_databases: Any, lines: Lines) -> AsyncIterator[World]:
    """Populate the practice anew, with secrets that can be recognised."""
    settings = {
        "secrets.master_key": MASTER_KEY,
        "server.metrics_token": METRICS_TOKEN,
        "plugins.auth.jwt_secret": JWT_SECRET,
        "log.access": True,
    }
    async with AsyncExitStack() as ends:
        clock = ManualClock(START_MS)
        start = StartApp(partial(wellio_databases, engine), ends)
        made = World(await start(clock=clock, settings=settings), *TABLES)
        await made.populate(clock)
        yield made


@pytest.mark.slow("it drives everything once, to read what gets out")
async def test_no_canary_gets_out(world: World, lines: Lines, shared_sockets: Sockets) -> None:
    canaries = Canaries(
        {
            "the master key": MASTER_KEY,
            "the metrics token": METRICS_TOKEN,
            "the signing secret": JWT_SECRET,
            "a password": PASSWORD,
            "a new password": NEW_PASSWORD,
            "what somebody wrote": WORD,
        }
    )
    for name, credential in world.people.items():
        if credential is not None and name != "refresh":
            canaries.words[f"the access token of {name}"] = credential.token.rpartition(".")[2]
    refusals = [text async for text in everything(world, canaries)]
    await talk(world, shared_sockets)
    await world.app.app.bus.settled()

    assert len(refusals) > 100
    assert canaries.found_in("\n".join(refusals)) == []
    telling = [line for line in lines.text.splitlines() if canaries.found_in(line)]
    assert not telling, "\n".join(telling[:5])
    assert len(lines.all()) > 100  # it was there, and talkative
    bound = {"Authorization": f"Bearer {METRICS_TOKEN}"}
    for path in ("//metrics", "//health", "//health/chat", "//openapi.json", "//livez", "//docs"):
        reply = await world.api("nobody").get(path, headers=bound, status=200)
        assert canaries.found_in(reply.content.decode()) == [], path
    for table, rows in (await snapshot(world.app.app.db)).items():
        found = canaries.found_in("\n".join(rows))
        allowed = ["what somebody wrote"] if table in HOLDERS else []
        assert [name for name in found if name not in allowed] == [], table


async def test_they_were_really_there(world: World) -> None:
    rows = await snapshot(world.app.app.db)
    holding = {table for table, found in rows.items() if WORD in "\n".join(found)}
    assert holding >= {"chat_message", "practice_client", "practice_tag"}


async def everything(world: World, canaries: Canaries) -> AsyncIterator[str]:
    """Call every endpoint with canaries, well and badly; yield what is refused."""
    api = world.app.api
    for rule in RULES:
        if not rule.yes:
            continue
        method, caller = rule.call.partition(" ")[0], rule.yes.split()[0]
        path = await world.fill(rule.path, "carls")
        body = await world.fill(rule.body, "carls")
        for sent in bodies(body):
            reply = await world.api(caller).request(method, path, sent)
            if reply.status >= 400:
                yield reply.content.decode()
        for query in ({"q": WORD}, {"cursor": WORD}, {"limit": WORD}, {"fieldOfNobody": WORD}):
            for who in ("nobody", caller):
                reply = await world.api(who).request(method, path, query=query)
                if reply.status >= 400:
                    yield reply.content.decode()
        await world.sign_in(caller)
        if "/auth/" in path:  # its requests may have logged them out
            await world.replace("session", caller)
    async for text in secrets(world, canaries):
        yield text
    for content in (WORD.encode(), b'{"a": "%b' % WORD.encode()):
        reply = await api.request(
            "POST",
            "/auth/login",
            content=content,
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {WORD}"},
        )
        yield reply.content.decode()


def bodies(body: Any) -> Iterator[Any]:
    """Yield a body as it should be, with canaries in its texts, and with them where none belong."""
    yield body
    if not isinstance(body, dict):
        return
    texts = ("content", "name", "title", "source", "localId")
    yield {key: WORD if key in texts else value for key, value in body.items()}
    yield {**body, "source": WORD, "metadata": {"note": WORD}}
    yield {key: {WORD: [WORD]} for key in body} | {"fieldOfNobody": WORD}
    yield dict.fromkeys(body, WORD)


async def secrets(world: World, canaries: Canaries) -> AsyncIterator[str]:
    """Use every kind of secret once, rightly and wrongly; yield what is refused."""
    api, carl = world.app.api, world.api("carl")
    record = await world.id_of("client", "carls")
    await carl.patch(f"/clients/{record}", {"source": WORD, "metadata": {"note": WORD}}, status=200)
    await carl.post("/tags", {"name": f"tag {WORD}"}, status=201)
    invitation = {"email": "newcomer@clients.example", "role": "client"}
    link = (await carl.post("/invitations", invitation, status=201)).data["link"]
    token = canaries.words["an invitation's token"] = link.partition("#token=")[2]
    redemption = {"token": token, "name": "New", "password": NEW_PASSWORD}
    login = (await api.post("/invitations/redeem", redemption, status=201)).data
    canaries.words["a refresh token"] = login["refreshToken"].rpartition("_")[2]
    refresh = {"refreshToken": login["refreshToken"], "requestId": "canary-request-id-1"}
    renewed = (await api.post("/auth/refresh", refresh, status=200)).data
    canaries.words["the next refresh token"] = renewed["refreshToken"].rpartition("_")[2]
    canaries.words["the next access token"] = renewed["accessToken"].rpartition(".")[2]
    wrong = (
        ("/invitations/redeem", redemption),
        ("/auth/refresh", refresh | {"requestId": "canary-request-id-2"}),
        ("/auth/login", {"email": "newcomer@clients.example", "password": f"{NEW_PASSWORD}!"}),
        ("/auth/login", {"email": "newcomer@clients.example", "password": {NEW_PASSWORD: 1}}),
        ("/setup", {"token": token, "owner": NEW_PASSWORD, "practice": NEW_PASSWORD}),
    )
    for path, body in wrong:
        reply = await api.post(path, body)
        assert reply.status >= 400
        yield reply.content.decode()
    # The answer to a key is kept, and sealed.
    headers = {"Idempotency-Key": "canary-key-1"}
    path = await world.fill("/conversations/{direct}/messages", "carls")
    await carl.post(path, {"content": f"{WORD} for a key"}, headers=headers, status=201)


async def talk(world: World, sockets: Sockets) -> None:
    """Say the same over sockets."""
    carl = world.people["carl"]
    assert carl is not None
    direct = await world.id_of("direct", "carls")
    for socket in (await sockets.plain(world.app.url, carl), await sockets.io(world.app.url, carl)):
        ack = await socket.call("send_message", {"conversationId": direct, "content": WORD})
        assert ack["ok"]
        for data in ({"conversationId": WORD}, {"content": {WORD: WORD}}, WORD, [WORD]):
            ack = await socket.call("send_message", data)
            assert not ack["ok"]
            assert WORD not in str(ack)


async def test_an_error_that_quotes_a_canary_quotes_it_to_nobody(
    engine: EngineName, wellio_databases: Any
) -> None:
    with logged("debug") as lines:
        async with AsyncExitStack() as ends:
            start = StartApp(partial(wellio_databases, engine), ends)
            app = await start(plugins=[FailingPlugin()])
            reply = await app.api.post(
                "/canaries/fail", {"secret": WORD}, headers={"Authorization": f"Bearer {WORD}"}
            )
    assert reply.status == 500
    assert WORD not in reply.content.decode()
    assert "request failed" in lines.text
    assert WORD not in lines.text
