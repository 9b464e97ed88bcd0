"""The main job, from outside: a coach and a client talk, and go on after a restart."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.core.boot.processes import Server
from tests.e2e.practice import PASSWORDS, OpenDatabases, Rest, empty_place, token_of
from tests.realtime.node_client import run_node
from wellio.testing import DEADLINE_S
from wellio.testing.engines import ENGINES, EngineName

HERE = Path(__file__).parent


@pytest.mark.timeout(900)  # a server is started twice and Node five times, on a busy machine
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.slow("a server and clients of their own processes talk")
async def test_a_coach_and_a_client_talk(
    engine: EngineName, wellio_databases: OpenDatabases, tmp_path: Path
) -> None:
    async with empty_place(wellio_databases, engine, tmp_path) as place:
        async with place.serve() as (server, rest):
            setup = {
                "token": token_of(" ".join(server.notices)),
                "practice": {
                    "name": "Calm Waters",
                    "timeZone": "Europe/Berlin",
                    "currency": "EUR",
                    "locale": "en",
                },
                "owner": {
                    "name": "Olga",
                    "email": "olga@example.com",
                    "password": PASSWORDS["olga"],
                },
            }
            olga = await rest("POST", "/setup", setup, status=201)
            await rest("POST", "/setup", setup, status=409)
            carl = await rest.invite(olga["accessToken"], "carl", "coach")
            mia = await rest.invite(carl["accessToken"], "mia", "client")
            direct = {"kind": "direct", "memberIds": [mia["user"]["id"]]}
            opened = await rest("POST", "/conversations", direct, carl["accessToken"], status=201)
            for way in ("polling", "websocket", "default"):
                tokens = carl["accessToken"], (await rest.log_in("mia"))["accessToken"]
                script = str(HERE / "talk.mjs")
                assert await run_node(script, server.url, way, opened["id"], *tokens) == "ok\n"
            messages = await _history(rest, opened["id"], mia["accessToken"])
            assert [message["seq"] for message in messages] == list(range(9, 0, -1))
            await _sigterm_closes(server, rest, opened["id"], carl["accessToken"])

        port = int(server.url.rpartition(":")[2])
        async with place.serve(port) as (server, rest):
            assert server.notices == []
            for login in (olga, carl, mia):
                assert (await rest("GET", "/me", token=login["accessToken"]))["id"]
                refresh = {"refreshToken": login["refreshToken"], "requestId": "x" * 16}
                renewed = await rest("POST", "/auth/refresh", refresh)
                assert renewed["user"] == login["user"]
                login.update(renewed)
            after = await _history(rest, opened["id"], mia["accessToken"])
            assert after == messages


async def _history(rest: Rest, conversation_id: str, token: str) -> Any:
    path = f"/conversations/{conversation_id}/messages"
    return (await rest("GET", path, token=token))["items"]


async def _sigterm_closes(server: Server, rest: Rest, conversation_id: str, token: str) -> None:
    """Stop the server while Carl is connected twice; both connections learn of it."""
    node = asyncio.create_task(run_node(str(HERE / "linger.mjs"), server.url, token))
    async with rest.session.ws_connect("/ws") as plain:
        await plain.send_json({"event": "auth", "data": {"token": token}, "id": 1})
        assert (await plain.receive_json())["data"] == {"ok": True}
        while await _sockets(rest) < 2:  # noqa: ASYNC110 - no event reaches out of that process
            await asyncio.sleep(0.05)
        assert await server.stop() == 0
        async with asyncio.timeout(DEADLINE_S):
            while (last := await plain.receive()).type is aiohttp.WSMsgType.TEXT:
                pass
        assert last.data == aiohttp.WSCloseCode.SERVICE_RESTART
    assert await node == "transport close\n"


async def _sockets(rest: Rest) -> int:
    """Return how many clients are connected, as `/metrics` has it."""
    async with rest.session.get("/metrics") as response:
        lines = (await response.text()).splitlines()
    return next(int(float(line.split()[1])) for line in lines if line.startswith("wellio_sockets "))
