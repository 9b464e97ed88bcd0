"""Clients as a good app has them: they keep a socket, catch up, and send until it is certain."""

import asyncio
import contextlib
import itertools
import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

from tests.fault.history import History, Key, Message, hash_of
from tests.fault.practice import API, Person
from tests.fault.server import Server
from tests.fault.sockets import TIMEOUT_S, Lost, Socket

BROKEN: Final = (aiohttp.ClientError, OSError, TimeoutError)  # Lost is an OSError
TIMEOUT: Final = aiohttp.ClientTimeout(total=TIMEOUT_S)
_OTHER: Final = {"rest": "socket", "socket": "rest"}
_RESENDS: Final = 0.05  # share of messages sent once more although they were acknowledged
_AT_ONCE: Final = 4  # messages of one client that are under way
_MARKS: Final = 0.003  # share of received messages that are marked as read
_LONG: Final = 0.02  # share of messages of some KiB
_LETTERS: Final = 'abcdefghij klmnop qrstu vwxyz ÄÖÜ ß 你好 🙂 " \\ \n\t'


@dataclass(frozen=True, slots=True)
class Site:
    """Where everybody is."""

    server: Server
    http: aiohttp.ClientSession
    history: History
    connections: Iterator[int] = field(default_factory=lambda: itertools.count(1))


class Refused(Exception):
    """The server said no, so nothing happened."""


class Unsure(Exception):
    """The server could not say yes: it may have happened or not."""


async def catch_up(socket: Socket, cursor: str | None) -> AsyncIterator[dict[str, Any]]:
    """Return the pages of `sync`, from a cursor to the end."""
    has_more = True
    while has_more:
        page = await socket.call("sync", {"after": cursor})
        assert page["ok"], page
        cursor, has_more = page["next"], page["hasMore"]
        yield page


class Subscriber:
    """Keeps a socket open, and after each break opens another and catches up."""

    def __init__(
        self, name: str, person: Person, kind: type[Socket], site: Site, rng: random.Random
    ) -> None:
        self.name = name
        self.socket: Socket | None = None
        self._person, self._kind, self._site, self._rng = person, kind, site, rng
        self._is_connected = asyncio.Event()
        self._number = 0
        self._cursor: str | None = None
        self._marks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Stay subscribed until cancelled."""
        while True:
            await self._site.server.up.wait()
            with contextlib.suppress(*BROKEN):
                await self._connect()
            await asyncio.sleep(self._rng.uniform(0.02, 0.1))

    async def catch_up(self) -> None:
        """Fetch everything since the last time.

        What was on its way to this socket before is received by then too: frames keep their order.
        """
        await self._is_connected.wait()
        assert self.socket is not None
        async for page in catch_up(self.socket, self._cursor):
            news = [item["data"] for item in page["items"] if item["event"] == "new_message"]
            self._write("caught_up", messages=[Message.of_wire(data) for data in news])
            self._cursor = page["next"]

    async def _connect(self) -> None:
        self._number, person = next(self._site.connections), self._person
        socket = await self._kind.open(
            self._site.http, self._site.server.url, person.token, self._receive
        )
        self._write("subscribed", user=person.id, conversations=person.conversations)
        self.socket = socket
        self._is_connected.set()
        try:
            with contextlib.suppress(*BROKEN):
                await self.catch_up()
                await asyncio.wait((socket.reading,))
            self._write("dropped")
        finally:  # cancelled, it was open to the end
            self._is_connected.clear()
            self.socket = None
            await socket.close()

    def _receive(self, event: str, data: Any) -> None:
        if event != "new_message":
            return
        message = Message.of_wire(data)
        self._write("live", message=message)
        if self._rng.random() < _MARKS:
            task = asyncio.create_task(self._mark(message))
            self._marks.add(task)
            task.add_done_callback(self._marks.discard)

    async def _mark(self, message: Message) -> None:
        """Read up to a message, so that the conversations' logs hold receipts too."""
        if self.socket is not None:
            with contextlib.suppress(*BROKEN):
                data = {"conversationId": message.conversation, "messageId": message.id}
                await self.socket.call("mark_read", data)

    def _write(self, op: str, **fields: Any) -> None:
        self._site.history.write(op, self.name, connection=self._number, **fields)


class Sender:
    """Sends messages at its pace, each again and again until somebody says yes or no."""

    def __init__(
        self,
        name: str,
        person: Person,
        kind: type[Socket],
        site: Site,
        rng: random.Random,
        subscriber: Subscriber | None,
    ) -> None:
        """Describe a client.

        Args:
            name: Its name in the history.
            person: Who sends.
            kind: The protocol of its socket.
            site: Where.
            rng: Decides everything.
            subscriber: Whose socket it usually sends through; without one it sends over REST.
        """
        self._name, self._person, self._kind, self._site, self._rng = name, person, kind, site, rng
        self._subscriber = subscriber
        self._deliveries: set[asyncio.Task[None]] = set()
        self._failures: list[BaseException] = []
        self._turn = asyncio.Semaphore(_AT_ONCE)

    @property
    def unresolved(self) -> int:
        """Return how many messages nobody said yes or no to."""
        return len(self._deliveries)

    async def offer(self, interval_s: float, stop: asyncio.Event) -> None:
        """Begin a message every so often, whatever became of the ones before."""
        for number in itertools.count():
            pause = interval_s * (self._rng.random() if number == 0 else 1)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await stop.wait()
                return
            task = asyncio.create_task(self._deliver(f"{self._name}-{number}"))
            self._deliveries.add(task)
            task.add_done_callback(self._finish)

    async def settle(self) -> None:
        """Wait until every message is resolved; raise what went wrong with one in a new way."""
        while self._deliveries:
            await asyncio.wait(self._deliveries)
        for failure in self._failures:
            raise failure

    def abandon(self) -> None:
        """Give up what is unresolved."""
        for task in self._deliveries:
            task.cancel()

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._deliveries.discard(task)
        if not task.cancelled() and (failure := task.exception()):
            self._failures.append(failure)

    async def _deliver(self, local_id: str) -> None:
        rng = self._rng
        key = Key(rng.choice(self._person.conversations), self._person.id, local_id)
        length = 4000 if rng.random() < _LONG else rng.randrange(1, 200)
        content = f"{local_id} " + "".join(rng.choices(_LETTERS, k=length)) + "."
        via = "socket" if self._subscriber else "rest"
        async with self._turn:  # until then it waits in the outbox
            while not await self._attempt(key, content, via):
                via = rng.choice(("rest", "socket"))
                await asyncio.sleep(rng.uniform(0.02, 0.2))
                await self._site.server.up.wait()
            if rng.random() < _RESENDS:  # the app lost the answer, and asks elsewhere
                await self._attempt(key, content, _OTHER[via])

    async def _attempt(self, key: Key, content: str, via: str) -> bool:
        """Send once; True when it is certain what became of it."""
        write = self._site.history.write
        write("send", self._name, key=key, hash=hash_of(content), via=via)
        try:
            wire = await (self._post if via == "rest" else self._emit)(key, content)
        except Refused as refused:
            write("fail", self._name, key=key, reason=str(refused))
        except (*BROKEN, Unsure) as error:
            write("info", self._name, key=key, reason=repr(error))
            return False
        else:
            message = Message.of_wire(wire)
            write("ok", self._name, message=message, duplicate=bool(wire.get("duplicate")))
        return True

    async def _post(self, key: Key, content: str) -> dict[str, Any]:
        async with self._site.http.post(
            f"{self._site.server.url}{API}/conversations/{key.conversation}/messages",
            json={"content": content, "localId": key.local_id},
            headers=self._person.headers,
            timeout=TIMEOUT,
        ) as response:
            answer: dict[str, Any] = await response.json(content_type=None)
            if response.status not in {200, 201}:
                raise _problem(answer)
            return answer

    async def _emit(self, key: Key, content: str) -> dict[str, Any]:
        async with self._connected() as socket:
            data = {"content": content, "localId": key.local_id}
            ack = await socket.call("send_message", data | {"conversationId": key.conversation})
            if not ack["ok"]:
                raise _problem(ack["error"])
            return {**ack["message"], "duplicate": ack.get("duplicate")}

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[Socket]:
        """Return the socket that is open anyway, or one for this send."""
        if self._subscriber is not None:
            if self._subscriber.socket is None:
                raise Lost
            yield self._subscriber.socket
            return
        site = self._site
        socket = await self._kind.open(
            site.http, site.server.url, self._person.token, lambda event, data: None
        )
        try:
            yield socket
        finally:
            await socket.close()


def _problem(problem: dict[str, Any]) -> Exception:
    certain = 400 <= problem["status"] < 500 and problem["status"] != 429
    return (Refused if certain else Unsure)(f"{problem['status']} {problem['code']}")
