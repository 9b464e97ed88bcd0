"""A23, sockets: no mixture of REST and sockets gets more than the documented budgets."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.attack.crowd import SEED
from wellio import ManualClock
from wellio.testing import Sockets, TestApp, User
from wellio.testing.plugin import MakeUser, StartApp

# Real time, but only as much of it as a test lets go by.
START_MS = 1_790_000_000_000
SENDS = "plugins.chat.messages"


class Sender:
    """Somebody who sends in every way there is, with several sockets."""

    def __init__(self, app: TestApp, user: User, group: str) -> None:
        self.app, self.user, self.group = app, user, group
        self.ways: list[Callable[[str], Awaitable[Any]]] = [self._post]
        self.refusals: list[Any] = []

    async def add_sockets(self, sockets: Sockets) -> None:
        for opened in (sockets.plain, sockets.io, sockets.plain, sockets.io):
            socket = await opened(self.app.url, self.user)

            async def send(content: str, socket: Any = socket) -> Any:
                data = {"conversationId": self.group, "content": content}
                answer = await socket.call("send_message", data)
                return None if answer["ok"] else answer["error"]

            self.ways.append(send)

    async def _post(self, content: str) -> Any:
        path = f"/conversations/{self.group}/messages"
        answer = await self.app.api.as_(self.user).post(path, {"content": content})
        return None if answer.status == 201 else answer.data

    async def send(self, count: int) -> int:
        """Send so many, all ways in turn and at once; return how many budgets were used."""
        turns = (self.ways[(SEED + n) % len(self.ways)](f"message {n}") for n in range(count))
        errors = await asyncio.gather(*turns)
        # A write that a busy machine has no time for is a 503; its sender's budget is used all the
        # same.
        spent = [error for error in errors if error is None or error["status"] == 503]
        self.refusals = [error for error in errors if error not in spent]
        return len(spent)


async def made(start: StartApp, make_user: MakeUser, clock: ManualClock, **settings: Any) -> Sender:
    app = await start(settings={"limits.enabled": True, **settings}, clock=clock)
    owner = await make_user("owner")
    client = await make_user("client")
    wish = {"kind": "group", "title": "Walkers", "memberIds": [client.id]}
    group = (await app.api.as_(owner).post("/conversations", wish, status=201)).data["id"]
    return Sender(app, client, group)


async def test_messages_over_rest_and_sockets(
    wellio_app: StartApp, make_user: MakeUser, sockets: Sockets
) -> None:
    clock = ManualClock(START_MS)
    sender = await made(wellio_app, make_user, clock)
    await sender.add_sockets(sockets)
    taken = await sender.send(200)
    assert taken == 120
    for refusal in sender.refusals:
        assert (refusal["status"], refusal["code"]) == (429, "rate_limited")
        assert 0 < refusal["retryAfter"] <= 0.1
    clock.advance(5_000)
    taken += await sender.send(100)
    assert taken == 170  # and 1.1 times that is what the promise allows


@pytest.mark.parametrize("tricks", ["unknown", "Send_Message", "send_message ", "typing"])
async def test_events_of_any_name_use_the_accounts_budget(
    wellio_app: StartApp, make_user: MakeUser, sockets: Sockets, tricks: str
) -> None:
    rate = {"limits.per_account": "30+0.001/s"}
    sender = await made(wellio_app, make_user, ManualClock(START_MS), **rate)
    opened = [await sockets.plain(sender.app.url, sender.user) for _ in range(3)]
    calls = [opened[n % 3].call(tricks, {"conversationId": sender.group}) for n in range(60)]
    codes = [answer.get("error", {}).get("code") for answer in await asyncio.gather(*calls)]
    assert 60 - codes.count("rate_limited") <= 30
    me = await sender.app.api.as_(sender.user).get("/me")
    assert (me.status, me.data["code"]) == (429, "rate_limited")
