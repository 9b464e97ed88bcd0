"""How many sockets a network and an account may have."""

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from tests.realtime.peers import SOCKET, Address, Peer, WebSocket
from wellio.testing import DEADLINE_S, TestApp, User
from wellio.testing.plugin import MakeUser, StartApp

KINDS = pytest.mark.parametrize("kind", ["websocket", "polling", "plain"])


@pytest.fixture
def engine() -> str:
    """One is enough: no row is limited here."""
    return "sqlite"


class Site:
    """An app with limits, somebody with an account, and a peer."""

    def __init__(self, app: TestApp, user: User, peer: Peer) -> None:
        self.app, self.user, self.peer = app, user, peer
        self._guests: list[Guest] = []  # a connection that nobody keeps is closed

    async def knock(self, kind: str) -> "Guest":
        """Open a connection that does not say who it is."""
        ws: WebSocket | None = None
        sid: str | None = None
        if kind == "polling":
            sid = await self.peer.open(SOCKET)
        elif kind == "plain":
            ws = await self.peer.dial("/ws")
        else:
            ws = await self.peer.websocket(SOCKET)
        guest = Guest(self, ws, sid)
        self._guests.append(guest)
        return guest

    async def close(self) -> None:
        for guest in self._guests:
            await guest.hush()
            if guest.ws is not None:
                await guest.ws.ws.close()

    async def sockets(self, count: int) -> None:
        """Wait until so many have said who they are and are still there."""
        async with asyncio.timeout(DEADLINE_S):
            while self.app.app.hub.count() != count:  # noqa: ASYNC110 - a count has no event
                await asyncio.sleep(0)


class Guest:
    """One connection of a site."""

    def __init__(self, site: Site, ws: WebSocket | None, sid: str | None) -> None:
        self.site, self.ws, self.sid = site, ws, sid
        self._listening: asyncio.Task[None] | None = None

    async def send(self, text: str) -> None:
        if self.ws is not None:
            await self.ws.send(text)
        else:
            assert self.sid is not None
            assert (await self.site.peer.push(self.sid, text, SOCKET)).status == 200

    async def receive(self) -> str:
        if self.ws is not None:
            return str(await self.ws.packet())
        assert self.sid is not None
        return (await self.site.peer.poll(self.sid, SOCKET)).text

    async def sign_in(self, token: str | None = None) -> str:
        """Say who it is and return the answer."""
        auth = json.dumps({"token": token or self.site.user.token})
        await self.send(f"40{auth}" if self.is_io else f'{{"event":"auth","data":{auth}}}')
        return await self.receive()

    def listen(self) -> None:
        """Answer pings from now on."""
        self._listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        while (text := await self.receive()) not in {"None", "1"}:
            if self.ws is None and "2" in text.split("\x1e"):
                await self.send("3")

    async def hush(self) -> None:
        """Answer nothing any more."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.wait((self._listening,))

    async def leave(self) -> None:
        await self.hush()
        if self.ws is not None:
            await self.ws.ws.close()
        else:
            await self.send("1")

    @property
    def is_io(self) -> bool:
        return self.ws is None or str(self.ws.ws._response.url.path) == SOCKET  # noqa: SLF001 - aiohttp keeps it to itself


@pytest_asyncio.fixture
async def site(wellio_app: StartApp, make_user: MakeUser) -> AsyncIterator[Site]:
    app = await wellio_app(
        settings={
            "limits.enabled": True,
            "limits.handshakes_per_address": 2,
            "limits.sockets_per_account": 2,
            "limits.per_account": "6+0.01/s",
        }
    )
    async with aiohttp.ClientSession() as http:
        site = Site(app, await make_user("coach"), Peer(Address(app.url), http))
        yield site
        await site.close()


async def refused(site: Site, kind: str) -> None:
    """See one more guest turned away."""
    query = {"EIO": "4", "transport": "polling" if kind == "polling" else "websocket"}
    if kind == "polling":
        reply = await site.peer.request("GET", SOCKET, EIO="4", transport="polling")
        assert (reply.status, reply.headers["Retry-After"]) == (429, "1")
        assert json.loads(reply.text)["code"] == "too_many_connections"
        return
    with pytest.raises(aiohttp.WSServerHandshakeError) as error:
        await site.peer.dial("/ws" if kind == "plain" else SOCKET, **query)
    assert error.value.headers is not None
    assert (error.value.status, error.value.headers["Retry-After"]) == (429, "1")


async def until_there_is_room(site: Site, kind: str) -> Guest:
    """Knock until a place is free: a hang-up takes a moment to arrive."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            try:
                return await site.knock(kind)
            except (aiohttp.ClientResponseError, AssertionError):
                await asyncio.sleep(0)


@KINDS
async def test_a_network_has_so_many_that_have_not_signed_in(site: Site, kind: str) -> None:
    first, second = [await site.knock(kind) for _ in range(2)]
    await refused(site, kind)
    await first.sign_in()
    third = await site.knock(kind)
    await refused(site, kind)
    await second.leave()
    await until_there_is_room(site, kind)
    await refused(site, kind)
    await third.leave()
    await first.leave()


@pytest.mark.parametrize("kind", ["websocket", "polling"])
async def test_who_left_the_namespace_is_a_guest_again(site: Site, kind: str) -> None:
    guest = await site.knock(kind)
    assert (await guest.sign_in()).startswith("40{")
    await guest.send("41")
    await site.sockets(0)
    await site.knock(kind)
    await refused(site, kind)
    assert (await guest.sign_in()).startswith("40{")
    await site.knock(kind)


@KINDS
async def test_an_account_has_so_many_sockets(site: Site, kind: str) -> None:
    devices = [await site.knock(kind) for kind in ("websocket", "plain")]
    for device in devices:
        await device.sign_in()
        device.listen()
    late = await site.knock(kind)
    await refused_for_now(late, "too_many_connections", kind)
    assert site.app.app.hub.count() == 2
    await devices[0].leave()
    await site.sockets(1)
    again = await until_there_is_room(site, kind)
    assert '"code"' not in await again.sign_in()
    await site.sockets(2)


async def refused_for_now(guest: Guest, code: str, kind: str) -> None:
    """See somebody refused in such a way that their client tries again."""
    answer = await guest.sign_in()
    if kind == "polling":
        assert answer == "1"
        return
    assert guest.ws is not None
    if kind == "plain":
        assert '"status":429' in answer
        assert f'"code":"{code}"' in answer
        assert await guest.ws.closed() == 4429
    else:
        assert (answer, guest.ws.ws.close_code) == ("None", 1013)


@KINDS
async def test_the_oldest_silent_device_gives_way(site: Site, kind: str) -> None:
    alive, silent = [await site.knock(kind) for _ in range(2)]
    for device in (alive, silent):
        await device.sign_in()
    alive.listen()
    new = await site.knock(kind)
    assert '"code"' not in await new.sign_in()
    new.listen()
    assert site.app.app.hub.count() == 2
    if silent.ws is not None:
        assert await silent.ws.closed() == 1013
    late = await site.knock(kind)
    await refused_for_now(late, "too_many_connections", kind)


@pytest.mark.parametrize("kind", ["websocket", "polling"])
async def test_coming_and_going_uses_the_accounts_budget(site: Site, kind: str) -> None:
    guest = await site.knock(kind)
    for _ in range(6):
        assert (await guest.sign_in()).startswith("40{")
        await guest.send("41")
    await refused_for_now(guest, "rate_limited", kind)


@pytest.mark.parametrize("kind", ["websocket", "polling"])
@pytest.mark.parametrize("connect", ['40{"token":"no"}', "40/nowhere,"])
async def test_the_third_refusal_hangs_up(site: Site, kind: str, connect: str) -> None:
    guest = await site.knock(kind)
    for _ in range(2):
        await guest.send(connect)
        assert (await guest.receive()).startswith("44")
    await guest.send(connect)
    if guest.ws is not None:
        assert (await guest.receive()).startswith("44")
        assert await guest.ws.closed() == 1000
    else:
        answer = ""
        while not answer.endswith("\x1e1"):  # the refusal, and in the same answer or the next: bye
            answer += f"\x1e{await guest.receive()}"
        assert answer.startswith("\x1e44")
    await site.knock(kind)
    await site.knock(kind)
